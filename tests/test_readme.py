"""The README's snippets run and its tables are what the raw data say."""

from __future__ import annotations

import re

import pytest
from rasa.shared.utils.io import read_yaml

from benchmarks.accuracy import tables as decision_table
from benchmarks.decisions import heads
from benchmarks.rasa import cross_validation
from benchmarks.rasa import runs_table as rasa_table
from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from tests.real_data import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
DATA = ROOT / "docs" / "data"


def snippets(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.mark.slow
def test_python_snippet_says_what_its_comment_promises(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (snippet,) = snippets("python")
    exec(compile(snippet, "README.md", "exec"), {})
    assert capsys.readouterr().out.strip() == snippet.rsplit("# ", 1)[1].strip()


def test_pipelines_in_the_documents_name_components_that_exist() -> None:
    text = README + (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    pipelines = [read_yaml(snippet)["pipeline"] for snippet in snippets("yaml", text)]
    assert pipelines
    for component in [component for pipeline in pipelines for component in pipeline]:
        if component["name"].endswith("TokPruneIntentClassifier"):
            keys = {key: value for key, value in component.items() if key != "name"}
            TokPruneIntentClassifier.fingerprint_addon(keys)


def test_commands_in_the_readme_exist() -> None:
    commands = re.findall(r"^bash (\S+)", README, flags=re.MULTILINE)
    assert commands == ["example_bot/talk", ".ci/test"]
    for command in commands:
        assert (ROOT / command).is_file()
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith('/test"')


@pytest.mark.parametrize(
    ("document", "data", "module"),
    [
        ("README.md", "rasa_runs.jsonl", rasa_table),
        ("README.md", "financial_demo.jsonl", cross_validation),
        ("docs/design.md", "heads.jsonl", heads),
    ],
)
def test_tables_are_generated_from_the_raw_data(document: str, data: str, module: object) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    table = module.render(rasa_table.read_rows(DATA / data))  # type: ignore[attr-defined]
    assert rasa_table.replace_table(text, table, module.MARKER) == text  # type: ignore[attr-defined]


def test_decision_tables_are_generated_from_the_raw_data() -> None:
    rows = [rasa_table.read_rows(DATA / f"{name}.jsonl") for name in ("evaluation", "pipelines")]
    lines = decision_table.measured_lines(*rows)
    document = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
    for text, table, marker in (
        (document, decision_table.render_accuracy(lines), decision_table.ACCURACY_MARKER),
        (document, decision_table.render_trust(lines), decision_table.TRUST_MARKER),
        (README, decision_table.render_claim(lines), decision_table.CLAIM_MARKER),
    ):
        assert rasa_table.replace_table(text, table, marker) == text


def test_claim_is_generated_from_the_raw_data() -> None:
    claim = rasa_table.render_claim(rasa_table.read_rows(DATA / "rasa_runs.jsonl"))
    assert "against" in claim
    assert rasa_table.replace_table(README, claim, rasa_table.CLAIM_MARKER) == README


def test_nothing_tells_of_the_machine_it_was_made_on() -> None:
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.*"), *ROOT.glob("rasa_tokprune/**/*.py")]
    for path in files:
        if path.suffix != ".png":
            assert not re.search(r"/(tmp|work|root|home)/", path.read_text(encoding="utf-8")), path
