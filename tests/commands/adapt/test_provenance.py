"""What is said of how a training went."""

from __future__ import annotations

from typing import Any, Dict, List

from rasa_tokprune.commands.adapt.provenance import describe_tasks, improvement, stage_looks


def looks(stage: str, **values: List[float]) -> List[Dict[str, Any]]:
    rows = zip(*values.values())
    return [
        {"stage": stage, "step": 10 * n, **dict(zip(values, row))} for n, row in enumerate(rows)
    ]


def test_losses_are_compared_within_a_stage() -> None:
    # The second stage's loss is higher throughout: it has the contrast in it.
    first = looks("distillation", held_out=[0.9, 0.5, 0.6])
    second = looks("contrast", held_out=[1.5, 1.4, 1.2])
    assert stage_looks([*first, *second]) == [(first[0], first[1]), (second[0], second[2])]
    assert improvement([*first, *second]) == (
        "distillation: held_out 0.9000 before, 0.5000 after; "
        "contrast: held_out 1.5000 before, 1.2000 after"
    )


def test_judges_go_before_losses_and_the_first_of_equals_is_best() -> None:
    own = looks("distillation", held_out=[0.9, 0.5, 0.1], judged=[0.2, 0.7, 0.7])
    assert stage_looks(own) == [(own[0], own[1])]
    assert improvement(own) == "distillation: judged 0.2000 before, 0.7000 after"


def test_tasks_in_a_line() -> None:
    tasks = {"shop": {"a": ["1", "2"], "b": ["3", "4", "5"]}, "bank": {"c": ["6", "7"]}}
    assert describe_tasks(tasks) == "bank (1 labels, 2 texts), shop (2 labels, 5 texts)"
    assert describe_tasks({}) == ""
