"""What the tables say of made-up rows, and that pictures are drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

from benchmarks.conftest import ENVIRONMENT, Rows
from benchmarks.peers import tables
from benchmarks.peers.measured import compared_sets, complete, scores_of, sets_of
from benchmarks.peers.registry import PEERS, PLANS

SETS = ("bot_one", "bot_two", "cfpb_long_20shot")


def row_of(peer: str, name: str, accuracy: float, **fields: Any) -> Dict[str, Any]:
    row = {"peer": peer, "set": name, "accuracy": accuracy, "environment": ENVIRONMENT, **fields}
    return row if name == "cfpb_long_20shot" else {**row, "oos_auroc": accuracy / 2}


@pytest.fixture
def quality() -> Tuple[Rows, Rows, Rows, Rows]:
    """DIET is right in half of the cases, SetFit was measured on one set, ours on all."""
    own = [row_of("diet", name, 0.5) for name in SETS[:2]] + [row_of("setfit", "bot_one", 0.6)]
    pipelines = [{"pipeline": "diet", "task": "cfpb_long_20shot", "accuracy": 0.8}]
    pipelines += [{"pipeline": "sklearn", "task": "cfpb_long_20shot", "accuracy": 0.1}]
    fixed = [{"plan": plan, "task": "cfpb_long_20shot", "accuracy": 0.9} for plan in PLANS]
    fixed += [{"plan": "off, adapter light", "task": "cfpb_long_20shot", "accuracy": 0.1}]
    drawn = [
        {"plan": plan, "set": name, "seed": seed, "views": views, "accuracy": accuracy,
         "oos_auroc": 0.9}
        for plan in PLANS for name in SETS[:2]
        for seed, views, accuracy in ((0, "two views", 0.7), (0, "embedding alone", 0.1),
                                      (1, "two views", 0.2))
    ]  # fmt: skip
    return own, pipelines, fixed, drawn


@pytest.fixture
def costs() -> Rows:
    def row(peer: str, milliseconds: float, load: float) -> Dict[str, Any]:
        return {
            "peer": peer, "n_train": 135, "train_s": 61.4, "start_s": 9.0, "p50_ms": milliseconds,
            "p95_ms": 2 * milliseconds, "train_peak_mb": 1234.0, "answer_peak_mb": 987.0,
            "load": load, "environment": ENVIRONMENT,
        }  # fmt: skip

    return [row("diet", 6.04, 1.0), *(row(plan, 2.0, 1.0) for plan in PLANS)]


@pytest.fixture
def installs() -> Rows:
    ours = {"requirements": ".", "packages_mb": 2600.0, "gpu_mb": 0.0}
    setfit = {"requirements": "setfit==1.2.0", "packages_mb": 6000.0, "gpu_mb": 4900.0}
    about = {"n_packages": 9, "model_mb": 91.0, "environment": ENVIRONMENT}
    return [{**row, **about} for row in (ours, setfit)]


def lines_of(table: str) -> List[List[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table.splitlines()
        if line.startswith("| ")
    ]


def test_scores_are_put_together(quality: Tuple[Rows, Rows, Rows, Rows]) -> None:
    scores = scores_of(*quality)
    assert sets_of(scores) == list(SETS)
    assert compared_sets(scores) == list(SETS)
    del scores["diet"]["bot_two"]
    assert compared_sets(scores) == ["bot_one", "cfpb_long_20shot"]
    assert complete(scores) == ["diet", *PLANS]
    assert scores["light"]["bot_one"].accuracy == 0.7
    assert scores["diet"]["cfpb_long_20shot"].auroc is None


def test_means_are_over_the_same_sets(
    quality: Tuple[Rows, Rows, Rows, Rows], costs: Rows, installs: Rows
) -> None:
    table = tables.peers_table(*quality, costs, installs)
    head, diet, setfit, off, *_ = lines_of(table)
    assert head[1:3] == ["accuracy %, 3 sets", "out-of-scope AUROC, 2 sets"]
    assert diet == ["DIET, Rasa's default pipeline", "60.0", "0.250", "61", "6.0", "987", ""]
    assert setfit[1:] == ["60.0 †", "0.300 †", "", "", "", "1,191 + 4,900"]
    assert "† on 1 set, where `light` has 70.0 and 0.900." in table
    assert off[1:] == ["76.7", "0.900", "61", "2.0", "987", "2,691"]
    assert "dry run" not in table
    busy = [{**row, "load": 8.0} for row in costs]
    assert "dry run" in tables.peers_table(*quality, busy, installs)


def test_the_claim_is_of_the_same_sets(quality: Tuple[Rows, Rows, Rows, Rows], costs: Rows) -> None:
    line = tables.claim(*quality, costs)
    assert "On 3 bots that nobody trained on, 77% of the messages" in line
    assert "DIET, 60%" in line
    assert "an answer 2.0 ms instead of 6.0 ms" in line


def test_sets_side_by_side(quality: Tuple[Rows, Rows, Rows, Rows]) -> None:
    head, diet, setfit, *_ = lines_of(tables.sets_table(*quality))
    assert head[1:] == list(SETS)
    assert diet[1:] == ["50.0 / 0.25", "50.0 / 0.25", "80.0"]
    assert setfit[1:] == ["60.0 / 0.30", "", ""]


def test_costs_installs_and_versions(
    quality: Tuple[Rows, Rows, Rows, Rows], costs: Rows, installs: Rows
) -> None:
    table = tables.costs_table(costs)
    assert lines_of(table)[1][1:] == ["61.4", "9.0", "6.04", "12.08", "1,234", "987", "1.0"]
    assert "A CPU" in table
    assert "| this package | 9 | 2,600 | 0 |" in tables.installs_table(installs)
    assert "| `setfit==1.2.0` | 9 | 1,100 | 4,900 |" in tables.installs_table(installs)
    versions = tables.versions_table(quality[0])
    assert "| DIET, Rasa's default pipeline | torch 2.1 |" in versions


def test_the_picture_has_both_themes(
    quality: Tuple[Rows, Rows, Rows, Rows], costs: Rows, tmp_path: Path
) -> None:
    tables.draw_peers(*quality, costs, tmp_path / "peers.png")
    for name in ("peers.png", "peers-dark.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_every_peer_has_words_in_the_picture() -> None:
    from benchmarks.peers.picture import WORDS

    assert set(PEERS) - set(WORDS) == {"setfit_all_pairs"}
