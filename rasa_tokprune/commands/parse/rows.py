"""Answers as they are written: JSON lines, CSV, or as Rasa's server gives them."""

from __future__ import annotations

import csv
import io
import json
from typing import Any, Callable, Dict, List, Mapping, Tuple

from rasa_tokprune.commands.parse.arguments import CSV, RASA
from rasa_tokprune.texts.messages import Message

Row = Dict[str, Any]
COLUMNS = ("id", "text", "intent", "confidence", "answer", "entities")
RANKING = "ranking"
# What makes a spreadsheet compute a cell instead of showing it, the wide forms included; and the
# mark itself, so that it can be taken off again without a guess.
_COMPUTED = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")
_MARK = "'"
_ENCODERS = {
    is_ascii: json.JSONEncoder(ensure_ascii=is_ascii, default=lambda other: other.tolist())
    for is_ascii in (False, True)
}


def row_of(parse: Mapping[str, Any], n_ranked: int) -> Row:
    """Returns what is kept of a message's parse.

    Args:
        parse: Of `TrainedModel.parse`.
        n_ranked: Intents of the ranking that are kept; 0 keeps no ranking.
    """
    intent = parse.get("intent") or {}
    row: Row = {
        "intent": intent.get("name"),
        "confidence": intent.get("confidence", 0.0),
        "answer": intent.get("full_retrieval_intent_name"),
        "entities": parse.get("entities") or [],
    }
    if n_ranked:
        ranking = (parse.get("intent_ranking") or [])[:n_ranked]
        row[RANKING] = [{key: each.get(key) for key in ("name", "confidence")} for each in ranking]
    return row


def writer_of(
    format_name: str, n_ranked: int, *, is_ascii: bool
) -> Tuple[str, Callable[[Message, Row], str]]:
    """Returns the text before the first row, and a function that makes the text of a row.

    Args:
        format_name: One of those of `--format`.
        n_ranked: As for `row_of`.
        is_ascii: Whether JSON escapes what is not ASCII, for terminals of any encoding.
    """
    if format_name == CSV:
        columns = [*COLUMNS, *([RANKING] if n_ranked else [])]
        return _csv_line(columns), lambda message, row: _csv_row(columns, message, row)

    def json_row(message: Message, row: Row) -> str:
        named = {} if message.id is None else {"id": message.id}
        # Rasa's has the text as its components left it.
        text = {} if format_name == RASA else {"text": message.text}
        return as_json({**named, **text, **row}, is_ascii=is_ascii) + "\n"

    return "", json_row


def as_json(value: Any, *, is_ascii: bool = False) -> str:
    """Returns a JSON text; numbers of numpy, as components of others leave them, are numbers."""
    return _ENCODERS[is_ascii].encode(value)


def safe_cell(text: str) -> str:
    """Returns text that a spreadsheet shows and does not compute: `'` stands in front of some.

    Source: OWASP, "CSV Injection". A reader of the file takes one leading `'` off.
    """
    return _MARK + text if text.startswith(_COMPUTED) else text


def _csv_row(columns: List[str], message: Message, row: Row) -> str:
    full = {"id": message.id, "text": message.text, **row}
    return _csv_line([_cell(full[column]) for column in columns])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return safe_cell(value) if isinstance(value, str) else safe_cell(as_json(value))


def _csv_line(cells: List[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()
