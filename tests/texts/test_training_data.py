"""Training data is read without Rasa; test_equals_rasas_reader.py compares with Rasa's reader."""

from __future__ import annotations

from pathlib import Path

import pytest

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.tasks import read_examples
from rasa_tokprune.texts.training_data.nlu import read_nlu_lines, read_nlu_yaml

WRONG = {
    "no YAML": ("nlu:\n- intent: a\n  examples: [\n", 4, "is not YAML"),
    "a key twice": ("nlu:\n- intent: a\n  intent: b\n", 3, 'found duplicate key "intent"'),
    "a list": ("# nlu:\nnlu:\n  intent: a\n  examples: |\n    - b\n", 2, "must be a list"),
    "a text": ("nlu:\n- hello\n", 2, "expected a mapping such as `intent: greet`"),
    "no kind": ("nlu:\n- intents: a\n  examples: |\n    - b\n", 2, "expected one of the keys"),
    "another key": ("nlu:\n- intent: a\n  exmaples: |\n    - b\n", 3, "'exmaples' is no key"),
    "a number": ("nlu:\n\n- intent: 5\n  examples: |\n    - b\n", 3, "put it in quotes"),
    "examples as texts": ("nlu:\n- intent: a\n  examples:\n  - b\n", 4, "expected `text: ...`"),
    "examples as a number": ("nlu:\n- intent: a\n  examples: 3\n", 3, "'examples' must be lines"),
    "a number as text": ("nlu:\n- intent: a\n  examples:\n  - text: 3\n", 4, "put it in quotes"),
    "no entity": (
        'nlu:\n- intent: a\n  examples: |\n    - b\n    - [c]{"role": "d"}\n', 5, "lacks the key",
    ),
    "no JSON": ("nlu:\n- intent: a\n  examples: |\n    - b\n    - [c]{d}\n", 5, "is not JSON"),
    "entity in a list": (
        'nlu:\n- intent: a\n  examples:\n  - text: b\n  - text: "[c]{d}"\n', 5, "is not JSON",
    ),
    "two slashes": ("nlu:\n- intent: a/b/c\n  examples: |\n    - d\n", 2, "more than one '/'"),
    "a number as version": ("version: 3.1\nnlu:\n- intent: a\n", 1, "'version' must be text"),
    "the end of a line": ("nlu:\n- intent: a\n  examples: |\n    - b\u2028c\n", 4, "not YAML"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_one_line_with_its_number(name: str, tmp_path: Path) -> None:
    content, line, message = WRONG[name]
    path = tmp_path / "nlu.yml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        read_examples(path)
    found = str(error.value)
    assert found.startswith(f"'{path}', line {line}"), found
    assert message in found
    assert "\n" not in found


def test_files_of_a_folder_are_one_bot(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    first = "nlu:\n- intent: greet\n  examples: |\n    - hi [you](who)\n    - hello\n"
    (tmp_path / "below" / "a.yaml").write_text(first)
    second = "nlu:\n- intent: faq/when\n  examples: |\n    - when\n- intent: greet\n"
    (tmp_path / "b.yml").write_text(f"{second}  examples: |\n    - hello\n    - hey\n")
    (tmp_path / "stories.yml").write_text("stories: []\n")
    (tmp_path / "notes.txt").write_text("nlu: not YAML")
    texts, intents, keys = read_examples(tmp_path)
    assert texts == ["when", "hello", "hey", "hi you"]
    assert intents == ["faq", "greet", "greet", "greet"]
    assert keys == ["faq/when", "greet", "greet", "greet"]


def test_a_line_without_a_dash_is_left_out_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "nlu.yml"
    path.write_text("nlu:\n- intent: a\n  examples: |\n    - one\n    two\n")
    with pytest.warns(UserWarning, match=r"nlu.yml', line 5: no '-' in front of 'two'"):
        assert read_examples(path)[0] == ["one"]


def test_the_old_format_in_json_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "nlu.json").write_text('{"rasa_nlu_data": {"common_examples": []}}')
    with pytest.raises(ConfigError, match="nlu.json' is training data in JSON, which is not read"):
        read_examples(tmp_path)


def test_a_file_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "stories.yml"
    path.write_text("stories: []\n")
    with pytest.raises(ConfigError, match="is not Rasa training data: it has no key 'nlu'"):
        read_examples(path)
    with pytest.raises(ConfigError, match="No such file"):
        read_examples(tmp_path / "missing.yml")


def test_lines_of_examples_however_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "nlu.yml"
    path.write_text(
        "nlu:\n- intent: hello\n  examples: |\n    - hi\n    - good [day](time)\n"
        "- intent: bye\n  examples:\n  - text: bye\n  - metadata: {a: 1}\n    text: see you\n"
    )
    found = [(example.text, line) for example, line in read_nlu_lines(path)]
    assert found == [("hi", 4), ("good day", 5), ("bye", 8), ("see you", 9)]
    assert [example for example, _ in read_nlu_lines(path)] == read_nlu_yaml(path)


def test_what_yaml_says_of_a_long_value_stays_short(tmp_path: Path) -> None:
    path = tmp_path / "nlu.yml"
    path.write_text(f"nlu:\n- intent: a\n  examples: {'x' * 20000}\n  examples: b\n")
    with pytest.raises(
        ConfigError, match=r"found duplicate key \"examples\" with value .* \.\.\.$"
    ):
        read_examples(path)
    with pytest.raises(ConfigError) as error:
        read_examples(path)
    assert len(str(error.value)) < 500
