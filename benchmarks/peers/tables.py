"""Tables and the picture of ours against what a bot has."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from benchmarks.peers.costs import QUIET_LOAD
from benchmarks.peers.measured import (
    OURS,
    Score,
    Scores,
    compared_sets,
    complete,
    mean_accuracy,
    mean_auroc,
    n_with_strangers,
    scores_of,
    sets_of,
)
from benchmarks.peers.picture import draw_points
from benchmarks.peers.registry import PEERS
from benchmarks.rows import Rows, in_order
from benchmarks.tables import Plot, Table, machine_line, markdown_table

Sets = Tuple[str, ...]
# For peers that were not measured on every set; longer than there are ways to be so.
_MARKS = ("†", "‡", "§", "¶")
# Not in the README's table: the same library once more.
_SHORT = tuple(name for name in PEERS if name != "setfit_all_pairs")


def peers_table(
    own: Rows, pipelines: Rows, fixed: Rows, drawn: Rows, costs: Rows, installs: Rows
) -> str:
    """Returns a line for each peer: accuracy, out of scope, what it costs."""
    scores = scores_of(own, pipelines, fixed, drawn)
    scores = {name: by_set for name, by_set in scores.items() if name in _SHORT}
    by_peer = {row["peer"]: row for row in costs}
    lines, marks = [], _marks(scores)
    for name in (name for name in _SHORT if name in scores or name in by_peer):
        cells = [
            *_quality_cells(scores, name, marks),
            *_cost_cells(by_peer.get(name)),
            _install(name, installs),
        ]
        lines.append([PEERS[name].title, *cells])
    head = ["", *_quality_head(scores), "training s", "one message ms", "memory MB", "install MB"]
    return f"{markdown_table(head, lines)}\n\n{_about(scores, costs)}"


def claim(own: Rows, pipelines: Rows, fixed: Rows, drawn: Rows, costs: Rows) -> str:
    """Returns in a sentence what the default gives beside Rasa's default, and what it costs."""
    scores = scores_of(own, pipelines, fixed, drawn)
    sets = compared_sets(scores)
    ours, diet = (mean_accuracy(scores[name], sets) for name in (OURS, "diet"))
    by_peer = {row["peer"]: row for row in costs}
    cost, dear = by_peer[OURS], by_peer["diet"]
    return (
        f"**On {len(sets)} bots that nobody trained on, {ours:.0f}% of the messages get the right "
        f"intent; with Rasa's default, DIET, {diet:.0f}%. Training on {cost['n_train']} examples "
        f"takes {cost['train_s']:.0f} s instead of {dear['train_s']:.0f} s, an answer "
        f"{cost['p50_ms']:.1f} ms instead of {dear['p50_ms']:.1f} ms, on one CPU core.**"
    )


def _quality_head(scores: Scores) -> List[str]:
    sets = compared_sets(scores)
    n_strange = n_with_strangers(scores[OURS], sets)
    return [f"accuracy %, {_n(len(sets))}", f"out-of-scope AUROC, {_n(n_strange)}"]


def _n(count: int) -> str:
    return f"{count} set{'s' * (count != 1)}"


def _quality_cells(scores: Scores, name: str, marks: Mapping[Sets, str]) -> List[str]:
    """Returns accuracy and AUROC, marked where not all sets stand behind them."""
    there = _sets_there(scores, name)
    if not there:
        return ["", ""]
    means = _means(scores[name], there)
    is_marked = [there in marks, _with_strangers(scores, there) != _with_strangers(scores)]
    return [f"{mean} {marks[there]}" if own else mean for mean, own in zip(means, is_marked)]


def _with_strangers(scores: Scores, sets: Optional[Sets] = None) -> int:
    ours = scores[OURS]
    names = compared_sets(scores) if sets is None else sets
    return n_with_strangers(ours, [each for each in names if each in ours])


def _sets_there(scores: Scores, name: str) -> Sets:
    """Returns those of the compared sets that a peer was measured on."""
    return tuple(each for each in compared_sets(scores) if each in scores.get(name, {}))


def _marks(scores: Scores) -> Dict[Sets, str]:
    """Returns a mark for each choice of sets that is not all of them."""
    found = (_sets_there(scores, name) for name in scores)
    parts = dict.fromkeys(sets for sets in found if sets and list(sets) != compared_sets(scores))
    return dict(zip(parts, _MARKS))


def _means(by_set: Mapping[str, Score], sets: Sequence[str]) -> List[str]:
    auroc = mean_auroc(by_set, sets)
    return [f"{mean_accuracy(by_set, sets):.1f}", "" if auroc is None else f"{auroc:.3f}"]


def _cost_cells(row: Optional[Mapping[str, Any]]) -> List[str]:
    if row is None:
        return ["", "", ""]
    return [f"{row['train_s']:.0f}", f"{row['p50_ms']:.1f}", f"{row['answer_peak_mb']:,.0f}"]


def _install(name: str, installs: Rows) -> str:
    kind = PEERS[name]
    for row in installs:
        if row["requirements"] == " ".join(kind.requirements):
            model_mb = row["model_mb"] if kind.needs_model else 0.0
            gpu = f" + {row['gpu_mb']:,.0f}" if row["gpu_mb"] >= 1 else ""
            return f"{row['packages_mb'] - row['gpu_mb'] + model_mb:,.0f}{gpu}"
    return ""


