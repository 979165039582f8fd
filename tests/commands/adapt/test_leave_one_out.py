"""One adapter without each task."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List

import numpy as np
import pytest

from rasa_tokprune.cli import main
from rasa_tokprune.encoder import load_encoder
from tests.bots_on_disk import write_nlu
from tests.checkpoints import CORPUS
from tests.commands.adapt.conftest import SHOP

pytestmark = [pytest.mark.thorough, pytest.mark.needs("torch")]

Provenance = Callable[[str], Dict[str, Any]]


@pytest.fixture
def both(arguments: List[str], tmp_path: Path) -> List[str]:
    post = {
        "letter": ["where is my letter", "when will the letter arrive"],
        "cancel": SHOP["cancel"],
    }
    task = write_nlu(tmp_path / "other.yml", post)
    return [*arguments, "--task", f"post={task}", "--leave-one-out"]


def test_every_task_is_left_out_with_its_texts(
    both: List[str], tmp_path: Path, provenance: Provenance
) -> None:
    log = tmp_path / "shop.txt"
    log.write_text("my parcel is late\nwhere are you", encoding="utf-8")
    place = both.index("--texts") + 1
    assert main([*both[:place], f"shop={log}", *both[place:]]) == 0
    without = {name: provenance(f"own/without-{name}") for name in ("shop", "post")}
    for name in without:
        plan = tmp_path / "own" / f"without-{name}" / "plan.json"
        assert load_encoder(both[2], prune=plan).model.adapter is not None
    assert without["shop"]["tasks"].startswith("post (")
    assert without["shop"]["text_files"] == "log.txt"
    assert without["post"]["tasks"].startswith("shop (")
    assert without["post"]["text_files"] == "shop.txt, log.txt"


def test_one_left_out_is_the_training_without_it(both: List[str], tmp_path: Path) -> None:
    assert main(both) == 0
    alone = [each for each in both if each != "--leave-one-out"]
    own = [*alone, "--leave", "post", "--out", str(tmp_path / "alone"), "--name", "own"]
    assert main(own) == 0
    plans = [tmp_path / "own" / "without-post" / "plan.json", tmp_path / "alone" / "plan.json"]
    first, second = (load_encoder(both[2], prune=plan).encode(CORPUS) for plan in plans)
    np.testing.assert_array_equal(first, second)
    bare = load_encoder(both[2], prune=plans[0], adapter="off").encode(CORPUS)
    assert np.abs(first - bare).max() > 1e-4


def test_judges_and_a_second_teacher_are_there_for_each(
    both: List[str], checkpoint: Callable[[str], Path], tmp_path: Path, provenance: Provenance
) -> None:
    judge = write_nlu(tmp_path / "judge.yml", {"a": CORPUS[:4], "b": CORPUS[4:], "c": ["x", "y"]})
    (tmp_path / "log.txt").write_text("\n".join(f"{n} parcels" for n in range(30)))
    more = ["--teacher", str(checkpoint("mpnet")), "--judge", f"mine={judge}"]
    assert main([*both, *more]) == 0
    for name in ("shop", "post"):
        about = provenance(f"own/without-{name}")
        assert about["teacher"].endswith(", share 0.5")
        assert about["judges"] == "mine"
        assert "judged" in about["held_out"]
