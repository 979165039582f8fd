"""Every table in the documents is what the rows say, and the command that writes them."""

from __future__ import annotations

import re
from typing import List, Tuple

import pytest

from benchmarks import tables
from benchmarks.conftest import Refusal, Repository, Rows
from benchmarks.tables import QUESTIONS, Table, markdown_table, replace_table
from rasa_tokprune.errors import ConfigError
from tests.real_data import ROOT

ALL = [(question, table) for question in QUESTIONS for table in tables.tables_of(question)]
LOG = {"plan": "off", "messages": 2000, "answer_s": 2.0, "fit_s": 0.6}


@pytest.mark.parametrize(
    ("question", "table"), ALL, ids=[f"{table.document}:{table.marker}" for _, table in ALL]
)
def test_documents_say_what_the_rows_say(question: str, table: Table) -> None:
    text = (ROOT / table.document).read_text(encoding="utf-8")
    assert replace_table(text, table, tables.render(question, table)) == text


def test_every_place_for_a_table_belongs_to_one() -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    places: List[Tuple[str, str]] = [
        (str(path.relative_to(ROOT)), marker)
        for path in documents
        for marker in re.findall(r"<!-- table:(\w+) -->", path.read_text(encoding="utf-8"))
    ]
    filled = [(table.document, table.marker) for _, table in ALL]
    assert len(set(filled)) == len(filled)
    assert set(places) == {pair for pair in filled if (ROOT / pair[0]) in documents}
    assert len(set(places)) == len(places)


def test_every_file_of_rows_has_a_table_or_plot() -> None:
    for question in QUESTIONS:
        used = {name for made in (*tables.tables_of(question), *tables.plots_of(question))
                for name in made.rows if "/" not in name}  # fmt: skip
        folder = ROOT / "benchmarks" / question
        assert {path.name for path in folder.glob("*.jsonl")} == used


def test_what_is_checked_and_written(
    repository: Repository, capsys: pytest.CaptureFixture[str], growth_rows: Rows
) -> None:
    repository.write_rows("scale", "log.jsonl", [LOG])
    repository.write_rows("scale", "growth.jsonl", growth_rows)
    document = repository.write_document("docs/scale.md", "scale")
    repository.write_document("docs/benchmarks.md", "bench_scaling")

    assert tables.main(["scale", "--check"]) == 1
    first, second = sorted(capsys.readouterr().out.splitlines())
    assert first.startswith("docs/benchmarks.md: table 'bench_scaling' is not what growth.jsonl in")
    assert second.startswith("docs/scale.md: table 'scale' is not what log.jsonl in")
    assert "| `off` |" not in document.read_text()

    assert tables.main(["scale"]) == 0
    assert "| `off` | 1000 | 0.6 | 16.7 | 1.1 | 0.3 |" in document.read_text()
    written = capsys.readouterr().out
    assert "written: docs/scale.md, table 'scale'" in written
    assert "written: docs/bench_scaling.png" in written
    picture = repository.root / "docs" / "bench_scaling.png"
    assert picture.read_bytes().startswith(b"\x89PNG")

    assert tables.main(["scale", "--check"]) == 0
    repository.write_rows("scale", "log.jsonl", [{**LOG, "messages": 4000}])
    assert tables.main(["scale", "--check"]) == 1
    assert "docs/scale.md" in capsys.readouterr().out


def test_nothing_is_written_if_a_table_cannot_be_made(
    repository: Repository, refusal: Refusal, growth_rows: Rows
) -> None:
    repository.write_rows("scale", "log.jsonl", [LOG])
    repository.write_rows("scale", "growth.jsonl", growth_rows)
    document = repository.write_document("docs/benchmarks.md", "bench_scaling")
    repository.write_document("docs/scale.md", "another")
    before = document.read_text()
    for options in ([], ["--check"]):
        line = refusal(tables.main, ["scale", *options])
        assert "'docs/scale.md' needs the lines <!-- table:scale -->" in line
    assert document.read_text() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["latncy"], "Did you mean 'latency'"), (["rasa"], "no rows to read in")],
)
def test_one_line_errors(
    repository: Repository, refusal: Refusal, arguments: List[str], message: str
) -> None:
    repository.write_document("docs/whole-rasa.md", "claim")
    assert message in refusal(tables.main, arguments)


def test_a_file_without_rows(repository: Repository, refusal: Refusal) -> None:
    repository.write_rows("scale", "growth.jsonl", [])
    repository.write_document("docs/benchmarks.md", "bench_scaling")
    line = refusal(tables.main, ["scale"])
    assert "growth.jsonl' holds no row; benchmarks/scale/run measures" in line


def test_a_table_has_one_place() -> None:
    table = Table("t", "a.md", (), str)
    text = "a\n<!-- table:t -->\nold\n<!-- end table -->\nb\n"
    assert replace_table(text, table, "new") == text.replace("old", "new")
    for wrong in (text + text, text.replace("end table", "end"), "nothing"):
        with pytest.raises(ConfigError, match="'a.md' needs the lines <!-- table:t -->"):
            replace_table(wrong, table, "new")


def test_a_grid() -> None:
    lines = [["a", "1", "2"], ["b", "3"]]
    assert markdown_table(["x", "y", "z"], lines).splitlines() == [
        "| x | y | z |",
        "|---|--:|--:|",
        "| a | 1 | 2 |",
        "| b | 3 | |",
    ]
    rules = [
        markdown_table(["x", "y", "z"], lines, n_left=n_left, is_spaced=is_spaced).splitlines()[1]
        for n_left, is_spaced in ((2, False), (1, True))
    ]
    assert rules == ["|---|---|--:|", "| --- | --: | --: |"]