def _about(scores: Scores, costs: Rows) -> str:
    """Returns what a reader must know of the numbers."""
    n_sets, n_examples = len(compared_sets(scores)), costs[0]["n_train"]
    lines = [
        f"All but DIET use all-MiniLM-L6-v2. Accuracy: mean of {n_sets} bots, one draw each. "
        f"Costs: example_bot, {n_examples} examples, 5 an intent, one core. Memory: peak of the "
        f"process that answers. Install: with the model; behind +, what PyPI's torch brings along "
        f"for GPUs."
    ]
    for sets, mark in _marks(scores).items():
        accuracy, auroc = _means(scores[OURS], sets)
        out_of_scope = f" and {auroc}" if auroc else ""
        lines.append(f"{mark} on {_n(len(sets))}, where `{OURS}` has {accuracy}{out_of_scope}.")
    busy = [row["peer"] for row in costs if row["load"] > QUIET_LOAD]
    if busy:
        lines.append("**Other programs were running while costs were measured: a dry run.**")
    return " ".join(lines)


def sets_table(own: Rows, pipelines: Rows, fixed: Rows, drawn: Rows) -> str:
    """Returns accuracy, and out-of-scope AUROC, by set and peer."""
    scores = scores_of(own, pipelines, fixed, drawn)
    sets = sets_of(scores)
    lines = [
        [PEERS[name].title, *(_set_cell(by_set, each) for each in sets)]
        for name, by_set in scores.items()
    ]
    return markdown_table(["accuracy % / out-of-scope AUROC", *sets], lines)


def _set_cell(by_set: Mapping[str, Any], name: str) -> str:
    if name not in by_set:
        return ""
    score = by_set[name]
    auroc = "" if score.auroc is None else f" / {score.auroc:.2f}"
    return f"{100 * score.accuracy:.1f}{auroc}"


def costs_table(costs: Rows) -> str:
    """Returns all that was measured of time and memory."""
    by_peer = {row["peer"]: row for row in costs}
    lines = []
    for name in (name for name in PEERS if name in by_peer):
        row = by_peer[name]
        cells = [f"{row['train_s']:.1f}", f"{row['start_s']:.1f}"]
        cells += [f"{row['p50_ms']:.2f}", f"{row['p95_ms']:.2f}"]
        cells += [f"{row['train_peak_mb']:,.0f}", f"{row['answer_peak_mb']:,.0f}"]
        lines.append([PEERS[name].title, *cells, f"{row['load']:.1f}"])
    head = ["", "training s", "start s", "p50 ms", "p95 ms", "peak MB, training"]
    head += ["peak MB, answering", "load"]
    return f"{markdown_table(head, lines)}\n\n{machine_line(costs)}"


def installs_table(installs: Rows) -> str:
    """Returns what an install takes."""
    lines = [
        [
            f"`{row['requirements']}`" if row["requirements"] != "." else "this package",
            str(row["n_packages"]),
            f"{row['packages_mb'] - row['gpu_mb']:,.0f}",
            f"{row['gpu_mb']:,.0f}",
        ]
        for row in installs
    ]
    head = ["`pip install`", "packages", "MB", "MB for GPUs"]
    return f"{markdown_table(head, lines)}\n\nThe model: {installs[0]['model_mb']:.0f} MB."


def versions_table(own: Rows) -> str:
    """Returns the versions that each peer was measured with."""
    lines = []
    for name in (name for name in PEERS if name in in_order(own, "peer")):
        rows = [row for row in own if row["peer"] == name]
        versions = rows[-1]["environment"]["versions"]
        lines.append([PEERS[name].title, ", ".join(f"{k} {v}" for k, v in versions.items())])
    return markdown_table(["", "versions"], lines, n_left=2)


def draw_peers(
    own: Rows, pipelines: Rows, fixed: Rows, drawn: Rows, costs: Rows, path: Path
) -> None:
    """Draws accuracy against the time of one message, of peers that have all of both."""
    scores = scores_of(own, pipelines, fixed, drawn)
    sets = compared_sets(scores)
    by_peer = {row["peer"]: row for row in costs}
    points = {
        name: (by_peer[name]["p50_ms"], mean_accuracy(scores[name], sets))
        for name in complete(scores)
        if name in by_peer
    }
    draw_points(points, len(sets), path)


_OTHERS = ("../accuracy/pipelines.jsonl", "../adapters/adapters.jsonl", "../accuracy/unseen.jsonl")
_QUALITY = ("accuracy.jsonl", *_OTHERS)
_DOCUMENT = "docs/peers.md"
TABLES = (
    Table("peers_claim", "README.md", (*_QUALITY, "costs.jsonl"), claim),
    Table("peers", "README.md", (*_QUALITY, "costs.jsonl", "installs.jsonl"), peers_table),
    Table("peers", _DOCUMENT, (*_QUALITY, "costs.jsonl", "installs.jsonl"), peers_table),
    Table("peers_sets", _DOCUMENT, _QUALITY, sets_table),
    Table("peers_costs", _DOCUMENT, ("costs.jsonl",), costs_table),
    Table("peers_installs", _DOCUMENT, ("installs.jsonl",), installs_table),
    Table("peers_versions", _DOCUMENT, ("accuracy.jsonl",), versions_table),
)
PLOTS = (Plot("docs/peers.png", (*_QUALITY, "costs.jsonl"), draw_peers),)
