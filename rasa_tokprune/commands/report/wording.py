"""The sentence above each chart: what to see in it."""

from __future__ import annotations

from typing import Dict, Optional, Sequence

from rasa_tokprune.commands.report.measures.confidence import Trust
from rasa_tokprune.commands.report.measures.differences import Differences
from rasa_tokprune.commands.report.measures.plans import PlanPoint
from rasa_tokprune.commands.report.measures.robustness import Kind
from rasa_tokprune.commands.report.summary import percent

# Calibration errors of a few hundred messages are this large by chance.
_SMALL_ERROR = 0.05


def headings(
    trust: Optional[Trust],
    plans: Sequence[PlanPoint],
    robustness: Sequence[Kind],
    differences: Optional[Differences],
) -> Dict[str, str]:
    """Returns the heading of each chart by its name; only of those that there are."""
    found = {"plans": _of_plans(plans), "robustness": _of_robustness(robustness)}
    if trust is not None:
        found["calibration"] = _of_calibration(trust)
        found["coverage"] = _of_coverage(trust)
    if differences is not None:
        found["differences"] = _of_differences(differences)
    return found


def _of_plans(plans: Sequence[PlanPoint]) -> str:
    chosen = next(point for point in plans if point.is_chosen)
    text = f"Plan {chosen.plan}, the bot's own, takes {chosen.p50_ms:.2f} ms for a message"
    if chosen.accuracy is None:
        return text
    text += f" and gets {percent(chosen.accuracy)} right"
    fastest = min(plans, key=lambda point: point.p50_ms)
    if fastest is chosen:
        return f"{text}; no other here is faster"
    text += f"; plan {fastest.plan} takes {fastest.p50_ms:.2f} ms"
    if fastest.is_different:
        more = "more" if fastest.gain > 0 else "fewer"
        return f"{text} and gets {abs(100 * fastest.gain):.1f} points {more}"
    return f"{text}, and how many it gets is the same within chance"


def _of_calibration(trust: Trust) -> str:
    filled = [each for each in trust.bins if each["count"]]
    gap = sum(each["count"] * (each["accuracy"] - each["confidence"]) for each in filled)
    gap /= max(sum(each["count"] for each in filled), 1)
    if abs(trust.ece) <= _SMALL_ERROR:
        return "A confidence is about the share of answers that are right"
    if gap > 0:
        return f"More answers are right than confidence says, by {100 * gap:.0f} points on average"
    return f"Fewer answers are right than confidence says, by {-100 * gap:.0f} points on average"


def _of_coverage(trust: Trust) -> str:
    return (
        f"At threshold 0.5 the bot answers {percent(trust.answered)} of the messages, and "
        f"{percent(trust.right_of_answered)} of these answers are right"
    )


def _of_robustness(kinds: Sequence[Kind]) -> str:
    changed = [kind for kind in kinds if kind.n_changed]
    if not changed:
        return "No message could be changed"
    worst = min(changed, key=lambda kind: kind.kept)
    if worst.kept == 1.0:
        return "No answer changes when messages are typed or phrased otherwise"
    return f"{worst.name.capitalize()} changes most: {percent(worst.kept)} of the answers stay"


def _of_differences(differences: Differences) -> str:
    share = differences.n_changed / max(differences.n_messages, 1)
    text = f"{percent(share)} of the answers differ: {differences.n_changed:,}"
    text += f" of {differences.n_messages:,}"
    if not differences.n_labelled:
        return text
    gain = differences.right_after - differences.right_before
    words = "as many" if gain == 0 else f"{abs(gain):,} {'more' if gain > 0 else 'fewer'}"
    return f"{text}; {words} of the second model's are right"
