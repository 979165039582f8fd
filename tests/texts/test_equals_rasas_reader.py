"""Our reader of training data gives what Rasa's own gives, file by file and for whole folders."""

from __future__ import annotations

from pathlib import Path
from typing import List, Tuple

import pytest
from rasa.shared.data import get_data_files, is_nlu_file
from rasa.shared.exceptions import RasaException
from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.loading import load_data
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.tasks import read_examples
from rasa_tokprune.texts.training_data.nlu import is_nlu_yaml
from tests.real_data import ROOT, SHARED_DATA
from tests.texts.test_training_data import WRONG

Examples = List[Tuple[str, str, str]]
FOLDERS = [ROOT / "example_bot", ROOT / "tests", SHARED_DATA, SHARED_DATA.parent / "bots"]
FILES = sorted(
    path
    for folder in FOLDERS
    for path in folder.rglob("*.yml")
    if is_nlu_yaml(path) and "models" not in path.parts
)


def rasas(path: Path) -> Examples:
    files = get_data_files([str(path)], is_nlu_file) if path.is_dir() else [str(path)]
    merged = TrainingData().merge(*(load_data(file) for file in sorted(files)))
    return [
        (each.get(TEXT), each.get(INTENT), each.get(INTENT_RESPONSE_KEY) or each.get(INTENT))
        for each in merged.intent_examples
        if (each.get(TEXT) or "").strip()
    ]


def ours(path: Path) -> Examples:
    return list(zip(*read_examples(path)))


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-3:]))
def test_a_file_of_a_real_bot(path: Path) -> None:
    expected = rasas(path)
    if not expected:  # responses, or a domain that holds some
        with pytest.raises(ConfigError, match="holds no example with an intent"):
            read_examples(path)
        return
    assert ours(path) == expected


@pytest.mark.parametrize(
    "folder", [ROOT / "example_bot", ROOT / "example_bot" / "data", SHARED_DATA.parent / "bots"]
)
def test_a_folder_of_a_real_bot(folder: Path) -> None:
    if not folder.is_dir():
        pytest.skip("the shared bots are not on this machine")
    assert ours(folder) == rasas(folder)


# The lines of one intent's examples.
LINES = {
    "entities": [
        "- from [Berlin](city) to [San Francisco](city:SF)",
        '- to [LA]{"entity": "city", "role": "to", "value": "Los Angeles"}',
        '- fly [here][{"entity": "city"}, {"entity": "place", "group": "1"}]',
        "- [a](b)[c](d) [e] (f) [g]() [h](i:j:k) [](x) [l",
    ],
    "the same text annotated in two ways is two": [
        "- to [LA](city)", "- to [LA](place)", "- to [LA](city)", "- to LA", "- to LA",
    ],
    "blanks": ["- ", "-no blank", "-   many   ", "- tab\t", "-", "- - dash", "- 'quoted'"],
    "signs": ["- ünï cödé 👍", "- \\u00e9", "- a\\nb", "- # no comment", "- a: b"],
    "variables": ["- ${HOME}"],
    "escapes in ASCII": ["- \\u00e9 \\ud83d\\udc4d"],
}  # fmt: skip
WHOLE = {
    "list": """
nlu:
- intent: greet
  metadata: {a: 1}
  examples:
  - text: |
      - hi there
    metadata: {sentiment: neutral}
  - text: hi
  - text: hi
    metadata: x
  - text: "  hey [you](who) \\n"
""",
    "retrieval, synonyms and the like": """
version: "3.1"
nlu:
- intent: faq/shipping
  examples: |
    - when does it come
- intent: "faq/returns "
  examples: |
    - can I send it back
- intent: " spaced "
  examples: |
    - hello
- synonym: credit
  examples: |
    - credit card
- regex: zip
  examples: |
    - \\d{5}
- lookup: city
  examples: |
    - Berlin
responses:
  utter_faq/shipping:
  - text: tomorrow
""",
    "an anchor": """
nlu:
- intent: a
  examples: &same |
    - one
- intent: b
  examples: *same
""",
    "a merged mapping": """
x: &base
  intent: a
nlu:
- <<: *base
  examples: |
    - one
""",
    "folded and quoted": """
nlu:
- intent: a
  examples: >
    - one
    - two
- intent: b
  examples: "- three\\n- four"
- intent: yes
  examples: '- five'
""",
    "nothing below examples": (
        "nlu:\n- intent: a\n  examples:\n- intent: b\n  examples: |\n    - one\n"
    ),
    "no examples": "nlu:\n- intent: a\n- intent: b\n  examples: |\n    - one\n",
    "lines without a dash": "nlu:\n- intent: a\n  examples: |\n    one\n    - two\n     - three\n",
    "newer version": 'version: "4.0"\nnlu:\n- intent: a\n  examples: |\n    - one\n',
    "older version": 'version: "2.0"\nnlu:\n- intent: a\n  examples: |\n    - one\n',
    "byte order mark": "\ufeffversion: '3.1'\nnlu:\n- intent: a\n  examples: |\n    - one\n",
    "tags": "nlu:\n- intent: !!str 5\n  examples: |\n    - one\n",
    "document end": "---\nnlu:\n- intent: a\n  examples: |\n    - one\n...\n",
}
for name, lines in LINES.items():
    WHOLE[name] = "nlu:\n- intent: a\n  examples: |\n    " + "\n    ".join(lines) + "\n"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WHOLE)
def test_everything_the_format_knows(name: str, tmp_path: Path) -> None:
    path = tmp_path / "nlu.yml"
    path.write_text(WHOLE[name], encoding="utf-8")
    expected = rasas(path)
    if name == "newer version":
        assert not expected
        with pytest.raises(ConfigError, match="holds no example"):
            read_examples(path)
        return
    assert expected
    assert ours(path) == expected


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WRONG)
def test_what_is_refused_is_refused_by_rasa_too(name: str, tmp_path: Path) -> None:
    path = tmp_path / "nlu.yml"
    path.write_text(WRONG[name][0], encoding="utf-8")
    with pytest.raises((RasaException, ValueError)):
        rasas(path)
