r"""Turns the raw lines of rasa_runs into a Markdown table and a plot.

python -m rasa_tokprune.evaluation.rasa_table docs/data/rasa_runs.jsonl \
    --readme README.md --plot docs/quantiles.png
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

MARKER = "rasa_runs"
CLAIM_MARKER = "claim"
_END = "<!-- end table -->"

_CONFIG_TEXT = {
    "config.yml": "our classifier",
    "config_featurizer.yml": "our featurizer + DIET",
    "config_diet.yml": "Rasa's default (DIET)",
}
_PRUNE_TEXT = {"off": "un-pruned", "default": "default (`light`)", "none": "-"}


def read_rows(path: Path) -> List[Dict[str, Any]]:
    """Returns the raw measurements."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_rows(rows: Sequence[Dict[str, Any]], path: Path) -> None:
    """Writes raw measurements, one JSON line each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def render(rows: Sequence[Dict[str, Any]]) -> str:
    """Returns a Markdown table, one line per pipeline and pruning, one block per task."""
    tasks = sorted({row["task"] for row in rows}, reverse=True)
    head = "| pipeline | pruning |"
    rule = "|---|---|"
    for task in tasks:
        head += f" {task}: accuracy % | train s | parse p50 ms |"
        rule += "--:|--:|--:|"
    lines = [head, rule]
    pairs = {(row["config"], row["prune"]) for row in rows}
    for config, prune in sorted(pairs, key=_reading_order):
        line = f"| {_CONFIG_TEXT[config]} | {_PRUNE_TEXT.get(prune, prune)} |"
        for task in tasks:
            row = _find(rows, task, config, prune)
            line += " | | |" if row is None else (
                f" {100 * row['accuracy']:.1f} | {row['train_s']:.0f} | {row['parse_p50_ms']:.1f} |"
            )  # fmt: skip
        lines.append(line)
    environment = rows[0]["environment"]
    versions = ", ".join(f"{name} {version}" for name, version in environment["versions"].items())
    cores = f"pinned to {environment['cores']} core" + "s" * (environment["cores"] > 1)
    lines += ["", f"{environment['cpu']}, {cores}, batch size 1; {versions}."]
    return "\n".join(lines)


def render_claim(rows: Sequence[Dict[str, Any]]) -> str:
    """Returns the README's first sentence: the original model against Rasa's default pipeline.

    Un-pruned: the default plan's adapter has seen intents of some tasks.
    """
    parts = []
    for task in sorted({row["task"] for row in rows}):
        ours, diet = (
            _find(rows, task, config, prune)
            for config, prune in (("config.yml", "off"), ("config_diet.yml", "none"))
        )
        if ours is not None and diet is not None:
            parts.append(
                f"{100 * ours['accuracy']:.1f}% on {task} against {100 * diet['accuracy']:.1f}%, "
                f"trained in {ours['train_s']:.0f} s instead of {diet['train_s']:.0f} s"
            )
    return (
        f"**More right answers from few examples than Rasa's default pipeline, un-pruned: "
        f"{'; '.join(parts)}; on one CPU core.**"
    )


def _reading_order(pair: Tuple[str, str]) -> Tuple[int, int, str]:
    config, prune = pair
    first = ("none", "off", "default")
    rank = first.index(prune) if prune in first else len(first)
    return list(_CONFIG_TEXT).index(config), rank, prune


def replace_table(text: str, table: str, marker: str) -> str:
    """Returns a document with the table behind `<!-- table:marker -->` replaced."""
    start = f"<!-- table:{marker} -->"
    before, rest = text.split(start)
    _, after = rest.split(_END, 1)
    return f"{before}{start}\n{table}\n{_END}{after}"


def update_table(document: Path, table: str, marker: str) -> None:
    """Replaces the table behind `<!-- table:marker -->` in a document."""
    text = document.read_text(encoding="utf-8")
    document.write_text(replace_table(text, table, marker), encoding="utf-8")


def draw_plot(rows: Sequence[Dict[str, Any]], path: Path) -> None:
    """Draws accuracy against the pruning quantile, one panel per task."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    tasks = sorted({row["task"] for row in rows}, reverse=True)
    figure, axes = plt.subplots(1, len(tasks), figsize=(5.5 * len(tasks), 4), squeeze=False)
    for axis, task in zip(axes[0], tasks):
        for config, mode, label in (
            ("config.yml", "freeze", "our classifier, freeze"),
            ("config.yml", "drop", "our classifier, drop (paper)"),
            ("config_featurizer.yml", "drop", "our featurizer + DIET, drop"),
        ):
            points = _curve(rows, task, config, mode)
            if points:
                axis.plot(*zip(*points), marker="o", label=label)
        diet = _find(rows, task, "config_diet.yml", "none")
        if diet is not None:
            axis.axhline(100 * diet["accuracy"], color="gray", ls="--", label="Rasa's default")
        axis.set(title=task, xlabel="pruning quantile after layer 1", ylabel="accuracy %")
        axis.grid(alpha=0.3)
    axes[0][0].legend(loc="center left", fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _curve(
    rows: Sequence[Dict[str, Any]], task: str, config: str, mode: str
) -> List[Tuple[float, float]]:
    points: List[Tuple[float, float]] = []
    for row in rows:
        if (row["task"], row["config"]) != (task, config):
            continue
        if row["prune"] == "off":
            points.append((0.0, 100 * row["accuracy"]))
        elif row["prune"].startswith(mode):
            points.append((row["keys"]["quantile"], 100 * row["accuracy"]))
    return sorted(points)


def _find(
    rows: Sequence[Dict[str, Any]], task: str, config: str, prune: str
) -> Optional[Dict[str, Any]]:
    for row in rows:
        if (row["task"], row["config"], row["prune"]) == (task, config, prune):
            return row
    return None


def main() -> None:
    """Parses the command line, updates the README and draws the plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--readme", type=Path, required=True)
    parser.add_argument("--plot", type=Path, required=True)
    arguments = parser.parse_args()
    rows = read_rows(arguments.data)
    update_table(arguments.readme, render(rows), MARKER)
    update_table(arguments.readme, render_claim(rows), CLAIM_MARKER)
    draw_plot(rows, arguments.plot)


if __name__ == "__main__":
    main()
