"""Mistakes of config.yml, one by one: the code, what is said, what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from tests.commands.doctor.conftest import CLASSIFIER, FALLBACK, Found, dump, expect

OURS = {"name": CLASSIFIER}
FEATURIZER = {"name": "rasa_tokprune.TokPruneFeaturizer", "alias": "tok"}
SELECTOR = {"name": "rasa_tokprune.TokPruneResponseSelector"}
TOKENIZER = {"name": "WhitespaceTokenizer"}
DIET = {"name": "DIETClassifier"}
ENTITIES = {"name": "DIETClassifier", "intent_classification": False}
KEYWORDS = {"name": "KeywordIntentClassifier"}
DUCKLING = {"name": "DucklingEntityExtractor", "url": "http://localhost:8000"}
CRF = {"name": "CRFEntityExtractor", "features": [["low"], ["low", "text_dense_features"], ["low"]]}
PLAIN_CRF = {"name": "CRFEntityExtractor"}

Case = tuple[str, List[Dict[str, Any]], str, str]
CASES: List[Case] = [
    ("fallback-in-front", [FALLBACK, OURS], "no message falls back", "behind TokPrune"),
    ("fallback-missing", [OURS], "nothing makes nlu_fallback", "threshold: 0.5"),
    ("fallback-twice", [{**OURS, "emit_fallback": True}, FALLBACK], "twice", "Keep one"),
    (
        "fallback-threshold",
        [OURS, {**FALLBACK, "threshold": 0.7}],
        "is 0.7; TokPruneIntentClassifier puts its operating point at 0.5",
        "Set threshold: 0.5",
    ),
    (
        "fallback-threshold",
        [OURS, {"name": "FallbackClassifier"}],
        "is 0.3 (Rasa's default)",
        "target_in_scope_rejection",
    ),
    (
        "fallback-ambiguity",
        [OURS, {**FALLBACK, "ambiguity_threshold": 0.1}],
        "rejects right answers",
        "ambiguity_threshold: 0.0",
    ),
    ("value-invalid", [OURS, {**FALLBACK, "threshold": 50}], "is 50, not a number", "a share"),
    ("value-invalid", [{**OURS, "ranking_length": -1}], "whole number >= 0", "Correct it"),
    ("value-invalid", [{**SELECTOR, "retrieval_intent": "faq/a"}], "before the slash", "docs/"),
    ("value-invalid", [TOKENIZER, {**FEATURIZER, "prune": "auto"}], "prune: auto", "Correct"),
    ("key-unknown", [{**OURS, "lexical_wieght": 1}], "Did you mean 'lexical_weight'?", "remove it"),
    (
        "name-unknown",
        [{"name": "rasa_tokprune.TokPruneClassifier"}],
        "Did you mean 'TokPruneIntentClassifier'?",
        "rasa_tokprune.TokPruneFeaturizer",
    ),
    ("short-name", [{"name": "TokPruneIntentClassifier"}], "a short name", "under importers"),
    ("file-missing", [{**OURS, "prune": "auto", "certify_on": "no.txt"}], "'no.txt'", "Correct"),
    ("tokenizer-missing", [FEATURIZER, OURS], "no tokenizer", "WhitespaceTokenizer"),
    ("featurizer-unused", [TOKENIZER, FEATURIZER], "nothing behind", "Remove it"),
    ("diet-fed", [TOKENIZER, FEATURIZER, OURS, ENTITIES], "entities from our", "featurizers"),
    ("crf-dense", [TOKENIZER, FEATURIZER, OURS, CRF], "text_dense_features", "DIETClassifier"),
    ("crf-dense", [TOKENIZER, FEATURIZER, OURS, PLAIN_CRF], "stores those of all", "sparse"),
    ("two-classifiers", [OURS, DIET], "ours is never seen", "intent_classification: false"),
    ("two-classifiers", [OURS, {"name": "SklearnIntentClassifier"}], "sets every", "Remove one"),
    ("classifier-unused", [DIET, OURS], "that ours sets anew", "keeps its entities"),
    ("keyword-behind", [OURS, KEYWORDS], "with confidence 1", "in front"),
    ("ours-missing", [TOKENIZER, DIET], "no component of this package", CLASSIFIER),
    (
        "two-encoders",
        [TOKENIZER, {**FEATURIZER, "prune": "off"}, OURS],
        "differ in prune: every message is encoded twice",
        "the same keys",
    ),
    ("needs-server", [OURS, DUCKLING], "http://localhost:8000", "Start it"),
    ("oos-intent-unknown", [{**OURS, "oos_intents": ["refnd"]}], "Did you mean 'refund'", "name"),
    ("selector-unused", [OURS, SELECTOR], "nothing to choose from", "response-selector.md"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "pipeline", "text", "advice"), CASES)
def test_a_mistake_is_found(
    code: str,
    pipeline: List[Dict[str, Any]],
    text: str,
    advice: str,
    write_bot: Callable[..., Path],
    look: Callable[..., Found],
) -> None:
    found = look(write_bot(pipeline))
    expect(found, code, text, advice)
    assert all(each["file"] == "config.yml" for each in found[code])


def test_the_line_is_that_of_the_item(
    write_bot: Callable[..., Path], look: Callable[..., Found]
) -> None:
    folder = write_bot([OURS, {**FALLBACK, "threshold": 0.7}])
    lines = (folder / "config.yml").read_text().splitlines()
    (number,) = [n for n, line in enumerate(lines, start=1) if "FallbackClassifier" in line]
    expect(look(folder), "fallback-threshold", "0.7", line=number)


@pytest.mark.parametrize(
    "pipeline",
    [
        [OURS, FALLBACK],
        [{**OURS, "emit_fallback": True}],
        [KEYWORDS, FALLBACK | {"threshold": 0.9}],
        [TOKENIZER, FEATURIZER, DIET, {"name": "FallbackClassifier"}],
        [TOKENIZER, FEATURIZER, OURS, FALLBACK, {**CRF, "featurizers": ["other"]}],
        [TOKENIZER, FEATURIZER, OURS, FALLBACK, {**ENTITIES, "featurizers": ["other"]}],
        [TOKENIZER, {**FEATURIZER, "cache_size": 5}, OURS, FALLBACK],
        [TOKENIZER, FEATURIZER, {"name": "my.module.Classifier"}],
    ],
)
def test_what_is_right_is_not_complained_of(
    pipeline: List[Dict[str, Any]], write_bot: Callable[..., Path], look: Callable[..., Found]
) -> None:
    found = look(write_bot(pipeline))
    wrong = [
        each
        for own in found.values()
        for each in own
        if each["family"] == "config" and each["level"] != "ok" and each["code"] != "ours-missing"
    ]
    # Keywords come first, or ours are not there at all.
    assert wrong == []


def test_short_names_are_known_with_the_importer(
    write_bot: Callable[..., Path], look: Callable[..., Found]
) -> None:
    importers = [{"name": "rasa_tokprune.importer.TokPruneImporter"}]
    folder = write_bot([{"name": "TokPruneIntentClassifier"}, FALLBACK], importers=importers)
    found = look(folder)
    assert not {"short-name", "importer-not-read"} & set(found)


@pytest.mark.parametrize(
    ("keys", "code", "text", "advice"),
    [
        ({"assistant_id": None}, "assistant-id-missing", "is missing", "assistant_id: "),
        ({"assistant_id": "placeholder_default"}, "assistant-id-missing", "still", "a name"),
        ({"language": None}, "language-missing", "`rasa train` stops", "language: en"),
        ({"recipe": "graph.v1"}, "recipe-graph", "'graph.v1'", ""),
        ({"importers": [{"name": "my.Importer"}]}, "importer-not-read", "my.Importer", "--data"),
    ],
)
def test_the_other_keys(
    keys: Dict[str, Any],
    code: str,
    text: str,
    advice: str,
    write_bot: Callable[..., Path],
    look: Callable[..., Found],
) -> None:
    expect(look(write_bot(**keys)), code, text, advice)


def test_the_default_encoder_reads_english(tmp_path: Path, look: Callable[..., Found]) -> None:
    config = {"language": "de", "pipeline": [OURS, {**OURS, "model": "someone/multilingual"}]}
    dump(tmp_path / "config.yml", config)
    found = look(tmp_path)
    expect(found, "language-encoder", "language is 'de'", "multilingual")
    assert len(found["language-encoder"]) == 1
    dump(tmp_path / "config.yml", {**config, "language": "en-GB"})
    assert "language-encoder" not in look(tmp_path)


@pytest.mark.parametrize(
    ("content", "code", "text", "advice"),
    [
        ("pipeline: [", "config-unreadable", "is not YAML", "Mend the file"),
        ("- a\n", "config-invalid", "is a list, not keys", "Begin it with"),
        ("pipeline: 5\n", "config-invalid", "is 5, not a list", "each item with a `name`"),
        ("pipeline: [{a: 1}]\n", "config-invalid", "item 1 of the pipeline", "- name: "),
    ],
)
def test_a_config_that_is_none(
    content: str, code: str, text: str, advice: str, tmp_path: Path, look: Callable[..., Found]
) -> None:
    (tmp_path / "config.yml").write_text(content)
    expect(look(tmp_path), code, text, advice)


def test_a_folder_without_a_config(tmp_path: Path, look: Callable[..., Found]) -> None:
    expect(look(tmp_path), "config-missing", "the default encoder", "--config")


def test_a_fallback_that_nobody_answers(
    write_bot: Callable[..., Path], look: Callable[..., Found]
) -> None:
    folder = write_bot()
    assert "fallback-unhandled" not in look(folder)  # without rules and stories there is no policy
    rules = folder / "data" / "rules.yml"
    rules.write_text("rules:\n- rule: hi\n  steps:\n  - intent: hello\n  - action: utter_hi\n")
    expect(look(folder), "fallback-unhandled", "no rule and no story", "- intent: nlu_fallback")
    rules.write_text(rules.read_text() + "- rule: f\n  steps:\n  - intent: nlu_fallback\n")
    assert "fallback-unhandled" not in look(folder)


def test_selectors_and_their_intents(
    write_bot: Callable[..., Path], look: Callable[..., Found]
) -> None:
    faq = {"faq/cost": ["what does it cost", "the price"], "hello": ["hello", "good morning"]}
    expect(look(write_bot(nlu=faq)), "selector-missing", "selector: faq", "ResponseSelector")
    wrong = [OURS, {**SELECTOR, "retrieval_intent": "fag"}, FALLBACK]
    expect(look(write_bot(wrong, nlu=faq)), "selector-intent-unknown", "mean 'faq'?", "one of: faq")
    right = look(write_bot([OURS, SELECTOR, FALLBACK], nlu=faq))
    assert not {code for code in right if code.startswith("selector")}
