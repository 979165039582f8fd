"""An explanation on a screen: intents with bars, tokens with marks, words with what they added."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from rich.cells import cell_len
from rich.text import Text

from rasa_tokprune.commands.screen import Cell, Screen, bar, styled

_PLACES = ("intent", "runner-up")
# Columns of the names beside which everything stands, and the widest line of tokens.
_NAMES_WIDTH, _MOST_WIDTH = 13, 100
# Signs for the word that adds or takes most.
_MOST_SIGNS = 10


def show_explanation(screen: Screen, explanation: Dict[str, Any]) -> None:
    """Shows why a message was answered as it was.

    Args:
        screen: Where.
        explanation: From `rasa_tokprune.explain`.
    """
    screen.heading(_one_line(explanation["text"]) or "(blank)")
    screen.pairs(_pairs(explanation, screen.width), indent=2)
    entries = explanation["intents"]
    rows = list(_words(entries))
    if rows:
        screen.line()
        screen.table(["  word", "", *(entry["intent"] for entry in entries)], rows, n_left=2)


def _pairs(explanation: Dict[str, Any], width: int) -> Iterator[Tuple[str, Cell]]:
    for place, entry in zip(_PLACES, explanation["intents"]):
        is_good = place == "intent" and explanation["is_accepted"]
        shown = styled(f"{bar(entry['confidence'])}  {entry['confidence']:.3f}  ")
        yield place, shown.append_text(styled(entry["intent"], "good" if is_good else ""))
        yield from (("", line) for line in _reasons(entry))
    yield "in scope", _scope(explanation)
    if explanation["readable"] < 1.0 and explanation["intents"]:
        share = f"{explanation['readable']:.0%} of the message, for the encoder"
        yield "readable", styled(share, "middling")
    lines = list(_token_lines(explanation, width)) or [styled("none")]
    yield from zip(("tokens", *[""] * len(lines)), lines)
    legend = f"plan {explanation['plan']}, cost {explanation['cost']:.2f}"
    if any(token["layer"] is not None for token in explanation["tokens"]):
        legend += "; a number under a token: pruned after that layer"
    yield "", legend


def _reasons(entry: Dict[str, Any]) -> Iterator[str]:
    if entry["words"] is not None:
        none = "" if entry["words"] else " (none that examples hold)"
        yield (
            f"score {entry['score']:.2f}: embedding {entry['from_embedding']:+.2f}, "
            f"words {entry['from_words']:+.2f}{none}"
        )
    if entry["nearest_example"] is not None:
        kind = "the intent's own name" if entry["is_name"] else "example"
        yield (
            f"nearest {kind}: '{_one_line(entry['nearest_example'])}', "
            f"similarity {entry['similarity']:.3f}"
        )


def _scope(explanation: Dict[str, Any]) -> Text:
    margin = explanation["margin"]
    if margin is None:
        return styled("no: the message has no content", "bad")
    verdict = styled("yes", "good") if explanation["is_accepted"] else styled("no", "bad")
    return Text.assemble(verdict, f", {margin:+.2f} to the operating point")


def _token_lines(explanation: Dict[str, Any], width: int) -> Iterator[Text]:
    """Yields lines of tokens, each followed by one of marks if any is pruned."""
    most = max(min(width - _NAMES_WIDTH, _MOST_WIDTH), 1)
    tokens, marks = Text(), Text()
    for gap, text, layer in _pieces(explanation):
        mark = "" if layer is None else str(layer)
        if tokens and tokens.cell_len + len(gap) + max(cell_len(text), len(mark)) > most:
            yield from _with_marks(tokens, marks)
            tokens, marks, gap = Text(), Text(), ""
        # A mark may be longer than its token, and the next one must not run into it.
        room = max(tokens.cell_len + len(gap), marks.cell_len + 1 if marks and mark else 0)
        tokens.append(" " * (room - tokens.cell_len))
        tokens.append_text(styled(text, "" if layer is None else "middling"))
        if mark:
            marks.append(" " * (room - marks.cell_len)).append_text(styled(mark, "middling"))
    yield from _with_marks(tokens, marks)


def _with_marks(tokens: Text, marks: Text) -> Iterator[Text]:
    yield from (line for line in (tokens, marks) if line)


def _pieces(explanation: Dict[str, Any]) -> Iterator[Tuple[str, str, Optional[int]]]:
    """Yields the blank before each token, the token, and the layer after which it was pruned."""
    text, end = explanation["text"], 0
    for token in explanation["tokens"]:
        start = text.find(token["text"], end)
        gap = " " if end and start > end else ""
        end = start + len(token["text"])
        yield gap, styled(token["text"]).plain, token["layer"]


def _words(entries: Sequence[Dict[str, Any]]) -> Iterator[List[str]]:
    """Yields a row for each word: signs for the first intent, and its scores."""
    scores = [{each["text"]: each["score"] for each in entry["words"] or ()} for entry in entries]
    most = max((abs(score) for own in scores for score in own.values()), default=0) or 1
    for word in dict.fromkeys(word for own in scores for word in own):
        first = scores[0].get(word, 0)
        signs = ("+" if first > 0 else "-") * round(_MOST_SIGNS * abs(first) / most)
        numbers = (f"{own[word]:+.2f}" if word in own else "" for own in scores)
        yield [f"  {word}", signs, *numbers]


def _one_line(text: str) -> str:
    return " ".join(text.split())
