"""`rasa-tokprune evaluate` end to end on tiny checkpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

import numpy as np
import pytest

from rasa_tokprune import load_encoder
from rasa_tokprune.cli import main
from rasa_tokprune.commands.evaluate.files import PLOTS, RASA_FILES
from rasa_tokprune.encoder import Encoder
from rasa_tokprune.encoder.adapters.adapter import Adapter
from rasa_tokprune.fewshot import CONTENT_FREE_TEXTS
from tests.bots_on_disk import HELLO, OOS, REFUND, SHIPPING, TRAIN, write_nlu


def rows_of(tmp_path: Path) -> List[Dict[str, Any]]:
    lines = (tmp_path / "out" / "evaluation.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.needs("rasa")
def test_one_bot(
    options: List[str],
    bot: List[str],
    oos_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*options, *bot, "--oos", str(oos_file), "--markdown"]) == 0
    (row,) = rows_of(tmp_path)
    assert (row["task"], row["shots"], row["plan"]) == ("bot", "all", "off")  # 4 layers: no plan
    assert (row["n_train"], row["n_way"], row["n_test"], row["n_oos"]) == (9, 3, 4, 2)
    assert row["accuracy"] == 0.75
    assert row["macro_f1"] == pytest.approx((1.0 + 2 / 3) / 2)  # shipping; hello: 1 of 2 found
    assert sum(entry["count"] for entry in row["calibration"]) == 4
    assert [entry["threshold"] for entry in row["curve"]][::50] == [0.0, 0.5, 1.0]
    assert row["environment"]["versions"]["rasa"]
    out = tmp_path / "out"
    for name in (*RASA_FILES, *PLOTS):  # one run: no folders
        assert (out / name).stat().st_size > 0, name
    printed = capsys.readouterr()
    head, _, line = printed.out.splitlines()
    assert head.startswith("| task | shots | model | plan | accuracy % |")
    assert line.startswith("| bot | all |")
    assert "| 75.0 | 83.3 |" in line
    assert "Encoding" in printed.err
    assert "Evaluating" in printed.err
    report = json.loads((out / "intent_report.json").read_text())
    assert report["accuracy"] == 0.75
    assert report["hello"] == {
        "precision": 1.0, "recall": 0.5, "f1-score": pytest.approx(2 / 3), "support": 2,
        "confused_with": {"refund": 1},
    }  # fmt: skip
    (error,) = json.loads((out / "intent_errors.json").read_text())
    assert (error["text"], error["intent"]) == (REFUND[0], "hello")
    assert error["intent_prediction"]["name"] == "refund"
    assert len(json.loads((out / "intent_successes.json").read_text())) == 3
    answers = json.loads((out / "predictions.json").read_text())
    assert [answer["text"] for answer in answers if answer["is_oos"]] == OOS
    assert all(a["is_rejected"] == (a["confidence"] < 0.5) for a in answers)


def test_an_earlier_run_leaves_nothing_behind(
    quick: List[str], bot: List[str], tmp_path: Path
) -> None:
    assert main([*quick, *bot]) == 0
    assert (tmp_path / "out" / "intent_errors.json").is_file()
    (tmp_path / "out" / "oos.png").touch()
    right = write_nlu(tmp_path / "right.yml", {"shipping": SHIPPING[:2]})
    assert main([*quick, *bot[:3], str(right)]) == 0
    assert rows_of(tmp_path)[0]["accuracy"] == 1.0
    left = {path.name for path in (tmp_path / "out").iterdir()}
    expected = {"intent_report.json", "intent_successes.json", "predictions.json"}
    assert left == {*expected, "evaluation.jsonl"}


def test_shots_and_seeds(
    quick: List[str], bot: List[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shots = ["--shots", "2", "all", "--seeds", "0", "1", "2"]
    task = ["--task", "mine", *bot[1::2]]
    assert main([*quick, *task, *shots, "--markdown"]) == 0
    rows = rows_of(tmp_path)
    assert [(row["shots"], row["seed"], row["n_train"]) for row in rows] == [
        (2, 0, 6), (2, 1, 6), (2, 2, 6), ("all", 0, 9),
    ]  # fmt: skip
    model = rows[0]["model"]
    for row in rows:
        folder = f"mine/{model}-off/{row['shots']}/{row['seed']}"
        assert (tmp_path / "out" / folder / "intent_report.json").is_file()
    assert len({json.dumps(row["curve"]) for row in rows}) > 1  # seeds choose other examples
    accuracies = [row["accuracy"] for row in rows[:3]]
    few, whole = capsys.readouterr().out.splitlines()[2:]
    mean, sd = 100 * np.mean(accuracies), 100 * np.std(accuracies, ddof=1)
    assert f"| mine | 2 | {model} | off | {mean:.1f} ± {sd:.1f} |" in few
    assert "±" not in whole


@pytest.mark.needs("onnxruntime")
def test_models_and_plans(
    quick: List[str], bot: List[str], new_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    plan = tmp_path / "mild.json"
    thresholds = [0.0, 0.5, 0.0, 0.0]
    plan.write_text(json.dumps({"n_layers": 4, "thresholds": thresholds, "mode": "drop"}))
    other = new_checkpoint("mpnet")
    models = [quick[2], str(other)]
    arguments = [*bot, "--models", *models, "--prune", "off", str(plan), "--precision", "fp32"]
    assert main([*quick, *arguments]) == 0
    rows = rows_of(tmp_path)
    names = [Path(model).name for model in models]
    assert [(row["model"], row["plan"]) for row in rows] == [
        (name, plan) for name in names for plan in ("off", "mild")
    ]
    assert {row["precision"] for row in rows} == {"fp32"}
    assert len(list((tmp_path / "cache").iterdir())) == 4


def test_every_text_is_encoded_once(
    quick: List[str], bot: List[str], oos_file: Path, tmp_path: Path, encoded: List[str]
) -> None:
    arguments = [*quick, *bot, "--oos", str(oos_file), "--shots", "1", "2", "all"]
    texts = {*SHIPPING, *REFUND, *HELLO, *OOS, "shipping", "refund", "hello", *CONTENT_FREE_TEXTS}
    assert main(arguments) == 0
    assert sorted(encoded) == sorted(texts)
    first = rows_of(tmp_path)
    encoded.clear()
    assert main(arguments) == 0
    assert encoded == []
    again = rows_of(tmp_path)
    assert [row["curve"] for row in again] == [row["curve"] for row in first]
    with oos_file.open("a") as file:
        file.write("\none more")
    assert main(arguments) == 0
    assert encoded == ["one more"]


@pytest.mark.parametrize("damage", ["cut", "noise", "width", "nan"])
def test_a_damaged_cache_is_encoded_anew(
    damage: str, quick: List[str], bot: List[str], tmp_path: Path, encoded: List[str]
) -> None:
    from safetensors.numpy import load, save

    assert main([*quick, *bot]) == 0
    (path,) = (tmp_path / "cache").iterdir()
    arrays, n_texts = load(path.read_bytes()), len(encoded)
    if damage == "nan":
        arrays["vectors"][0, 0] = np.nan
    if damage == "width":
        arrays["vectors"] = arrays["vectors"][:, :5].copy()
    whole = save(arrays)
    path.write_bytes({"cut": whole[:-9], "noise": b"noise"}.get(damage, whole))
    assert main([*quick, *bot]) == 0
    assert len(encoded) == 2 * n_texts
    assert main([*quick, *bot]) == 0
    assert len(encoded) == 2 * n_texts


def test_a_stopped_run_keeps_what_it_encoded(
    quick: List[str], bot: List[str], encoded: List[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rasa_tokprune.texts.embeddings._CHUNK", 5)
    whole = Encoder.encode

    def stop(self: Encoder, texts: Sequence[str], **settings: Any) -> np.ndarray:
        if len(encoded) >= 10:
            raise KeyboardInterrupt
        return whole(self, texts, **settings)

    with monkeypatch.context() as patch:
        patch.setattr(Encoder, "encode", stop)
        assert main([*quick, *bot]) == 130
    assert len(encoded) == 10
    assert main([*quick, *bot]) == 0
    assert len(encoded) == len(set(encoded)) == 12 + len(CONTENT_FREE_TEXTS)


def test_messages_of_an_out_of_scope_intent(
    quick: List[str], bot: List[str], oos_file: Path, tmp_path: Path
) -> None:
    away = {"out_of_scope": ["sing", "sing sing", "sing sing sing"]}
    train = write_nlu(tmp_path / "train.yml", {**TRAIN, **away})
    test = write_nlu(tmp_path / "test.yml", {"hello": HELLO[:2], **away})
    arguments = [*quick, "--train", str(train), "--test", str(test), "--oos", str(oos_file)]
    assert main(arguments) == 0
    (row,) = rows_of(tmp_path)
    assert row["oos_intents"] == ["out_of_scope"]
    assert (row["n_test"], row["n_oos"], row["accuracy"]) == (2, 5, 1.0)
    answers = json.loads((tmp_path / "out" / "predictions.json").read_text())
    for answer in answers[2:5]:
        assert answer["predicted"] == "out_of_scope"
        assert answer["is_rejected"]
        assert answer["in_scope_confidence"] == 1 - answer["confidence"]
    assert row["oos_recall"] >= 0.6
    report = json.loads((tmp_path / "out" / "intent_report.json").read_text())
    assert report["out_of_scope"]["recall"] == 1.0  # for Rasa it is an intent
    assert main([*arguments, "--oos-intents"]) == 0  # none
    (row,) = rows_of(tmp_path)
    assert (row["oos_intents"], row["n_test"], row["n_oos"]) == ([], 5, 2)
    assert main([*arguments, "--oos-intents", "refund"]) == 0
    (row,) = rows_of(tmp_path)
    assert (row["oos_intents"], row["n_test"], row["n_oos"]) == (["refund"], 5, 2)


def test_text_without_content_gets_no_intent(
    quick: List[str], bot: List[str], oos_file: Path, tmp_path: Path
) -> None:
    oos_file.write_text("\u200b\u200b\nfly to the moon\n", encoding="utf-8")
    assert main([*quick, *bot, "--oos", str(oos_file)]) == 0
    empty, _ = json.loads((tmp_path / "out" / "predictions.json").read_text())[-2:]
    assert (empty["predicted"], empty["confidence"], empty["is_rejected"]) == (None, 0.0, True)


def test_folders_and_out_of_scope_yaml(quick: List[str], bot: List[str], tmp_path: Path) -> None:
    folder = Path(bot[1]).parent
    (folder / "notes.txt").write_text("not training data")
    (folder / "stories.yml").write_text("version: '3.1'\nstories: []\n")
    oos = write_nlu(tmp_path / "oos.yml", {"whatever": OOS})
    assert main([*quick, "--train", str(folder), *bot[2:], "--oos", str(oos)]) == 0
    (row,) = rows_of(tmp_path)
    assert (row["n_train"], row["n_oos"]) == (9, 2)


@pytest.mark.needs("rasa")
@pytest.mark.parametrize("n_layers", [4, 6])
def test_same_answers_as_the_component(
    n_layers: int,
    quick: List[str],
    bot: List[str],
    new_checkpoint: Callable[..., Path],
    tmp_path: Path,
) -> None:
    from rasa.engine.graph import ExecutionContext, GraphSchema
    from rasa.engine.storage.local_model_storage import LocalModelStorage
    from rasa.engine.storage.resource import Resource
    from rasa.shared.nlu.training_data.loading import load_data
    from rasa.shared.nlu.training_data.message import Message

    from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier

    model = str(new_checkpoint(num_hidden_layers=n_layers))
    assert main([*quick, *bot, "--models", model]) == 0
    assert rows_of(tmp_path)[0]["plan"] == {4: "off", 6: "gentle"}[n_layers]
    (tmp_path / "storage").mkdir()
    component = TokPruneIntentClassifier.create(
        {**TokPruneIntentClassifier.get_default_config(), "model": model},
        LocalModelStorage(tmp_path / "storage"),
        Resource("intents"),
        ExecutionContext(GraphSchema({})),
    )
    component.train(load_data(bot[1]))
    answers = json.loads((tmp_path / "out" / "predictions.json").read_text())
    messages = component.process([Message({"text": answer["text"]}) for answer in answers])
    for answer, message in zip(answers, messages):
        assert message.get("intent")["name"] == answer["predicted"]
        assert message.get("intent")["confidence"] == pytest.approx(answer["confidence"], abs=1e-4)


@pytest.mark.needs("torch", "rasa")
def test_default_plan_prunes_where_the_components_do(new_checkpoint: Callable[..., Path]) -> None:
    from rasa_tokprune.commands.evaluate.encoders import EncoderChoice
    from rasa_tokprune.components.config.encoder import EncoderSettings
    from rasa_tokprune.encoder.checkpoint.find import find_checkpoint
    from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec

    model = str(new_checkpoint(num_hidden_layers=6))
    for backend, precision in (("torch", "fp32"), ("auto", "auto")):
        settings = EncoderSettings.from_config({"model": model})
        shared = load_encoder(model, backend=backend, precision=precision).model
        folder = find_checkpoint(model)
        expected = settings.plan_for(
            folder, EncoderSpec.from_folder(folder), shared.backend, shared.precision
        )
        assert EncoderChoice(model, None, precision, backend).open().plan == expected


def test_an_adapter_is_evaluated_with_any_plan(
    quick: List[str], bot: List[str], new_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    model = str(new_checkpoint())
    identity = load_encoder(model, precision="auto").model.identity
    bias = np.linspace(-1, 1, 32).astype(np.float16)
    path = tmp_path / "own.safetensors"
    Adapter("own", identity, {"1.output_norm.bias": bias}).save(path)
    settings = [*quick, *bot, "--models", model, "--prune", "off"]
    assert main(settings) == 0
    (plain,) = rows_of(tmp_path)
    assert main([*settings, "--adapter", str(path)]) == 0
    (adapted,) = rows_of(tmp_path)
    assert (plain["plan"], plain["adapter"], plain["cost"]) == ("off", None, 1.0)
    assert (adapted["plan"], adapted["adapter"]) == ("off, adapter own", "own")


@pytest.mark.needs("rasa")
def test_names_are_drawn_and_printed_as_they_are(
    quick: List[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    intents = {"cost_$a_$b": SHIPPING, "esc\x1b[31m": REFUND}
    train = write_nlu(tmp_path / "nlu.yml", intents)
    drawn = [option for option in quick if option != "--no-plots"]
    assert main([*drawn, "--task", "$a$\x1b[0m", str(train), str(train), "--shots", "all"]) == 0
    assert "$a$\\x1b[0m" in capsys.readouterr().out
    report = json.loads((tmp_path / "out" / "intent_report.json").read_text())
    assert "cost_$a_$b" in report
    assert (tmp_path / "out" / "intent_confusion_matrix.png").stat().st_size > 0


def test_more_shots_than_there_are_examples_are_one_run(
    quick: List[str], bot: List[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loud = [option for option in quick if option != "--quiet"]
    assert main([*loud, *bot, "--shots", "999", "2"]) == 0
    assert [(row["shots"], row["seed"]) for row in rows_of(tmp_path)] == [
        (999, 0), *((2, seed) for seed in range(5)),
    ]  # fmt: skip
    captured = capsys.readouterr()
    assert "--shots 999: no intent of 'bot' has more than 3 examples; one run\n" in captured.err
    assert "±" not in captured.out.splitlines()[1]


def test_test_messages_that_are_trained_on_are_counted(
    quick: List[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = write_nlu(tmp_path / "nlu.yml", {"shipping": SHIPPING, "refund": REFUND})
    copies = {"shipping": [f" {SHIPPING[0].upper()}"], "refund": ["nothing of the kind"]}
    test = write_nlu(tmp_path / "test.yml", copies)
    loud = [option for option in quick if option != "--quiet"]
    assert main([*loud, "--train", str(train), "--test", str(test)]) == 0
    said = "1 of 2 test messages of 'bot' are also training messages: they say nothing of new ones"
    assert f"{said}\n" in capsys.readouterr().err
