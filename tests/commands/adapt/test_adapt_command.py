"""`rasa-tokprune adapt`: files in, an adapter with its plan out, ready for config.yml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import numpy as np
import pytest

from rasa_tokprune.cli import main
from rasa_tokprune.encoder import PruningPlan, load_encoder
from rasa_tokprune.encoder.adapters.adapter import Adapter
from tests.bots_on_disk import write_nlu
from tests.checkpoints import CORPUS
from tests.commands.adapt.conftest import SHOP

pytestmark = [pytest.mark.thorough, pytest.mark.needs("torch")]


def test_its_plan_brings_the_encoder_nearer_to_the_teacher(
    arguments: List[str],
    tiny_bert: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    history: Callable[[str], List[Dict[str, Any]]],
    provenance: Callable[[str], Dict[str, Any]],
) -> None:
    assert main([*arguments, "--steps", "60", "--check-every", "20"]) == 0
    plan_file = tmp_path / "own" / "plan.json"
    printed = capsys.readouterr().out
    assert f"prune: {plan_file}" in printed
    teacher = load_encoder(str(tiny_bert)).encode(CORPUS)
    adapted = load_encoder(str(tiny_bert), prune=plan_file)
    pruned = load_encoder(str(tiny_bert), prune=plan_file, adapter="off")
    assert adapted.plan.name == "own"
    assert adapted.plan.fingerprint() == pruned.plan.fingerprint()
    cosines = [(e.encode(CORPUS) * teacher).sum(axis=1).mean() for e in (adapted, pruned)]
    assert cosines[0] > cosines[1] + 0.01
    looks = history("own")
    steps = [(entry["stage"], entry["step"]) for entry in looks]
    assert steps == [
        ("distillation", 0), ("distillation", 20), ("distillation", 40), ("distillation", 60),
        ("contrast", 0), ("contrast", 4),
    ]  # fmt: skip
    best = min(entry["held_out"] for entry in looks[:4])
    assert f"Held-out loss {best:.4f} after" in printed
    assert f"{looks[0]['held_out']:.4f} before." in printed
    about = provenance("own")
    assert about["tasks"] == "shop (2 labels, 4 texts)"
    assert about["held_out"].startswith(f"distillation: held_out {looks[0]['held_out']:.4f} before")
    assert str(tmp_path) not in json.dumps(about)


def test_the_same_seed_gives_the_same_adapter(arguments: List[str], tmp_path: Path) -> None:
    assert main(arguments) == 0
    again = [*arguments, "--out", str(tmp_path / "again")]
    assert main(again) == 0
    other = [*arguments, "--out", str(tmp_path / "other"), "--seed", "1"]
    assert main(other) == 0
    plans = [tmp_path / name / "plan.json" for name in ("own", "again", "other")]
    model = arguments[2]
    own, again_, other_ = (load_encoder(model, prune=plan).encode(CORPUS) for plan in plans)
    np.testing.assert_array_equal(own, again_)
    assert np.abs(own - other_).max() > 1e-4


def test_other_labels_are_another_training(
    arguments: List[str], tmp_path: Path, refusal: Callable[[List[str]], str]
) -> None:
    assert main(arguments) == 0
    assert main(arguments) == 0, "the same again has nothing left to do"
    nlu = tmp_path / "nlu.yml"
    write_nlu(nlu, {"delivery": SHOP["parcel"], "cancel": SHOP["cancel"]})
    assert "with other settings or data" in refusal(arguments)
    write_nlu(nlu, SHOP)
    renamed = tmp_path / "renamed.txt"
    (tmp_path / "log.txt").rename(renamed)
    assert main([*arguments, "--texts", str(renamed)]) == 0, "a file's name decides nothing"
    assert "with other settings or data" in refusal(
        [*arguments, "--texts", str(renamed), "--mash-share", "0.2"]
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--prune", "gentel"], "no plan 'gentel'"),
        (["--texts", "missing.txt"], "missing.txt' cannot be read"),
        (
            ["--task", "no-path"],
            "--task must be NAME=FILE or a folder of *.yml, each name once; got 'no-path'",
        ),
        (["--strength", "0"], "--strength must be in (0, 1], got 0.0"),
        (["--rank", "0"], "--rank must be at least 1, got 0"),
        (["--concatenations", "-1"], "--concatenations must be at least 0, got -1"),
        (["--steps", "0", "--contrast-steps", "0"], "one of them at least 1; got 0 and 0"),
        (["--device", "tpu"], "device must be"),
        (["--mash-share", "1"], "mash_share must be in [0, 1), got 1.0"),
        (["--teacher", "x", "--teacher-share", "2"], "--teacher-share must be in [0, 1], got 2.0"),
        (["--teacher-share", "0.5"], "--teacher-share: needs --teacher"),
        (["--teacher", "none.safetensors"], "none.safetensors' cannot be read: No such file"),
        (["--scheduler", "processes:2"], "--scheduler: needs --search or --leave-one-out"),
        (["--search-steps", "0"], "--search-steps: needs --search"),
        (["--keep"], "--keep: needs --search"),
        (["--judge", "shop=missing.yml"], "missing.yml' cannot be read"),
        (["--judge", "shop"], "--judge must be NAME=FILE or a folder"),
        (["--leave", "shopp"], "--leave: no --task 'shopp'. Did you mean 'shop'?"),
        (["--start", "missing.safetensors"], "missing.safetensors' cannot be read"),
        (["--learning-rate", "1e30"], "training diverged by step 4 of distillation"),
        (
            ["--search", "--leave-one-out"],
            "--search makes no use of --prune, --steps, --contrast-steps, --device, --leave-one-o",
        ),
    ],
)
def test_wrong_input_is_one_clear_line(
    arguments: List[str], changes: List[str], message: str, refusal: Callable[[List[str]], str]
) -> None:
    assert message in refusal([*arguments, *changes])


def test_a_handful_of_texts_is_refused(
    arguments: List[str], tmp_path: Path, refusal: Callable[[List[str]], str]
) -> None:
    (tmp_path / "few.txt").write_text("one\ntwo\n", encoding="utf-8")
    line = refusal([*arguments, "--texts", str(tmp_path / "few.txt")])
    assert "6 texts are too few to learn from" in line


def test_nothing_to_learn_is_said(
    arguments: List[str], checkpoint: Callable[[str], Path], refusal: Callable[[List[str]], str]
) -> None:
    place, log = arguments.index("--task"), arguments[arguments.index("--texts") + 1]
    without = [*arguments[:place], *arguments[place + 2 :], "--prune", "off", "--steps", "1"]
    assert "has nothing to learn" in refusal(without)
    texts = ["--texts", log, str(Path(log).with_name("nlu.yml"))]
    assert main([*without, *texts, "--teacher", str(checkpoint("mpnet"))]) == 0


def test_training_that_did_not_help_is_said(
    arguments: List[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    harmful = ["--prune", "off", "--learning-rate", "50", "--contrast-steps", "0"]
    assert main([*arguments, *harmful]) == 0
    assert "Training did not help: held-out loss was never better" in capsys.readouterr().out
    adapter = Adapter.load(tmp_path / "own" / "adapter.safetensors")
    assert not any(t.any() for name, t in adapter.tensors.items() if not name.endswith(".down"))


def test_half_the_strength_is_half_way(
    arguments: List[str], tmp_path: Path, provenance: Callable[[str], Dict[str, Any]]
) -> None:
    assert main(arguments) == 0
    half = [*arguments, "--out", str(tmp_path / "weak"), "--strength", "0.5"]
    assert main(half) == 0
    model = arguments[2]
    plans = [tmp_path / name / "plan.json" for name in ("own", "weak")]
    whole, weak = (load_encoder(model, prune=plan).encode(CORPUS) for plan in plans)
    none = load_encoder(model, prune=plans[0], adapter="off").encode(CORPUS)
    assert 0 < np.abs(weak - none).sum() < np.abs(whole - none).sum()
    assert provenance("weak")["strength"] == "0.5"


def test_sixteen_bits_learn_too(
    arguments: List[str], tmp_path: Path, history: Callable[[str], List[Dict[str, Any]]]
) -> None:
    for precision in ("fp32", "bf16"):
        out = ["--out", str(tmp_path / precision), "--precision", precision]
        assert main([*arguments, *out, "--steps", "40", "--contrast-steps", "0"]) == 0
        looks = history(precision)
        assert looks[-1]["held_out"] < 0.9 * looks[0]["held_out"]
        plan = PruningPlan.load(tmp_path / precision / "plan.json")
        assert plan.provenance["precision"] == precision


def test_one_task_cannot_be_left_out(
    arguments: List[str], refusal: Callable[[List[str]], str]
) -> None:
    line = refusal([*arguments, "--leave-one-out"])
    assert "--leave-one-out needs two --task or more, got 1" in line
