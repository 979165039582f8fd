r"""Turns raw rows of `rasa-tokprune evaluate` and of pipelines into tables and a plot.

python -m rasa_tokprune.evaluation.decision_table --evaluation docs/data/evaluation.jsonl \
    --pipelines docs/data/pipelines.jsonl --markdown docs/accuracy.md --plot docs/accuracy.png
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np

from rasa_tokprune.evaluation.decision_plot import draw_plot
from rasa_tokprune.evaluation.rasa_table import read_rows, update_table

ACCURACY_MARKER = "decisions_accuracy"
TRUST_MARKER = "decisions_trust"
CLAIM_MARKER = "decisions_claim"
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
_MEASURES = ("accuracy", "ece", "oos_auroc", "oos_recall", "in_scope_rejection", "right_rejection")
# Accuracy % as the papers print it. Those of HINT3 are of the first version of its labels.
PUBLISHED: Dict[str, Dict[str, float]] = {
    "CPFT (published, fine-tuned)": {
        "banking77_5shot": 80.9, "banking77_10shot": 87.2, "clinc150_5shot": 92.3,
        "hwu64_5shot": 82.0,
    },
    "DNNC (published, fine-tuned)": {
        "banking77_5shot": 80.4, "banking77_10shot": 86.7, "clinc150_5shot": 91.0,
        "hwu64_5shot": 80.5,
    },
    "USE + ConveRT (published)": {
        "banking77_5shot": 77.8, "banking77_10shot": 85.2, "clinc150_5shot": 90.5,
        "hwu64_5shot": 80.0,
    },
    "BERT, HINT3 v1 (published, fine-tuned)": {"sofmattress": 73.6, "powerplay11": 58.5},
    "Rasa with ConveRT + DIET, HINT3 v1 (published)": {"sofmattress": 69.3, "powerplay11": 49.1},
    "Dialogflow, HINT3 v1 (published)": {"sofmattress": 73.2, "powerplay11": 59.6},
    "LUIS, HINT3 v1 (published)": {"sofmattress": 59.3, "powerplay11": 48.0},
    "Haptik, HINT3 v1 (published)": {"sofmattress": 72.3, "powerplay11": 66.5},
}  # fmt: skip
_SOURCES = (
    "Published: CPFT: Zhang et al., 2021, arXiv:2109.06349; DNNC: Zhang et al., 2020, "
    "arXiv:2010.13009; USE + ConveRT: Casanueva et al., 2020, arXiv:2003.04807; HINT3: Arora et "
    "al., 2020, arXiv:2009.13833, measured on the first version of its labels."
)
_FALLBACKS = (
    "Rejection: of our classifier below confidence 0.5; of the other pipelines by the "
    "FallbackClassifier that `rasa init` writes (0.3, ambiguity 0.1)."
)

# Line -> task -> means of the measures, and one curve.
Lines = Dict[str, Dict[str, Dict[str, Any]]]


def measured_lines(
    evaluation: Sequence[Mapping[str, Any]], pipelines: Sequence[Mapping[str, Any]]
) -> Lines:
    """Returns what was measured by line and task, in reading order.

    Args:
        evaluation: Rows of `rasa-tokprune evaluate`; those learned from a whole file count,
            several seeds are averaged.
        pipelines: Rows of `rasa_tokprune.evaluation.pipelines`.
    """
    groups: Dict[str, Dict[str, List[Mapping[str, Any]]]] = {}
    for row in evaluation:
        if row["shots"] == "all":
            groups.setdefault(_own_text(row), {}).setdefault(row["task"], []).append(row)
    for name, text in _PIPELINE_TEXT.items():
        for row in pipelines:
            if row["pipeline"] == name:
                groups.setdefault(text, {}).setdefault(row["task"], []).append(row)
    return {
        text: {task: _mean(rows) for task, rows in by_task.items()}
        for text, by_task in groups.items()
    }


def _own_text(row: Mapping[str, Any]) -> str:
    model = "" if row["model"] == _DEFAULT_MODEL else f", {row['model']}"
    plan = "un-pruned" if row["plan"] == "off" else f"plan `{row['plan']}`"
    return f"our classifier, {plan}, {row['precision']}{model}"


def _mean(rows: Sequence[Mapping[str, Any]]) -> Dict[str, Any]:
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


def render_accuracy(lines: Lines) -> str:
    """Returns a Markdown table of accuracies, measured ones first, then published ones."""
    tasks = tasks_of(lines)
    table = [f"| accuracy % | {' | '.join(tasks)} |", "|---|" + "--:|" * len(tasks)]
    for text, by_task in lines.items():
        cells = [_cell(by_task.get(task), "accuracy", 100, 1) for task in tasks]
        table.append(f"| {text} | {' | '.join(cells)} |")
    for text, figures in PUBLISHED.items():
        cells = [f"{figures[task]:.1f}" if task in figures else "" for task in tasks]
        if any(cells):
            table.append(f"| {text} | {' | '.join(cells)} |")
    return "\n".join([*table, "", _SOURCES])


def render_trust(lines: Lines) -> str:
    """Returns a Markdown table of calibration and out-of-scope detection, task by task."""
    table = [
        "| task | pipeline | ECE | OOS AUROC | OOS recall % | in-scope rejected % "
        "| right answers rejected % |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for task in tasks_of(lines):
        for text, by_task in lines.items():
            if task not in by_task:
                continue
            found = by_task[task]
            cells = [_cell(found, "ece", 1, 3), _cell(found, "oos_auroc", 1, 3)]
            cells += [
                _cell(found, name, 100, 1)
                for name in ("oos_recall", "in_scope_rejection", "right_rejection")
            ]
            table.append(f"| {task} | {text} | {' | '.join(cells)} |")
    return "\n".join([*table, "", _FALLBACKS])


def render_claim(lines: Lines) -> str:
    """Returns a short Markdown table of what is caught on the tasks with out-of-scope messages."""
    tasks = [
        t for t in tasks_of(lines) if any("oos_auroc" in by.get(t, {}) for by in lines.values())
    ]
    head = "AUROC: out of scope caught % / in scope lost %"
    table = [
        f"| {head} | {' | '.join(tasks)} |",
        "|---|" + "--:|" * len(tasks),
    ]
    for text, by_task in lines.items():
        if text in (_PIPELINE_TEXT["tokprune"], _PIPELINE_TEXT["tokprune_default"]):
            continue  # the same numbers once more
        cells = [
            f"{_cell(found, 'oos_auroc', 1, 2)}: {_cell(found, 'oos_recall', 100, 0)} / "
            f"{_cell(found, 'in_scope_rejection', 100, 0)}"
            if "oos_auroc" in found
            else ""
            for found in (by_task.get(task, {}) for task in tasks)
        ]
        table.append(f"| {text} | {' | '.join(cells)} |")
    return "\n".join(table)


def _cell(found: Optional[Mapping[str, Any]], name: str, scale: float, n_digits: int) -> str:
    if found is None or name not in found:
        return ""
    return f"{scale * found[name]:.{n_digits}f}"


def main() -> None:
    """Parses the command line, updates the tables and draws the plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--evaluation", type=Path, required=True)
    parser.add_argument("--pipelines", type=Path, required=True)
    parser.add_argument("--markdown", type=Path, help="document with both markers")
    parser.add_argument("--readme", type=Path, help="document with the marker of the short table")
    parser.add_argument("--plot", type=Path, help="PNG file")
    arguments = parser.parse_args()
    lines = measured_lines(read_rows(arguments.evaluation), read_rows(arguments.pipelines))
    if arguments.markdown:
        update_table(arguments.markdown, render_accuracy(lines), ACCURACY_MARKER)
        update_table(arguments.markdown, render_trust(lines), TRUST_MARKER)
    if arguments.readme:
        update_table(arguments.readme, render_claim(lines), CLAIM_MARKER)
    if arguments.plot:
        draw_plot(lines, tasks_of(lines), arguments.plot)


if __name__ == "__main__":
    main()
