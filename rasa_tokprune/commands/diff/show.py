"""Shows what changed, for reading."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

from rasa_tokprune.commands.diff.arguments import GATES, option_of
from rasa_tokprune.commands.screen import Screen
from rasa_tokprune.fewshot.certificate.outcome import FALLBACK

_NAMES = {
    "action": "another action",
    "became_fallback": "  became a fallback",
    "stopped_fallback": "  no longer a fallback",
    "intent": "another top intent",
    "entities": "other entities",
    "answer": "another answer",
    "any": "any of these",
}
_MOST_ROWS = 15
_LONGEST_EXAMPLE = 60


def show(result: Dict[str, Any], screen: Screen) -> None:
    """Shows the result of a comparison, as the command's JSON holds it."""
    screen.heading(f"{result['old']['model']} -> {result['new']['model']}")
    n_messages, n_texts = result["messages"], result["different_messages"]
    screen.line(f"{n_messages:,} messages, {n_texts:,} different")
    for which in ("old", "new"):
        screen.line(f"{which}: {result[which]['fallback']}")
    screen.line()
    screen.table(
        ("what changed", "messages", "share", "95% interval"),
        [_share_row(_NAMES[kind], result["changed"][kind]) for kind in _NAMES],
    )
    _show_actions(result, screen)
    _show_intents(result, screen)
    _show_confidence(result["confidence"], screen)
    if result["labels"] is not None:
        _show_labels(result["labels"], screen)
    _show_gates(result["gates"], screen)


def _show_actions(result: Dict[str, Any], screen: Screen) -> None:
    pairs = result["actions"]
    if not pairs:
        return
    screen.line()
    screen.table(
        ("old action", "new action", "for example", "messages"),
        [
            (_action(pair["old"]), _action(pair["new"]), _examples(pair), f"{pair['messages']:,}")
            for pair in pairs[:_MOST_ROWS]
        ],
        n_left=3,
    )
    _say_what_is_left(len(pairs), screen)


def _show_intents(result: Dict[str, Any], screen: Screen) -> None:
    rows = [each for each in result["by_intent"] if each["messages"]]
    if not rows:
        return
    screen.line()
    screen.table(
        ("old action", "changed", "of", "share"),
        [
            (_action(row["old"]), f"{row['messages']:,}", f"{row['of']:,}", f"{row['share']:.1%}")
            for row in rows[:_MOST_ROWS]
        ],
    )
    _say_what_is_left(len(rows), screen)


def _say_what_is_left(n_rows: int, screen: Screen) -> None:
    if n_rows > _MOST_ROWS:
        screen.line(f"and {n_rows - _MOST_ROWS:,} more; --json shows them all", meaning="faint")


def _show_confidence(found: Dict[str, Any], screen: Screen) -> None:
    if found is None:
        return
    screen.line()
    screen.line(
        f"Where the top intent stayed ({found['same_intent']:,} messages), its confidence moved by "
        f"{found['mean_shift']:+.3f} in the mean, by {found['shift_5%']:+.3f} to "
        f"{found['shift_95%']:+.3f} for nine messages of ten, by more than 0.1 for "
        f"{found['moved_over_0.1']:,}."
    )


def _show_labels(found: Dict[str, Any], screen: Screen) -> None:
    screen.line()
    screen.table(
        ("right by the labels", "messages"),
        [
            ("both models", f"{found['both']:,}"),
            ("the old one alone", f"{found['lost']:,}"),
            ("the new one alone", f"{found['gained']:,}"),
            ("neither", f"{found['neither']:,}"),
        ],
    )
    screen.line(
        f"accuracy {found['old_accuracy']:.1%} -> {found['new_accuracy']:.1%}; two equally good "
        f"models differ as much with a chance of {found['p_value']:.2g}"
    )


def _show_gates(gates: Sequence[Dict[str, Any]], screen: Screen) -> None:
    if gates:
        screen.line()
    for gate in gates:
        kind = gate["kind"]
        held = f"{gate['held']:.2%}{' (upper bound)' if gate['by_bound'] else ''}"
        verdict = "within" if gate["passed"] else "over"
        screen.line(
            f"{option_of(kind)}: {GATES[kind]}: {held}, {verdict} the limit of {gate['limit']:.2%}",
            meaning="good" if gate["passed"] else "bad",
        )


def _share_row(name: str, share: Dict[str, Any]) -> List[str]:
    interval = f"{share['low']:.2%} to {share['high']:.2%}"
    return [name, f"{share['messages']:,}", f"{share['share']:.2%}", interval]


def _action(name: str) -> str:
    return "(fallback)" if name == FALLBACK else name


def _examples(pair: Dict[str, Any]) -> str:
    return " | ".join(_shortened(text) for text in pair["examples"])


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_EXAMPLE else f"{text[: _LONGEST_EXAMPLE - 3]}..."
