"""The training report points at what is wrong with a bot's examples."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, Tuple

import numpy as np
import pytest

from rasa_tokprune.fewshot import (
    SupportSet,
    fit_classifier,
    has_flaws,
    summary_fields,
    summary_pairs,
    training_report,
)


@pytest.fixture
def flawed(around: Callable) -> Tuple[Dict[str, Any], List[str], List[str]]:
    """Returns the report of a bot with one of each flaw, its texts and labels."""
    embeddings, labels = around(8, 8, noise=0.9)
    texts = [f"{label} message {number}" for number, label in enumerate(labels)]
    labels[3] = "intent_005"  # a message of intent_000 filed under another
    extra = [
        (embeddings[20], "intent_002", texts[20]),  # the same again
        (embeddings[30], "intent_006", texts[30].upper()),  # the same in another intent
        (embeddings[40] + 0.01, "intent_007", "almost the same"),
    ]
    embeddings = np.concatenate((embeddings, np.stack([vector for vector, _, _ in extra])))
    labels += [label for _, label, _ in extra]
    texts += [text for _, _, text in extra]
    support = SupportSet.of(embeddings, labels)
    return training_report(fit_classifier(support), support, texts), texts, labels


def test_flaws_are_found(flawed: Tuple[Dict[str, Any], List[str], List[str]]) -> None:
    report, texts, _ = flawed
    assert [entry["text"] for entry in report["duplicates"]] == [texts[20]]
    assert {report["contradictions"][0][key] for key in ("intent", "other_intent")} == {
        "intent_003",
        "intent_006",
    }
    assert {report["near_duplicates"][0][key] for key in ("text", "other_text")} == {
        texts[40],
        "almost the same",
    }
    suspicious = {entry["text"]: entry for entry in report["suspicious_labels"]}
    assert suspicious[texts[3]]["intent"] == "intent_005"
    assert suspicious[texts[3]]["predicted"] == "intent_000"
    pairs = {(entry["intent"], entry["predicted"]) for entry in report["confused"]}
    assert ("intent_005", "intent_000") in pairs


def test_the_report_is_json_and_its_numbers_fit_together(
    flawed: Tuple[Dict[str, Any], List[str], List[str]],
) -> None:
    report, texts, labels = flawed
    json.dumps(report, allow_nan=False)
    assert report["n_examples"] == report["n_held_out"] == len(texts)
    assert report["n_intents"] == len(set(labels)) == len(report["intents"])
    f1 = [entry["f1"] for entry in report["intents"]]
    assert f1 == sorted(f1)
    assert report["macro_f1"] == pytest.approx(np.mean(f1), abs=1e-3)
    n_wrong = sum(entry["n"] for entry in report["confused"])
    assert report["accuracy"] == pytest.approx(1 - n_wrong / len(texts), abs=1e-3)
    assert 0 <= report["ece"] <= 1
    assert report["oos_auroc"] > 0.8
    assert report["oos_auroc_from"].startswith("intents left out")
    assert len(report["curve"]) == 101


def test_the_summary_is_short_and_names_examples(
    flawed: Tuple[Dict[str, Any], List[str], List[str]],
) -> None:
    report, texts, _ = flawed
    pairs = summary_pairs(report)
    assert len(pairs) <= 9
    name, value = pairs[0]
    assert name == "accuracy"
    assert value.startswith(f"{100 * report['accuracy']:.1f}% of {len(texts)} messages held out")
    told = dict(pairs)
    assert texts[3] in told["confused"]
    assert texts[3] in told["labels"]
    assert told["same message"].startswith("1 in two intents, first: ")
    assert "almost the same" in told["nearly same"]
    assert has_flaws(report)


def test_the_summary_as_fields_says_the_same(
    flawed: Tuple[Dict[str, Any], List[str], List[str]],
) -> None:
    report, _, _ = flawed
    fields = summary_fields(report)
    json.dumps(fields, allow_nan=False)
    assert fields["accuracy"] == report["accuracy"]
    assert fields["confused"] == report["confused"][:3]
    assert fields["suspicious_labels"] == report["suspicious_labels"][:1]
    assert fields["n_contradictions"] == 1


def test_a_bot_without_flaws_has_none_told(around: Callable) -> None:
    embeddings, labels = around(4, 8, noise=0.01)
    texts = [f"message {number}" for number in range(len(labels))]
    # Alike within an intent alone, so nothing is taken for anything else.
    support = SupportSet.of(embeddings, labels)
    report = training_report(fit_classifier(support), support, texts)
    assert report["accuracy"] == 1
    assert not has_flaws(report)
    assert [name for name, _ in summary_pairs(report)] == ["accuracy", "confidence"]


def test_one_example_per_intent_leaves_nothing_to_hold_out(around: Callable) -> None:
    embeddings, labels = around(4, 1)
    support = SupportSet.of(embeddings, labels)
    report = training_report(fit_classifier(support), support, labels)
    assert report["accuracy"] is None
    assert report["n_held_out"] == 0
    json.dumps(report, allow_nan=False)
    ((name, value),) = summary_pairs(report)
    assert name == "accuracy"
    assert value.startswith("unknown: too few examples per intent to hold any out")
    assert not has_flaws(report)


def test_contradictions_are_told_of_even_with_one_example_per_intent(around: Callable) -> None:
    embeddings, labels = around(4, 1)
    embeddings[1] = embeddings[0]
    texts = ["What is\nmy balance", "what is my balance ", "c", "d"]
    support = SupportSet.of(embeddings, labels)
    report = training_report(fit_classifier(support), support, texts)
    assert (report["n_contradictions"], report["n_near_duplicates"]) == (1, 0)
    (pair,) = summary_pairs(report)[1:]
    assert pair[0] == "same message"
    assert pair[1].startswith("1 in two intents, first: 'What is my balance'")
    assert "\n" not in pair[1]


def test_totals_are_told_where_lists_are_cut(around: Callable) -> None:
    embeddings, labels = around(2, 1)
    support = SupportSet.of(np.repeat(embeddings, 150, axis=0), np.repeat(labels, 150).tolist())
    texts = ["a"] * 150 + ["b"] * 150
    report = training_report(fit_classifier(support), support, texts)
    assert report["n_duplicates"] == 298
    assert len(report["duplicates"]) == 100
    assert report["n_contradictions"] == 0


def test_examples_out_of_scope_give_the_area_under_the_curve(around: Callable) -> None:
    embeddings, labels = around(8, 8)
    labels = ["oos" if label >= "intent_006" else label for label in labels]
    support = SupportSet.of(embeddings, labels)
    fitted = fit_classifier(support, oos_labels=["oos"])
    report = training_report(fitted, support, labels)
    assert report["oos_auroc_from"] == "the bot's own out-of-scope examples"
    assert report["oos_auroc"] > 0.9


@pytest.mark.parametrize("n_way", [1, 2])
def test_bots_of_one_or_two_intents_have_a_report(around: Callable, n_way: int) -> None:
    embeddings, labels = around(n_way, 6)
    support = SupportSet.of(embeddings, labels)
    report = training_report(fit_classifier(support), support, labels)
    json.dumps(report, allow_nan=False)
    assert report["accuracy"] == 1.0
