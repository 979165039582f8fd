"""Findings about examples, intents and the domain."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest

from tests.bots_on_disk import HELLO, REFUND, SHIPPING, TRAIN
from tests.commands.doctor.conftest import CLASSIFIER, Found, dump, expect, write_nlu

pytestmark = pytest.mark.usefixtures("no_rasa")


def test_what_there_is(write_bot: Callable[..., Path], look: Callable[..., Found]) -> None:
    found = look(write_bot())
    expect(found, "data", "9 examples of 3 intents in 1 file")
    expect(found, "domain", "3 intents, 0 responses")


def test_few_examples(write_bot: Callable[..., Path], look: Callable[..., Found]) -> None:
    found = look(write_bot(nlu={**TRAIN, "bye": ["goodbye", "Goodbye "]}))
    expect(found, "intent-one-example", "'bye' has one example", "Write 4 more", line=20)
    expect(found, "intent-few-examples", "'hello' has 3 different examples", "5 or more")


def test_examples_without_words(write_bot: Callable[..., Path], look: Callable[..., Found]) -> None:
    found = look(write_bot(nlu={**TRAIN, "city": ["", "[parcel](item)", "to [parcel](item)"]}))
    expect(found, "example-empty", "an example of 'city' is empty", "Delete it")
    expect(found, "example-only-entity", "1 of 3 examples of 'city'", "other words")


def test_repeated_examples(write_bot: Callable[..., Path], look: Callable[..., Found]) -> None:
    folder = write_bot(nlu={"shipping": SHIPPING, "refund": [*REFUND, SHIPPING[0].upper()]})
    write_nlu(folder / "data" / "other.yml", {"shipping": [SHIPPING[1]], "hello": HELLO})
    found = look(folder)
    expect(found, "example-in-two-intents", "data/nlu.yml:5, of 'shipping'", "Keep it in one", 13)
    expect(found, "example-repeated", "stands in data/nlu.yml:6 already", "Delete one", 5)
    assert [each["file"] for each in found["example-repeated"]] == ["data/other.yml"]


def test_the_same_question_under_two_keys(
    write_bot: Callable[..., Path], look: Callable[..., Found]
) -> None:
    found = look(write_bot(nlu={"faq/a": SHIPPING, "faq/b": [SHIPPING[0], *REFUND]}))
    expect(found, "example-in-two-intents", "'faq/b' and", "one intent of the two")


@pytest.mark.parametrize(
    ("first", "second", "is_alike"),
    [
        ("check_balance", "checkBalance", True),
        ("opening_hour", "opening_hours", True),
        ("ask_name", "name-ask", True),
        ("affirm", "confirm", False),
        ("inform_1", "inform_2", False),
        ("faq", "ask_faq", False),
    ],
)
def test_names_that_say_the_same(
    first: str,
    second: str,
    is_alike: bool,
    write_bot: Callable[..., Path],
    look: Callable[..., Found],
) -> None:
    found = look(write_bot(nlu={first: SHIPPING, second: HELLO}))
    assert ("intent-names-alike" in found) is is_alike
    if is_alike:
        expect(found, "intent-names-alike", f"'{first}' and '{second}'", "merge them")


def test_domain_and_data_are_compared(
    write_bot: Callable[..., Path], look: Callable[..., Found]
) -> None:
    domain: Any = {
        "intents": ["hello", {"refunds": {"use_entities": []}}, "nlu_fallback", "EXTERNAL_tick"],
        "responses": {"utter_faq/b": [{"text": "b"}]},
    }
    nlu = {"hello": HELLO, "refund": REFUND, "faq/a": SHIPPING}
    found = look(write_bot(nlu=nlu, domain=domain))
    expect(found, "intent-not-in-domain", "'refund' has examples", "domain's intents")
    expect(found, "intent-without-examples", "Did you mean 'refund'?", "only buttons", line=3)
    assert len(found["intent-without-examples"]) == 1
    expect(found, "retrieval-without-response", "'faq/a' has examples", "utter_faq/a", line=15)
    expect(found, "response-without-examples", "'faq/b' has no example", "intent: faq/b")


def test_a_domain_in_parts_and_responses_in_the_training_data(
    write_bot: Callable[..., Path], look: Callable[..., Found]
) -> None:
    folder = write_bot(nlu={"faq/a": SHIPPING, "hello": HELLO})
    (folder / "domain.yml").unlink()
    expect(look(folder), "domain-missing", "no domain.yml", "--domain")
    dump(folder / "domain" / "one.yml", {"intents": ["faq"]})
    dump(folder / "domain" / "two.yml", {"intents": ["hello"]})
    dump(folder / "data" / "faq.yml", {"responses": {"utter_faq/a": [{"text": "a"}]}})
    found = look(folder)
    expect(found, "domain", "2 intents, 1 responses")
    assert not {"intent-not-in-domain", "retrieval-without-response"} & set(found)
    dump(folder / "domain" / "three.yml", {"intents": 5})
    expect(look(folder), "domain-unreadable", "must be a list", "Mend the file")


def test_files_that_cannot_be_read(
    write_bot: Callable[..., Path], look: Callable[..., Found]
) -> None:
    folder = write_bot()
    (folder / "data" / "bad.yml").write_text("nlu:\n- intent: a/b/c\n  examples: |\n    - x\n")
    (folder / "data" / "old.json").write_text('{"rasa_nlu_data": {}}')
    skipped = "nlu:\n- intent: hello\n  examples: |\n    - x\n    y\n\n    - z\n"
    (folder / "data" / "skip.yml").write_text(skipped)
    found = look(folder)
    expect(found, "data-unreadable", "'data/bad.yml', line 2: intent 'a/b/c'", "Rasa refuses it")
    expect(found, "data-json", "training data in JSON", "rasa data convert")
    expect(found, "data-skipped", "line 5: no '-' in front of 'y'", "leaves it out too")
    assert len(found["data-skipped"]) == 1  # a blank line is nothing
    expect(found, "data", "11 examples")


def test_no_data(tmp_path: Path, look: Callable[..., Found]) -> None:
    dump(tmp_path / "config.yml", {"pipeline": []})
    expect(look(tmp_path), "data-missing", "no training data", "--data")


def test_data_beside_the_config(tmp_path: Path, look: Callable[..., Found]) -> None:
    write_nlu(tmp_path / "nlu.yml", TRAIN)
    expect(look(tmp_path), "data", "9 examples of 3 intents")


def test_what_the_encoder_cannot_read(
    write_bot: Callable[..., Path], look: Callable[..., Found]
) -> None:
    nlu = {**TRAIN, "odd": ["\u200b\u200b", "привет мир", " ".join(SHIPPING * 60)]}
    found = look(write_bot(nlu=nlu))
    expect(found, "example-unreadable", "only invisible characters", "type it again")
    expect(found, "example-unreadable", "cannot read 'привет мир' (odd)", "multilingual")
    expect(found, "example-cut", "is longer than 64 tokens", "raise max_length")


def test_words_in_many_pieces(
    write_bot: Callable[..., Path],
    look: Callable[..., Found],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rasa_tokprune.commands.doctor.checks.labels.MANY_PIECES", 0.5)
    expect(look(write_bot()), "encoder-language", "pieces on average", "multilingual")


def test_labels_that_look_wrong(
    write_bot: Callable[..., Path],
    look: Callable[..., Found],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report = {
        "accuracy": 0.5,
        "n_held_out": 9,
        "contradictions": [],
        "suspicious_labels": [
            {"text": SHIPPING[1], "intent": "shipping", "predicted": "hello", "difference": 7.0},
            {"text": REFUND[0], "intent": "refund", "predicted": "hello", "difference": 4.0},
        ],
        "near_duplicates": [
            {"text": SHIPPING[0], "intent": "shipping",
             "other_text": HELLO[2], "other_intent": "hello"},
        ],
    }  # fmt: skip
    monkeypatch.setattr(
        "rasa_tokprune.commands.doctor.checks.labels.training_report", lambda *_: report
    )
    found = look(write_bot(), fast=False)
    expect(found, "held-out", "50.0% of 9 examples are right when held out")
    expect(found, "label-suspicious", "is labelled 'shipping' but looks like 'hello'", "Read it", 6)
    expect(found, "label-doubtful", "is labelled 'refund'", "Read it", 10)
    expect(found, "examples-nearly-alike", "mean nearly the same", "one intent", 17)
    report["contradictions"] = [{"text": SHIPPING[1], "other_text": SHIPPING[1]}]
    assert "label-suspicious" not in look(write_bot(), fast=False)
    assert "held-out" not in look(write_bot())  # --fast


@pytest.mark.slow
def test_real_labels_and_names(tmp_path: Path, look: Callable[..., Found]) -> None:
    """A wrong label and two exchanged names among messages of the real encoder."""
    cancel = ["cancel my order", "I want to cancel", "please stop the order", "do not send it",
              "I no longer want what I ordered", "call the order off"]  # fmt: skip
    hours = ["when do you open", "what are your opening hours", "are you open on sunday",
             "until when are you open", "when does the shop close"]  # fmt: skip
    weather = ["will it rain", "how warm is it today", "do I need an umbrella",
               "what is the weather like", "is it sunny outside"]  # fmt: skip
    nlu = {"cancel_order": [*cancel, "will it snow tonight or rain"], "ask_weather": hours,
           "opening_hours": weather}  # fmt: skip
    dump(tmp_path / "config.yml", {"pipeline": [{"name": CLASSIFIER}]})
    write_nlu(tmp_path / "data" / "nlu.yml", nlu)
    found = look(tmp_path, fast=False)
    suspects = found.get("label-suspicious", []) + found.get("label-doubtful", [])
    assert any("will it snow" in each["text"] for each in suspects)
    expect(found, "intent-names-swapped", "'ask_weather' fit the name 'opening_hours'", "Exchange")
