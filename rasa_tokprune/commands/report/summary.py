"""The page in a few plain sentences: what is good, what to do next."""

from __future__ import annotations

import dataclasses
from typing import Iterator, List, Optional, Sequence, Tuple

from rasa_tokprune.commands.report.measures.confidence import Trust
from rasa_tokprune.commands.report.measures.findings import Findings
from rasa_tokprune.commands.report.measures.plans import PlanPoint
from rasa_tokprune.commands.report.measures.robustness import Kind
from rasa_tokprune.fewshot.report import FEW_EXAMPLES, MAX_PAIRS

_N_ACTIONS = 3
# From where on things are called good.
_GOOD_ACCURACY, _GOOD_ECE, _GOOD_KEPT = 0.85, 0.08, 0.9
# An intent with less is called weak.
WEAK_F1 = 0.7


@dataclasses.dataclass(frozen=True)
class Sentence:
    """A sentence of the summary.

    Attributes:
        text: It.
        section: Id of the part of the page that shows it.
        weight: Of something to do: how many messages it may be about.
    """

    text: str
    section: str
    weight: float = 0.0


@dataclasses.dataclass(frozen=True)
class Measured:
    """What the summary is made of.

    Attributes:
        trust: On the test messages or on examples held out; None if there are none.
        plans: Points of the plans.
        findings: What to look at.
        robustness: Kinds of change.
        has_oos: Whether the bot has examples out of scope.
    """

    trust: Optional[Trust]
    plans: List[PlanPoint]
    findings: Findings
    robustness: List[Kind]
    has_oos: bool


def percent(share: Optional[float]) -> str:
    """Returns a share as a percentage with one decimal; a dash for None."""
    return "–" if share is None else f"{100 * share:.1f}%"  # noqa: RUF001 a dash in a table


def good_points(measured: Measured) -> List[Sentence]:
    """Returns what is good about the bot, best supported first."""
    return list(_good(measured))


def next_steps(measured: Measured) -> List[Sentence]:
    """Returns the three most useful things to do; fewer if there are no three."""
    steps = sorted(_steps(measured), key=lambda step: -step.weight)
    return [step for step in steps if step.weight > 0][:_N_ACTIONS]


def _good(measured: Measured) -> Iterator[Sentence]:
    trust, findings = measured.trust, measured.findings
    if trust is not None and trust.accuracy >= _GOOD_ACCURACY:
        yield Sentence(
            f"The right intent for {percent(trust.accuracy)} of {trust.n_messages:,} messages.",
            "confidence",
        )
    if trust is not None and trust.ece <= _GOOD_ECE:
        yield Sentence(
            f"Confidence means what it says: it is off by {100 * trust.ece:.1f} points on average.",
            "confidence",
        )
    yield from _good_plan(measured.plans)
    stable = [kind.name for kind in measured.robustness if kind.kept >= _GOOD_KEPT]
    if stable:
        yield Sentence(
            f"Answers hardly change under {_listed(stable)}: nine in ten or more stay.",
            "robustness",
        )
    if not findings.counts["contradictions"]:
        yield Sentence("No message stands in two intents.", "findings")


def _good_plan(plans: Sequence[PlanPoint]) -> Iterator[Sentence]:
    chosen, off = _chosen_and_off(plans)
    if chosen is None or off is None or chosen is off or chosen.p50_ms > 0.9 * off.p50_ms:
        return
    if chosen.is_chosen and (off.gain <= 0 or not off.is_different):
        yield Sentence(
            f"Plan {chosen.plan} encodes a message in {chosen.p50_ms:.2f} ms, un-pruned it takes "
            f"{off.p50_ms:.2f} ms; accuracy is no worse than chance explains.",
            "plans",
        )


def _steps(measured: Measured) -> Iterator[Sentence]:
    counts, findings = measured.findings.counts, measured.findings
    if n := counts["contradictions"]:
        yield Sentence(
            "Decide on one intent for the message that stands in two."
            if n == 1
            else f"Decide on one intent for each of {n:,} messages that stand in two.",
            "finding-contradictions",
            4.0 * n,
        )
    if n := counts["suspicious_labels"]:
        yield Sentence(
            "Check the label that looks wrong."
            if n == 1
            else f"Check {n:,} labels that look wrong.",
            "finding-suspicious_labels",
            2.0 * n,
        )
    if findings.confused:
        pair = findings.confused[0]
        n = pair["n"] + pair["back"]
        yield Sentence(
            f"Tell {pair['intent']} and {pair['other']} apart, or merge them: one is taken for the "
            f"other {_count(n, 'time')}.",
            "confused",
            2.0 * n,
        )
    if few := findings.few:
        yield Sentence(
            f"Write more examples for {few[0].intent}: it has {few[0].n_examples}."
            if len(few) == 1
            else f"Write more examples for {len(few):,} intents with fewer than {FEW_EXAMPLES}, "
            f"first for {few[0].intent}.",
            "finding-few",
            3.0 * len(few),
        )
    yield from _steps_of_weak(measured)
    if n := counts["near_duplicates"]:
        pairs = _count(n, "pair") if n <= MAX_PAIRS else f"more than {MAX_PAIRS:,} pairs"
        yield Sentence(
            f"Look at {pairs} of examples that say nearly the same in two intents.",
            "finding-near_duplicates",
            1.0 * n,
        )
    yield from _steps_of_numbers(measured)


def _steps_of_weak(measured: Measured) -> Iterator[Sentence]:
    rows = measured.findings.intents
    weak = [row for row in rows if row.f1 is not None and row.f1 < WEAK_F1]
    if weak:
        yield Sentence(
            f"Look at the examples of {weak[0].intent}: its F1 is {percent(weak[0].f1)}."
            if len(weak) == 1
            else f"Look at the examples of {len(weak):,} intents with an F1 below {WEAK_F1:.0%}, "
            f"first of {weak[0].intent}.",
            "intents",
            sum(row.n_examples * (1.0 - (row.f1 or 0.0)) for row in weak),
        )


def _steps_of_numbers(measured: Measured) -> Iterator[Sentence]:
    trust = measured.trust
    n_messages = 0 if trust is None else trust.n_messages
    if not measured.has_oos:
        yield Sentence(
            "Add an intent out_of_scope with messages that the bot cannot answer: it has none to "
            "learn from.",
            "confidence",
            max(3.0, 0.02 * n_messages),
        )
    better = [point for point in measured.plans if point.gain > 0 and point.is_different]
    if better:
        best = max(better, key=lambda point: point.gain)
        yield Sentence(
            f"Consider plan {best.plan}: it answers {100 * best.gain:.1f} points more of the "
            f"messages rightly.",
            "plans",
            best.gain * n_messages,
        )
    weakest = min(measured.robustness, key=lambda kind: kind.kept, default=None)
    if weakest is not None and weakest.kept < _GOOD_KEPT and weakest.n_changed:
        lost = max(weakest.right_before - weakest.right_after, 0.0)
        yield Sentence(
            f"Look at what {weakest.name} changes: {percent(1 - weakest.kept)} of the answers. A "
            f"few examples written like that help.",
            "robustness",
            0.05 * lost * n_messages,
        )


def _chosen_and_off(
    plans: Sequence[PlanPoint],
) -> Tuple[Optional[PlanPoint], Optional[PlanPoint]]:
    chosen = next((point for point in plans if point.is_chosen), None)
    return chosen, next((point for point in plans if point.plan == "off"), None)


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
