"""`rasa-tokprune adapt`: files in, an adapter with its plan out, ready for config.yml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Callable, List

import numpy as np
import pytest

from rasa_tokprune.cli import main
from rasa_tokprune.encoder import PruningPlan, load_encoder
from rasa_tokprune.encoder.adapters.adapter import Adapter
from tests.checkpoints import CORPUS, N_LAYERS

pytestmark = [pytest.mark.thorough, pytest.mark.needs("torch")]

NLU = """version: "3.1"
nlu:
- intent: parcel
  examples: |
    - where is my parcel
    - when will it arrive
- intent: cancel
  examples: |
    - cancel the order
    - I do not want it any more
"""


@pytest.fixture
def arguments(tiny_bert: Path, tmp_path: Path) -> List[str]:
    (tmp_path / "log.txt").write_text("\n".join(CORPUS * 3), encoding="utf-8")
    (tmp_path / "nlu.yml").write_text(NLU, encoding="utf-8")
    plan = PruningPlan(N_LAYERS, (0.0, 0.5, 0.5, 0.0), name="half")
    plan.save(tmp_path / "half.json")
    return [
        "adapt", "--model", str(tiny_bert), "--prune", str(tmp_path / "half.json"),
        "--texts", str(tmp_path / "log.txt"), "--task", f"shop={tmp_path / 'nlu.yml'}",
        "--out", str(tmp_path / "own"), "--steps", "60", "--batch-size", "8",
        "--learning-rate", "0.01", "--concatenations", "20", "--device", "cpu", "--quiet",
    ]  # fmt: skip


def test_its_plan_brings_the_encoder_nearer_to_the_teacher(
    arguments: List[str], tiny_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    plan_file = tmp_path / "own" / "plan.json"
    assert f"prune: {plan_file}" in capsys.readouterr().out
    teacher = load_encoder(str(tiny_bert)).encode(CORPUS)
    adapted = load_encoder(str(tiny_bert), prune=plan_file)
    pruned = load_encoder(str(tiny_bert), prune=plan_file, adapter="off")
    assert adapted.plan.name == "own"
    assert adapted.plan.fingerprint() == pruned.plan.fingerprint()
    cosines = [(e.encode(CORPUS) * teacher).sum(axis=1).mean() for e in (adapted, pruned)]
    assert cosines[0] > cosines[1] + 0.01
    history = [
        json.loads(line) for line in (tmp_path / "own" / "history.jsonl").read_text().splitlines()
    ]
    assert history[-1]["step"] == 60
    assert history[0]["step"] == 0
    about = json.loads(plan_file.read_text())["provenance"]
    assert about["tasks"] == "shop (2 labels, 4 texts)"
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


def test_it_goes_on_from_an_adapter(arguments: List[str], tmp_path: Path) -> None:
    assert main(arguments) == 0
    first = tmp_path / "own" / "adapter.safetensors"
    assert main([*arguments, "--out", str(tmp_path / "on"), "--start", str(first)]) == 0
    own, on = (
        [json.loads(line) for line in (tmp_path / name / "history.jsonl").read_text().splitlines()]
        for name in ("own", "on")
    )
    best = min(entry["held_out"] for entry in own)
    assert best < own[0]["held_out"]
    assert on[0]["held_out"] == pytest.approx(best, rel=0.02)  # stored in half precision
    about = json.loads((tmp_path / "on" / "plan.json").read_text())["provenance"]
    assert about["start"] == f"own {Adapter.load(first).identity}"


def test_an_adapter_of_another_rank_is_refused(
    arguments: List[str], tmp_path: Path, refusal: Callable[[List[str]], str]
) -> None:
    assert main([*arguments, "--steps", "1"]) == 0
    first = tmp_path / "own" / "adapter.safetensors"
    line = refusal([*arguments, "--start", str(first), "--rank", "3"])
    assert "go on with the rank it has" in line


def test_other_labels_are_another_training(
    arguments: List[str], tmp_path: Path, refusal: Callable[[List[str]], str]
) -> None:
    assert main(arguments) == 0
    assert main(arguments) == 0, "the same again has nothing left to do"
    nlu = tmp_path / "nlu.yml"
    nlu.write_text(NLU.replace("intent: parcel", "intent: delivery"), encoding="utf-8")
    assert "with other settings or data" in refusal(arguments)
    nlu.write_text(NLU, encoding="utf-8")
    renamed = tmp_path / "renamed.txt"
    (tmp_path / "log.txt").rename(renamed)
    assert main([*arguments, "--texts", str(renamed)]) == 0, "a file's name decides nothing"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--prune", "gentel"], "no plan 'gentel'"),
        (["--texts", "missing.txt"], "missing.txt' cannot be read"),
        (["--task", "no-path"], "--task must be NAME=FILE, each name once; got 'no-path'"),
        (["--strength", "0"], "--strength must be in (0, 1], got 0.0"),
        (["--rank", "0"], "--rank must be at least 1, got 0"),
        (["--steps", "0"], "steps must be at least 1, got 0"),
        (["--device", "tpu"], "device must be"),
        (["--teacher", "x", "--teacher-share", "2"], "--teacher-share must be in [0, 1], got 2.0"),
        (["--teacher-share", "0.5"], "--teacher-share: needs --teacher"),
        (["--scheduler", "processes:2"], "--scheduler: needs --search or --leave-one-out"),
        (["--search-steps", "0"], "--search-steps: needs --search"),
        (["--keep"], "--keep: needs --search"),
        (["--judge", "shop=nlu.yml"], "--judge: needs --search"),
        (
            ["--search", "--leave-one-out"],
            "--search makes no use of --prune, --steps, --device, --leave-one-out",
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


def test_leave_one_out_trains_without_each_task(
    arguments: List[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "other.yml").write_text(NLU.replace("parcel", "letter"), encoding="utf-8")
    log = tmp_path / "shop.txt"
    log.write_text("my parcel is late\nwhere are you", encoding="utf-8")
    texts = arguments.index("--texts") + 1
    arguments = [*arguments[:texts], f"shop={log}", *arguments[texts:]]
    changed = [*arguments, "--task", f"post={tmp_path / 'other.yml'}", "--steps", "20"]
    assert main([*changed, "--leave-one-out"]) == 0
    without = {}
    for name in ("shop", "post"):
        plan = PruningPlan.load(tmp_path / "own" / f"without-{name}" / "plan.json")
        without[name] = plan.provenance
        assert load_encoder(arguments[2], prune=plan).model.adapter is not None
    assert without["shop"]["tasks"].startswith("post (")
    assert without["shop"]["text_files"] == "log.txt"
    assert without["post"]["tasks"].startswith("shop (")
    assert without["post"]["text_files"] == "shop.txt, log.txt"


def test_one_left_out_is_the_training_without_it(
    arguments: List[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "other.yml").write_text(NLU.replace("parcel", "letter"), encoding="utf-8")
    short = [*arguments, "--steps", "20"]
    both = [*short, "--task", f"post={tmp_path / 'other.yml'}", "--leave-one-out"]
    assert main(both) == 0
    assert main([*short, "--out", str(tmp_path / "alone"), "--name", "own"]) == 0
    plans = [tmp_path / "own" / "without-post" / "plan.json", tmp_path / "alone" / "plan.json"]
    model = arguments[2]
    first, second = (load_encoder(model, prune=plan).encode(CORPUS) for plan in plans)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("leaves_out", [False, True], ids=["one", "leave-one-out"])
def test_a_second_teacher_is_learned_from(
    arguments: List[str],
    checkpoint: Callable[[str], Path],
    tmp_path: Path,
    leaves_out: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    teacher = checkpoint("mpnet")
    short = [*arguments, "--prune", "off", "--steps", "2"]
    (tmp_path / "other.yml").write_text(NLU.replace("parcel", "letter"), encoding="utf-8")
    if leaves_out:
        short += ["--task", f"post={tmp_path / 'other.yml'}", "--leave-one-out"]
    assert main([*short, "--teacher", str(teacher)]) == 0
    assert main([*short, "--out", str(tmp_path / "alone")]) == 0
    part = "without-post" if leaves_out else ""
    folders = [tmp_path / name / part for name in ("own", "alone")]
    taught, alone = (PruningPlan.load(folder / "plan.json").provenance for folder in folders)
    identity = load_encoder(str(teacher)).model.identity
    assert taught["teacher"] == f"{teacher.name} {identity}, share 0.5"
    assert "teacher" not in alone
    # Un-pruned and untrained the student answers as its own encoder does, not as both joined.
    first, second = (
        json.loads((folder / "history.jsonl").read_text().splitlines()[0]) for folder in folders
    )
    assert first["distillation"] > 0.01
    assert second["distillation"] < 1e-4


def test_half_the_strength_is_half_way(arguments: List[str], tmp_path: Path) -> None:
    assert main(arguments) == 0
    half = [*arguments, "--out", str(tmp_path / "half"), "--strength", "0.5"]
    assert main(half) == 0
    model = arguments[2]
    plans = [tmp_path / name / "plan.json" for name in ("own", "half")]
    whole, weak = (load_encoder(model, prune=plan).encode(CORPUS) for plan in plans)
    none = load_encoder(model, prune=plans[0], adapter="off").encode(CORPUS)
    assert 0 < np.abs(weak - none).sum() < np.abs(whole - none).sum()
    assert PruningPlan.load(plans[1]).provenance["strength"] == "0.5"


def test_one_task_cannot_be_left_out(
    arguments: List[str], refusal: Callable[[List[str]], str]
) -> None:
    line = refusal([*arguments, "--leave-one-out"])
    assert "--leave-one-out needs two --task or more, got 1" in line
