"""What `prune: auto` takes on drawn bots: what is measured, how a plan is taken, the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest

from benchmarks.accuracy.unseen import LabelledSet
from benchmarks.decisions import auto_plans
from benchmarks.decisions.auto_plans import LEAST_JUDGED, N_LOG, PLANS, measure
from benchmarks.decisions.auto_tables import auto_plans_table, auto_rates_table, taken_plan
from benchmarks.rows import read_rows
from rasa_tokprune.fewshot.certificate import Outcome
from tests.bots_on_disk import write_nlu


def test_plans_are_tried_as_the_component_tries_them() -> None:
    pytest.importorskip("rasa")
    from rasa_tokprune.components.auto_plan import CANDIDATES

    assert PLANS == CANDIDATES


class Told:
    """Stands for a set as an encoder sees it: every tenth message to answer has another action."""

    def __init__(self, n_query: int, is_pruned: bool) -> None:
        self._n_query, self._is_pruned = n_query, is_pruned
        self.asked: List[int] = []

    def ask(self, rows: np.ndarray) -> Any:
        self.asked.append(len(rows))
        query = [Outcome("a", not (self._is_pruned and n % 10 == 0)) for n in range(self._n_query)]
        return [Outcome("b" if self._is_pruned else "a", False)] * len(rows), query


def own_set(n_query: int) -> LabelledSet:
    labels = [name for name in ("a", "b") for _ in range(12)]
    return LabelledSet("any", [f"text {n}" for n in range(24)], labels, ["?"] * n_query, [])


def told(n_query: int) -> Dict[str, Told]:
    return {"off": Told(n_query, False), "light": Told(n_query, True)}


def test_a_log_is_drawn_where_enough_messages_are_left_to_judge_by() -> None:
    n_query = N_LOG + LEAST_JUDGED
    encoded = told(n_query)
    rows = list(measure(own_set(n_query), encoded))  # type: ignore[arg-type]
    assert encoded["light"].asked == [10] * 3 + [20] * 3 + [24], "all examples are asked once"
    training = [row for row in rows if row["messages"] == "training"]
    logged = [row for row in rows if row["messages"] == "certify_on"]
    assert (len(training), len(logged)) == (3 + 3 + 1, 3 * 3)
    assert training[0]["counted"] == {"n": 10, "actions": 0, "intents": 10}
    assert training[0]["judged"] == {"n": n_query, "actions": n_query // 10, "intents": 0}
    for row in logged:
        assert (row["counted"]["n"], row["judged"]["n"]) == (N_LOG, LEAST_JUDGED)
        assert row["counted"]["actions"] + row["judged"]["actions"] == n_query // 10
    assert len({row["counted"]["actions"] for row in logged}) > 1, "another log for every seed"
    too_few = measure(own_set(n_query - 1), told(n_query - 1))  # type: ignore[arg-type]
    assert {row["messages"] for row in too_few} == {"training"}


def bot(seed: int, **of_plan: Any) -> List[Dict[str, Any]]:
    about = {"set": "any", "shots": 5, "seed": seed, "messages": "training"}
    return [
        {
            **about,
            "plan": plan,
            "counted": {"n": 1000, "actions": actions, "intents": intents},
            "judged": {"n": 200, "actions": judged, "intents": 20},
        }
        for plan, (actions, intents, judged) in of_plan.items()
    ]


def test_the_last_plan_in_a_row_that_holds_is_taken() -> None:
    # At most 12 of 1000 are certified for 2%, at most 38 for 5%.
    own = bot(0, gentle=(12, 13, 1), light=(20, 60, 6), balanced=(5, 5, 9))
    assert taken_plan(own, 0.02, "actions") == own[0], "balanced comes after one that fails"
    assert taken_plan(own, 0.02, "intents") is None
    assert taken_plan(own, 0.05, "actions") == own[2]
    assert taken_plan(own, 0.05, "intents") == own[0]


def test_tables() -> None:
    rows = [
        *bot(0, gentle=(0, 0, 1), light=(20, 60, 6)),
        *bot(1, gentle=(0, 0, 0), light=(20, 60, 14)),
    ]
    lines = auto_plans_table(rows).splitlines()
    assert lines[0].startswith("| messages that decide | examples an intent | limit % |")
    first = "| training, out of fold | 5 "
    assert lines[2] == f"{first}| 2 | top intents | 2 | 0 | 2 | 0 | 0.25 | 0 |"
    assert lines[3] == f"{first}| 2 | actions | 2 | 0 | 2 | 0 | 0.25 | 0 |"
    assert lines[4] == f"{first}| 5 | top intents | 2 | 0 | 2 | 0 | 0.25 | 0 |"
    assert lines[5] == f"{first}| 5 | actions | 2 | 0 | 0 | 2 | 5.00 | 1 |"
    assert len(lines) == 6
    assert auto_rates_table(rows).splitlines()[3] == "| 5 | `light` | 6.0 | 2.0 | 10.0 | 5.0 |"
    assert auto_plans_table([]) == auto_rates_table([]) == "Not measured yet."


@pytest.mark.slow
def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto_plans, "PLANS", ("light",))
    texts = {
        "parcel": [f"where is my parcel number {n}" for n in range(30)],
        "refund": [f"I want {n} euros back" for n in range(30)],
    }
    path = write_nlu(tmp_path / "set.yml", texts)
    out = tmp_path / "rows.jsonl"
    assert auto_plans.main([f"any={path}", "--out", str(out)]) == 0
    rows = read_rows(out)
    assert len(rows) == 3 + 3 + 1
    assert {row["plan"] for row in rows} == {"light"}
    assert rows[0]["counted"]["n"] == rows[0]["n_examples"] == 10
    assert not any(text in out.read_text() for own in texts.values() for text in own)
