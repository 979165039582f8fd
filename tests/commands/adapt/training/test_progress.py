"""A run that was killed goes on to the same end."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rasa_tokprune.commands.adapt.training.loop import AdapterTraining
from rasa_tokprune.commands.adapt.training.progress import Progress
from rasa_tokprune.errors import ConfigError
from tests.commands.adapt.training.tiny import QUICK, student, training

pytestmark = pytest.mark.thorough


class KilledError(Exception):
    """Stands for a signal."""


def kill_after(run: AdapterTraining, n_steps: int) -> None:
    loss, calls = run._objective.loss, iter(range(n_steps))

    def dies(*given: Any) -> Any:
        if next(calls, None) is None:
            raise KilledError
        return loss(*given)

    run._objective.loss = dies  # type: ignore[method-assign]


# Twelve steps of the first stage, eight of the second, a look after every four.
@pytest.mark.parametrize("n_steps", [2, 4, 9, 12, 14, 16, 19])
def test_a_killed_run_goes_on_to_the_same_end(
    tiny_bert: Path, tmp_path: Path, n_steps: int
) -> None:
    whole = training(tiny_bert, identity="x")
    expected = whole.run()
    state = tmp_path / "state.safetensors"
    first = training(tiny_bert, identity="x")
    kill_after(first, n_steps)
    with pytest.raises(KilledError):
        first.run(checkpoint=state)
    assert state.exists() == (n_steps >= 4)
    seed = 7 if state.exists() else 0
    second = training(tiny_bert, identity="x", student=student(tiny_bert, seed=seed))
    kill_after(second, 20 - n_steps // 4 * 4)  # no step is taken twice but those since the look
    found = second.run(checkpoint=state)
    assert second.history == whole.history
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_a_run_killed_behind_a_stage_that_stopped_early(tiny_bert: Path, tmp_path: Path) -> None:
    settings = dataclasses.replace(
        QUICK, learning_rate=1.0, steps=40, check_every=1, patience=1, contrast_learning_rate=1e-4
    )
    whole = training(tiny_bert, settings, identity="x")
    expected = whole.run()
    n_first = sum(entry["stage"] == "distillation" for entry in whole.history) - 1
    assert n_first < 40
    state = tmp_path / "state.safetensors"
    for n_steps in (n_first, n_first + 1):
        state.unlink(missing_ok=True)
        first = training(tiny_bert, settings, identity="x")
        kill_after(first, n_steps)
        with pytest.raises(KilledError):
            first.run(checkpoint=state)
        second = training(tiny_bert, settings, identity="x")
        found = second.run(checkpoint=state)
        assert second.history == whole.history
        assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_a_finished_run_has_nothing_left_to_do(tiny_bert: Path, tmp_path: Path) -> None:
    state = tmp_path / "state.safetensors"
    first = training(tiny_bert, identity="x")
    expected = first.run(checkpoint=state)
    again = training(tiny_bert, identity="x")
    kill_after(again, 0)
    found = again.run(checkpoint=state)
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
    assert again.history == first.history


def test_the_state_of_another_training_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    state = tmp_path / "state.safetensors"
    training(tiny_bert, identity="x").run(checkpoint=state)
    with pytest.raises(ConfigError, match="with other settings or data"):
        training(tiny_bert, identity="y").run(checkpoint=state)
    state.write_bytes(b"nonsense")
    with pytest.raises(ConfigError, match="is not the state of a training"):
        training(tiny_bert, identity="x").run(checkpoint=state)


def test_a_state_that_cannot_be_written_is_said(tiny_bert: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="state of the training cannot be written"):
        training(tiny_bert).run(checkpoint=tmp_path / "file" / "state.safetensors")


def test_the_next_stage_begins_anew_with_the_same_history() -> None:
    progress = Progress("x", stage=0, step=9, best=0.5, n_worse=3, history=[{"step": 9}])
    progress.next_stage()
    assert progress == Progress("x", stage=1, history=[{"step": 9}])
