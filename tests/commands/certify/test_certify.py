"""`rasa-tokprune certify`: how often a plan changes answers, counted wherever it runs."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from rasa_tokprune.cli import main
from rasa_tokprune.commands.certify import answers as answers_module
from rasa_tokprune.commands.certify import command as command_module
from rasa_tokprune.encoder import PruningPlan, load_encoder
from rasa_tokprune.fewshot import CONTENT_FREE_TEXTS, Messages, PrototypeClassifier, embed_names
from rasa_tokprune.texts.tasks import read_examples
from tests import bots_on_disk
from tests.checkpoints import CORPUS, N_LAYERS

BOT = bots_on_disk.BOT / "nlu.yml"


@pytest.fixture
def arguments(tiny_bert: Path, tmp_path: Path) -> List[str]:
    """Returns a call that certifies a plan that prunes nothing short and one that prunes much."""
    harmless = PruningPlan(N_LAYERS, (0.0, 0.5, 0.0, 0.0), min_tokens=500, name="harmless")
    harmless.save(tmp_path / "harmless.json")
    brutal = PruningPlan(N_LAYERS, (0.9, 0.9, 0.9, 0.0), mode="drop", name="brutal")
    brutal.save(tmp_path / "brutal.json")
    lines = [f"{first} and {second}" for first in CORPUS for second in CORPUS]
    (tmp_path / "log.txt").write_text("\n".join([*lines, *lines, *lines]), encoding="utf-8")
    return [
        "certify", "--train", str(BOT), "--log", str(tmp_path / "log.txt"),
        "--prune", str(tmp_path / "harmless.json"), str(tmp_path / "brutal.json"),
        "--model", str(tiny_bert), "--results", str(tmp_path / "answers"),
        "--out", str(tmp_path / "certificate.json"), "--quiet",
    ]  # fmt: skip


def certificate(tmp_path: Path) -> Any:
    return json.loads((tmp_path / "certificate.json").read_text())


def test_the_harmless_plan_is_certified_and_the_brutal_one_is_not(
    arguments: List[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    name = str(tmp_path / "harmless.json")
    harmless, brutal = (re.split(r" {2,}", line) for line in lines[1:3])
    assert harmless[:2] == [name, "0 of 192"]
    assert harmless[4:6] == ["within", "0"]
    assert brutal[4] == "over"
    texts, labels, _ = read_examples(BOT)
    n_own = len(texts) - sum(labels.count(label) == 1 for label in labels)
    assert harmless[6] == f"0 of {n_own}"
    assert "out of fold: actions on the training messages" in lines[3]
    assert lines[4] == f"Certified: '{name}'."
    found = certificate(tmp_path)
    assert found["certified"] == name
    harmless, brutal = found["certificates"]
    assert harmless["n_messages"] == brutal["n_messages"] == 192
    assert brutal["n_flips"] > 20
    assert [own["n_messages"] for own in found["training_messages"]] == [n_own, n_own]


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ([], {}),
        (["--target-in-scope-rejection", "0.5"], {"target_in_scope_rejection": 0.5}),
        (["--oos-intents", "bye"], {"oos_labels": ["bye"]}),
    ],
    ids=lambda value: " ".join(value),
)
def test_flips_on_the_log_are_those_of_two_classifiers(
    options: List[str],
    settings: Dict[str, Any],
    arguments: List[str],
    tmp_path: Path,
    tiny_bert: Path,
) -> None:
    arguments = [*arguments, *options]
    texts, labels, keys = read_examples(BOT)
    log = [line for line in (tmp_path / "log.txt").read_text().splitlines() if line]
    intents, actions = [], []
    for prune in ("off", tmp_path / "brutal.json"):
        encoder = load_encoder(str(tiny_bert), prune=prune, precision="auto")
        own = Messages.encoded(texts, encoder)
        classifier = PrototypeClassifier.fit(
            own.embeddings,
            labels,
            keys,
            names=embed_names(keys, encoder.encode),
            texts=own.texts,
            readable=own.readable,
            content_free=encoder.encode(CONTENT_FREE_TEXTS),
            **settings,
        )
        messages = Messages.encoded(log, encoder)
        intents.append(classifier.predict(messages))
        tops = classifier.predict_proba(messages).max(axis=1)
        actions.append([name if top >= 0.5 else "fallback" for name, top in zip(intents[-1], tops)])
    on_log, n_other = (sum(a != b for a, b in zip(*both)) for both in (actions, intents))
    assert on_log > 0
    main(arguments)
    found = certificate(tmp_path)
    assert found["certificates"][1]["n_flips"] == on_log
    assert found["certificates"][1]["n_other_intents"] == n_other
    main([*arguments[:3], *arguments[5:]])
    alone = certificate(tmp_path)["certificates"][1]
    assert alone["n_flips"] == found["training_messages"][1]["n_flips"]
    assert alone["n_messages"] == found["training_messages"][1]["n_messages"]


def test_every_answer_to_the_log_can_be_had(arguments: List[str], tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    assert main([*arguments, "--answers", str(path)]) == 0
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 192
    brutal = certificate(tmp_path)["certificates"][1]
    for kind, counted in (("actions", "n_flips"), ("intents", "n_other_intents")):
        changed = [row for row in rows if row[kind]["off"] != row[kind][brutal["plan"]]]
        assert len(changed) == brutal[counted]
    assert main([*arguments[:3], *arguments[5:], "--answers", str(path)]) == 2  # without a log


def test_processes_give_what_one_process_gives(arguments: List[str], tmp_path: Path) -> None:
    main([*arguments, "--results", str(tmp_path / "one")])
    inline = certificate(tmp_path)
    main([*arguments, "--results", str(tmp_path / "two"), "--scheduler", "processes:2"])
    assert certificate(tmp_path) == inline


def test_what_was_answered_is_not_answered_again(
    arguments: List[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main(arguments)
    first = certificate(tmp_path)

    def refuse(*_: Any) -> None:
        raise AssertionError("encoded again")

    monkeypatch.setattr(answers_module, "_train", refuse)
    main(arguments)
    assert certificate(tmp_path) == first


def test_too_few_messages_are_said_to_be_too_few(
    arguments: List[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments[:3], *arguments[5:]]) == 1
    assert "it takes 149 without a single change" in capsys.readouterr().out


def test_a_plan_that_changes_too_much_is_refused(
    arguments: List[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = arguments.index("--prune")
    only = [*arguments[: place + 1], str(tmp_path / "brutal.json"), *arguments[place + 3 :]]
    assert main(only) == 1
    assert "Not certified: keep prune: off" in capsys.readouterr().out


def test_training_messages_do_not_rescue_a_log_that_flips(
    arguments: List[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(bot: Any, texts: Any) -> Any:
        if texts is None:
            return {"outcomes": [["same", True]] * 5000}
        is_pruned = bot["prune"] != "off"
        return {
            "outcomes": [
                ["other" if is_pruned and n % 20 == 0 else "same", True] for n in range(len(texts))
            ]
        }

    monkeypatch.setattr(command_module, "answer", answer)
    assert main(arguments) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[-1].strip() for line in lines[1:3]] == ["0 of 5000"] * 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--prune", "gentel"], "no plan 'gentel'"),
        (["--train", "missing.yml"], "'missing.yml' cannot be read"),
        (["--log", "missing.txt"], "'missing.txt' cannot be read: No such file"),
        (["--max-flip-rate", "0"], "max_flip_rate must be in (0, 1), got 0.0"),
        (["--scheduler", "dask"], "scheduler must be 'inline'"),
        (["--adapter", "balancd"], "no adapter 'balancd'"),
        (["--oos-intents", "adress"], "no example of 'adress'. Did you mean 'address'?"),
        (["--target-in-scope-rejection", "1"], "must be in [0, 1), got 1.0"),
    ],
)
def test_wrong_input_is_one_clear_line(
    arguments: List[str], changes: List[str], message: str, refusal: Callable[[List[str]], str]
) -> None:
    assert message in refusal([*arguments, *changes])


@pytest.mark.needs("torch")
def test_a_worker_with_other_files_refuses(tiny_bert: Path, tmp_path: Path) -> None:
    train = tmp_path / "nlu.yml"
    train.write_text(BOT.read_text(encoding="utf-8"), encoding="utf-8")
    settings = {"model": str(tiny_bert), "precision": "fp32", "backend": "torch"}
    settings["num_threads"] = None
    bot = answers_module.describe(train, "off", "off", settings, answers_module.Decides())
    fields = dataclasses.asdict(bot)
    assert len(answers_module.answer(fields, ["where is my parcel"])["outcomes"]) == 1
    with pytest.raises(ValueError, match="the encoder here is not the one"):
        answers_module.answer({**fields, "fingerprint": "other"}, ["hello"])
    train.write_text(train.read_text() + "\n# changed\n", encoding="utf-8")
    with pytest.raises(ValueError, match="is not the same file here"):
        answers_module.answer({**fields, "num_threads": 1}, ["hello"])
