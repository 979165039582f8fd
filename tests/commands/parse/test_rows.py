"""Answers as they are written."""

from __future__ import annotations

import csv
import io
import json
from typing import Any, Dict, List

import pytest

from rasa_tokprune.commands.parse.rows import row_of, safe_cell, writer_of
from rasa_tokprune.texts.messages import Message
from tests.commands.asked import parse_of

ENTITY = {"entity": "city", "start": 0, "end": 6, "value": "=Paris", "extractor": "x"}
PARSE = parse_of("hi", "faq", 0.75, below=[("bye", 0.2)], entities=[ENTITY], answer="faq/when")


def test_what_is_kept_of_a_parse() -> None:
    row = row_of(PARSE, 0)
    expected: Dict[str, Any] = {"intent": "faq", "confidence": 0.75, "answer": "faq/when"}
    assert row == {**expected, "entities": [ENTITY]}
    ranking = [{"name": "faq", "confidence": 0.75}, {"name": "bye", "confidence": 0.2}]
    assert row_of(PARSE, 2)["ranking"] == ranking
    assert row_of(PARSE, 1)["ranking"] == ranking[:1]


def test_no_intent() -> None:
    row = row_of({"intent": {"name": None, "confidence": 0.0}, "entities": []}, 3)
    assert row == {"intent": None, "confidence": 0.0, "answer": None, "entities": [], "ranking": []}


def test_json_lines() -> None:
    head, line_of = writer_of("jsonl", 0)
    assert head == ""
    line = line_of(Message("caf\xe9 \n", "x"), row_of(PARSE, 0))
    assert line.endswith("}\n")
    assert "\xe9" in line
    assert list(json.loads(line)) == ["id", "text", "intent", "confidence", "answer", "entities"]
    assert json.loads(line)["text"] == "caf\xe9 \n"
    assert "id" not in json.loads(line_of(Message("hi"), row_of(PARSE, 0)))
    assert writer_of("jsonl", 0, repr)[1](Message("hi"), {}) == "{'text': 'hi'}\n"


def test_rasas_form_is_rasas_with_the_name_in_front() -> None:
    line = writer_of("rasa", 0)[1](Message("  hi ", 4), dict(PARSE))
    assert json.loads(line) == {"id": 4, **PARSE}


@pytest.mark.parametrize("first", list("=+-@\t\r\n'\uff1d\uff0b\uff0d\uff20"))
def test_no_cell_is_computed(first: str) -> None:
    assert safe_cell(f"{first}cmd|' /C calc'!A0") == f"'{first}cmd|' /C calc'!A0"


@pytest.mark.parametrize("text", ["hello", "", " =1", "1-2", '"', "[]"])
def test_other_cells_are_as_they_are(text: str) -> None:
    assert safe_cell(text) == text


def test_csv_can_be_read_back() -> None:
    texts = ["=1+1", "'quoted'", 'a "b", c', "two\nlines", "", "hello"]
    head, line_of = writer_of("csv", 1)
    content = head + "".join(line_of(Message(text, number), row_of(PARSE, 1))
                             for number, text in enumerate(texts))  # fmt: skip
    rows: List[Dict[str, str]] = list(csv.DictReader(io.StringIO(content, newline="")))
    assert [row["text"].removeprefix("'") for row in rows] == texts
    assert [row["id"] for row in rows] == [str(number) for number in range(len(texts))]
    assert json.loads(rows[0]["entities"]) == [ENTITY]
    assert json.loads(rows[0]["ranking"]) == [{"name": "faq", "confidence": 0.75}]
    assert float(rows[0]["confidence"]) == 0.75
