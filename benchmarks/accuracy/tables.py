"""Tables and the plot of accuracy and trust, ours, others and published ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

import numpy as np

from benchmarks.accuracy.plot import draw_lines
from benchmarks.accuracy.published import PUBLISHED, SOURCES
from benchmarks.bots import plan_text
from benchmarks.rows import Rows, in_order, select
from benchmarks.tables import Plot, Table, markdown_table

TASKS = (
    "banking77_5shot", "banking77_10shot", "clinc150_5shot", "hwu64_5shot", "sofmattress",
    "powerplay11", "cfpb_long_20shot",
)  # fmt: skip
_PIPELINE_TEXT = {
    "tokprune": "our classifier in Rasa, un-pruned",
    "tokprune_default": "our classifier in Rasa, default plan",
    "logistic_regression": "our features + LogisticRegressionClassifier",
    "sklearn": "our features + SklearnIntentClassifier",
    "diet": "Rasa's default (DIET)",
}
_DEFAULT_MODEL = "all-MiniLM-L6-v2"
_LEFT_OUT = ", adapter left_out_"
_REJECTIONS = ("oos_recall", "in_scope_rejection", "right_rejection")
_MEASURES = ("accuracy", "ece", "oos_auroc", *_REJECTIONS)
_FALLBACKS = (
    "Rejection: of our classifier below confidence 0.5; of the other pipelines by the "
    "FallbackClassifier that `rasa init` writes (0.3, ambiguity 0.1)."
)

# Line -> task -> means of the measures, and one curve.
Lines = Dict[str, Dict[str, Dict[str, Any]]]


def measured_lines(evaluation: Rows, pipelines: Rows) -> Lines:
    """Returns what was measured by line and task, in reading order.

    Args:
        evaluation: Rows of `rasa-tokprune evaluate`; those learned from a whole file count,
            several seeds are averaged.
        pipelines: Rows of `benchmarks.accuracy.pipelines`.
    """
    groups: Dict[str, Dict[str, List[Mapping[str, Any]]]] = {}
    for row in select(evaluation, shots="all"):
        groups.setdefault(_own_text(row), {}).setdefault(row["task"], []).append(row)
    for name, text in _PIPELINE_TEXT.items():
        for row in select(pipelines, pipeline=name):
            groups.setdefault(text, {}).setdefault(row["task"], []).append(row)
    return {
        text: {task: _mean(rows) for task, rows in by_task.items()}
        for text, by_task in groups.items()
    }


def _own_text(row: Mapping[str, Any]) -> str:
    model = "" if row["model"] == _DEFAULT_MODEL else f", {row['model']}"
    # Where the shipped adapter has seen a task's intents, its twin that has not is measured.
    name = row["plan"].partition(_LEFT_OUT)[0]
    plan = "un-pruned" if name == "off" else f"plan `{name}`"
    return f"our classifier, {plan}, {row['precision']}{model}"


def _mean(rows: Rows) -> Dict[str, Any]:
    found: Dict[str, Any] = {
        name: float(np.mean([row[name] for row in rows]))
        for name in _MEASURES
        if all(row.get(name) is not None for row in rows)
    }
    return {**found, "curve": rows[0]["curve"]}


def tasks_of(lines: Lines) -> List[str]:
    """Returns the tasks that were measured, in reading order, unknown ones last."""
    measured = dict.fromkeys(task for by_task in lines.values() for task in by_task)
    known = [task for task in TASKS if task in measured]
    return known + [task for task in measured if task not in TASKS]


def accuracy_table(evaluation: Rows, pipelines: Rows) -> str:
    """Returns accuracies, measured ones first, then published ones."""
    lines = measured_lines(evaluation, pipelines)
    tasks = tasks_of(lines)
    table = [
        [text, *(_cell(by_task.get(task), "accuracy", 100, 1) for task in tasks)]
        for text, by_task in lines.items()
    ]
    for text, figures in PUBLISHED.items():
        cells = [f"{figures[task]:.1f}" if task in figures else "" for task in tasks]
        if any(cells):
            table.append([text, *cells])
    return f"{markdown_table(['accuracy %', *tasks], table)}\n\n{SOURCES}"


def trust_table(evaluation: Rows, pipelines: Rows) -> str:
    """Returns calibration and out-of-scope detection, task by task."""
    lines = measured_lines(evaluation, pipelines)
    table = []
    for task in tasks_of(lines):
        for text, by_task in lines.items():
            if task in by_task:
                found = by_task[task]
                cells = [_cell(found, name, 1, 3) for name in ("ece", "oos_auroc")]
                cells += [_cell(found, name, 100, 1) for name in _REJECTIONS]
                table.append([task, text, *cells])
    head = ["task", "pipeline", "ECE", "OOS AUROC", "OOS recall %", "in-scope rejected %"]
    head.append("right answers rejected %")
    return f"{markdown_table(head, table, n_left=2)}\n\n{_FALLBACKS}"


def claim_table(evaluation: Rows, pipelines: Rows) -> str:
    """Returns in short what is caught on the tasks with out-of-scope messages."""
    lines = measured_lines(evaluation, pipelines)
    tasks = [
        t for t in tasks_of(lines) if any("oos_auroc" in by.get(t, {}) for by in lines.values())
    ]
    same = (_PIPELINE_TEXT["tokprune"], _PIPELINE_TEXT["tokprune_default"])
    table = [
        [text, *(_claim_cell(by_task.get(task, {})) for task in tasks)]
        for text, by_task in lines.items()
        if text not in same  # the same numbers once more
    ]
    return markdown_table(["AUROC: out of scope caught % / in scope lost %", *tasks], table)


def _claim_cell(found: Mapping[str, Any]) -> str:
    if "oos_auroc" not in found:
        return ""
    caught, lost = (_cell(found, name, 100, 0) for name in ("oos_recall", "in_scope_rejection"))
    return f"{_cell(found, 'oos_auroc', 1, 2)}: {caught} / {lost}"


def _cell(found: Optional[Mapping[str, Any]], name: str, scale: float, n_digits: int) -> str:
    if found is None or name not in found:
        return ""
    return f"{scale * found[name]:.{n_digits}f}"


def draw_accuracy(evaluation: Rows, pipelines: Rows, path: Path) -> None:
    """Draws coverage against accuracy and against out-of-scope recall."""
    lines = measured_lines(evaluation, pipelines)
    draw_lines(lines, tasks_of(lines), path)


def unseen_table(rows: Rows) -> str:
    """Returns means over sets and draws by plan and views, beside the un-pruned embedding alone."""
    base = _unseen_mean(select(rows, plan="off", views=_ONE_VIEW), "accuracy")
    lines = []
    for plan in in_order(rows, "plan"):
        for views in in_order(rows, "views"):
            own = select(rows, plan=plan, views=views)
            accuracy = _unseen_mean(own, "accuracy")
            cells = [f"{100 * accuracy:.1f}", f"{100 * (accuracy - base):+.1f}"]
            cells += [f"{_unseen_mean(own, name):.3f}" for name in ("oos_auroc", "ece")]
            cells += [f"{100 * _unseen_mean(own, name):.1f}" for name in _REJECTIONS[:2]]
            lines.append([plan_text(own[0]), views, *cells])
    head = ["plan", "decides by", "accuracy %", "against the first", "OOS AUROC", "ECE"]
    head += ["OOS recall %", "in-scope rejected %"]
    n_sets, n_seeds = (len(in_order(rows, name)) for name in ("set", "seed"))
    about = f"{n_sets} sets, 5 examples an intent, {n_seeds} draws."
    return f"{markdown_table(head, lines, n_left=2)}\n\n{about}"


def unseen_sets_table(rows: Rows) -> str:
    """Returns accuracy by set."""
    sets = in_order(rows, "set")
    lines = []
    for name in sets:
        cells = [
            f"{100 * _unseen_mean(select(rows, plan=plan, views=views, set=name), 'accuracy'):.1f}"
            for plan in in_order(rows, "plan")
            for views in in_order(rows, "views")
        ]
        lines.append([name, str(_ways(rows, name)), *cells])
    head = ["accuracy %", "intents"]
    head += [
        f"{plan_text(select(rows, plan=plan)[0])}{'' if views == _ONE_VIEW else ' + words'}"
        for plan in in_order(rows, "plan")
        for views in in_order(rows, "views")
    ]
    return markdown_table(head, lines)


def _ways(rows: Rows, name: str) -> int:
    return int(select(rows, set=name)[0]["n_way"])


def _unseen_mean(rows: Rows, name: str) -> float:
    return float(np.mean([row[name] for row in rows]))


def precisions_table(rows: Rows) -> str:
    """Returns accuracy by number format and task, and means over the tasks."""
    tasks = in_order(rows, "task")
    lines = []
    for backend, precision, plan in dict.fromkeys(map(_format, rows)):
        own = select(rows, backend=backend, precision=precision, plan=plan)
        accuracies = [100 * row["accuracy"] for row in own]
        pruning = "" if plan == "off" else f", `{plan}`"
        cells = [f"{accuracy:.1f}" for accuracy in [*accuracies, np.mean(accuracies)]]
        cells.append(f"{100 * np.mean([row['same_answers'] for row in own]):.1f}")
        cells.append(f"{np.mean([row['cosine_mean'] for row in own]):.4f}")
        lines.append([f"{backend} {precision}{pruning}", *cells])
    return markdown_table(["format", *tasks, "mean", "same answers %", "cosine"], lines)


def _format(row: Mapping[str, Any]) -> Tuple[str, str, str]:
    return row["backend"], row["precision"], row["plan"]


_ONE_VIEW = "embedding alone"
_UNSEEN = ("unseen.jsonl",)
_DOCUMENT, _ROWS = "docs/accuracy.md", ("evaluation.jsonl", "pipelines.jsonl")
TABLES = (
    Table("decisions_claim", "docs/fallback.md", _ROWS, claim_table),
    Table("decisions_accuracy", _DOCUMENT, _ROWS, accuracy_table),
    Table("decisions_trust", _DOCUMENT, _ROWS, trust_table),
    Table("unseen", _DOCUMENT, _UNSEEN, unseen_table),
    Table("unseen_sets", _DOCUMENT, _UNSEEN, unseen_sets_table),
    Table("precisions", "docs/benchmarks.md", ("precisions.jsonl",), precisions_table),
)
PLOTS = (Plot("docs/accuracy.png", _ROWS, draw_accuracy),)
