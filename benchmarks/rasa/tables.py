"""Tables and the plot of whole Rasa."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any, List, Mapping, Optional, Set, Tuple

from benchmarks.names import task_title
from benchmarks.plots import draw_both
from benchmarks.rasa import faq, parse
from benchmarks.rasa.pipelines import FLOOR, PIPELINES, TITLES
from benchmarks.rows import Rows, distinct, in_order, select
from benchmarks.tables import NOTHING, Plot, Table, machine_line, markdown_table, versions_of
from rasa_tokprune.plots.panel import Panel

_CONFIG_TEXT = {
    "config.yml": "our classifier",
    "config_featurizer.yml": "our featurizer + DIET",
    "config_diet.yml": "Rasa's default (DIET)",
}
_PRUNE_TEXT = {"off": "un-pruned", "default": "default (`light`)", "none": "-"}
# Config, how it is pruned, words at its line, whose colour it has, and matplotlib's line style.
_CURVES = (
    ("config.yml", "freeze", "our classifier,\ntokens frozen", "off", "-"),
    ("config.yml", "drop", "our classifier,\ntokens dropped", "off", "--"),
    ("config_featurizer.yml", "drop", "our featurizer + DIET,\ntokens dropped", "features", "--"),
)

Row = Mapping[str, Any]


def servers_table(rows: Rows) -> str:
    """Returns training, model size, memory and answer times of whole Rasa."""
    if not rows:
        return NOTHING
    order = {name: number for number, name in enumerate(PIPELINES)}
    head = ["pipeline", "accuracy %", "train s", "train peak MB", "model MB", "server RSS MB",
            "more than Rasa alone MB", "parse p50 / p95 ms", "8 clients: p50 / p95 ms",
            "requests/s"]  # fmt: skip
    parts = []
    for task in distinct(rows, "task"):
        for threads in distinct(select(rows, task=task), "threads"):
            chosen = select(rows, task=task, threads=threads)
            floor = select(chosen, pipeline=FLOOR)
            lines = [
                _server_line(row, floor[0] if floor else None)
                for row in sorted(chosen, key=lambda row: order[row["pipeline"]])
            ]
            plural = "s" * (threads > 1)
            parts += [f"{task}, server on {threads} core{plural}:", markdown_table(head, lines)]
    return "\n\n".join([*parts, machine_line(rows)])


def _server_line(row: Row, floor: Optional[Row]) -> List[str]:
    one, eight = row["clients_1"], row["clients_8"]
    settings = ", ".join(f"{key}: {value}" for key, value in row["settings"].items())
    return [
        TITLES[row["pipeline"]] + (f" ({settings})" if settings else ""),
        "" if row["accuracy"] is None else f"{100 * row['accuracy']:.1f}",
        f"{row['train_s']:.0f}",
        f"{row['train_peak_mb']:.0f}",
        f"{row['model_mb']:.1f}",
        f"{row['rss_mb']:.0f}",
        "" if floor is None else f"{row['rss_mb'] - floor['rss_mb']:.0f}",
        f"{one['p50_ms']:.1f} / {one['p95_ms']:.1f}",
        f"{eight['p50_ms']:.1f} / {eight['p95_ms']:.1f}",
        f"{eight['requests_per_s']:.0f}",
    ]


def runs_table(rows: Rows) -> str:
    """Returns one line for each pipeline and pruning, with three columns for each task."""
    tasks = _tasks(rows)
    head = ["pipeline", "pruning"]
    for task in tasks:
        head += [f"{task}: accuracy %", "train s", "parse p50 ms"]
    lines = []
    pairs: Set[Tuple[str, str]] = {(row["config"], row["prune"]) for row in rows}
    for config, prune in sorted(pairs, key=_reading_order):
        line = [_CONFIG_TEXT[config], _PRUNE_TEXT.get(prune, prune)]
        for task in tasks:
            row = _find(rows, task, config, prune)
            line += _run_cells(row) if row is not None else ["", "", ""]
        lines.append(line)
    environment = rows[0]["environment"]
    cores = f"pinned to {environment['cores']} core" + "s" * (environment["cores"] > 1)
    about = f"{environment['cpu']}, {cores}, batch size 1; {versions_of(rows)}."
    return f"{markdown_table(head, lines, n_left=2)}\n\n{about}"


def _run_cells(row: Row) -> List[str]:
    return [
        f"{100 * row['accuracy']:.1f}",
        f"{row['train_s']:.0f}",
        f"{row['parse_p50_ms']:.1f}",
    ]


def runs_claim(rows: Rows) -> str:
    """Returns the README's first sentence: the original model against Rasa's default pipeline.

    Un-pruned: the default plan's adapter has seen intents of some tasks.
    """
    parts = []
    for task in distinct(rows, "task"):
        ours = _find(rows, task, "config.yml", "off")
        diet = _find(rows, task, "config_diet.yml", "none")
        if ours is not None and diet is not None:
            parts.append(
                f"{100 * ours['accuracy']:.1f}% on {task} against {100 * diet['accuracy']:.1f}%, "
                f"trained in {ours['train_s']:.0f} s instead of {diet['train_s']:.0f} s"
            )
    return (
        f"**More right answers from few examples than Rasa's default pipeline, un-pruned: "
        f"{'; '.join(parts)}; on one CPU core.**"
    )


def draw_quantiles(rows: Rows, path: Path) -> None:
    """Draws accuracy against the pruning quantile, one panel per task."""
    tasks = _tasks(rows)

    def draw(panels: List[Panel]) -> None:
        for panel, task in zip(panels, tasks):
            for config, mode, words, thing, dash in _CURVES:
                points = _curve(select(rows, task=task, config=config), mode)
                if points:
                    panel.line(*zip(*points), thing=thing, label=words, dash=dash)
            diet = _find(rows, task, "config_diet.yml", "none")
            if diet is not None:
                panel.rule(100 * diet["accuracy"], thing="diet", label=_CONFIG_TEXT[diet["config"]])
            panel.describe(
                title=task_title(task),
                y="accuracy, %",
                x="share of the tokens that is pruned after the second of six layers",
            )

    draw_both(path, draw, height=2.9 * len(tasks), n_rows=len(tasks))


def parse_table(rows: Rows) -> str:
    """Returns messages a second of `rasa-tokprune parse`, one line for each pipeline."""
    measured = {(row["threads"], row["batch_size"]): row["n_messages"] for row in rows}
    columns = sorted(measured)
    cores = {threads: f"{threads} core{'s' * (threads > 1)}" for threads, _ in columns}
    words = {size: "one at a time" if size == 1 else f"{size} together" for _, size in columns}
    head = ["messages a second", *(f"{words[size]}, {cores[own]}" for own, size in columns)]
    lines = []
    for name in in_order(rows, "pipeline"):
        is_own = name == parse.OWN
        title = f"the example bot's `{name}`" if is_own else f'classifier alone, `prune: "{name}"`'
        cells = [
            select(rows, pipeline=name, threads=threads, batch_size=size)
            for threads, size in columns
        ]
        lines.append([title, *(_messages_a_second(*cell) if cell else "" for cell in cells)])
    counts = {size: f"{measured[own, size]:,} different messages" for own, size in columns}
    asked = " and ".join(f"{counts[size]} {words[size]}" for size in sorted(words))
    n_runs = min(len(row["seconds"]) for row in rows)
    load = max(row["load_average"] for row in rows)
    runs = "one run" if n_runs == 1 else f"{n_runs} runs"
    about = f"Median of {runs} over {asked}; load average before: {load:.2f}."
    return "\n\n".join([markdown_table(head, lines), about, machine_line(rows)])


def _messages_a_second(row: Row) -> str:
    return f"{row['n_messages'] / median(row['seconds']):,.0f}"


def cross_validation_table(rows: Rows) -> str:
    """Returns accuracy and F1, one line for each pipeline."""
    lines = [
        [row["pipeline"], f"{100 * row['accuracy']:.1f}", f"{100 * row['f1']:.1f}"] for row in rows
    ]
    return markdown_table(["pipeline", "accuracy %", "weighted F1 %"], lines)


def faq_table(rows: Rows) -> str:
    """Returns one line for each response selector, with two columns for each bot."""
    bots = in_order(rows, "bot")
    head = ["selector", "epochs"]
    for bot in bots:
        head += [f"{bot}: right %", "train s"]
    lines = []
    for name, title in faq.TITLES.items():
        for epochs in in_order(select(rows, pipeline=name), "epochs"):
            line = [title, "" if epochs is None else str(epochs)]
            for bot in bots:
                line += _faq_cells(select(rows, bot=bot, pipeline=name, epochs=epochs))
            lines.append(line)
    sizes = [
        f"{bot}: {row['n_keys']} keys, {row['n_examples']} examples, {row['n_messages']} messages"
        for bot, row in ((bot, select(rows, bot=bot)[0]) for bot in bots)
    ]
    n_seeds = len({row["seed"] for row in rows} - {None})
    about = f"{'; '.join(sizes)}.\nOf Rasa's selector the worst and the best of {n_seeds} seeds."
    return "\n\n".join([markdown_table(head, lines), about, machine_line(rows)])


def _faq_cells(rows: Rows) -> List[str]:
    """Returns right answers over all seeds, and mean seconds; nothing if there is no row."""
    if not rows:
        return ["", ""]
    shares = [100 * row["accuracy"] for row in rows]
    low, high = f"{min(shares):.1f}", f"{max(shares):.1f}"
    right = low if low == high else f"{low} to {high}"
    return [right, f"{sum(row['train_s'] for row in rows) / len(rows):.0f}"]


def _tasks(rows: Rows) -> List[str]:
    return distinct(rows, "task")[::-1]


def _reading_order(pair: Tuple[str, str]) -> Tuple[int, int, str]:
    config, prune = pair
    first = ("none", "off", "default")
    rank = first.index(prune) if prune in first else len(first)
    return list(_CONFIG_TEXT).index(config), rank, prune


def _curve(rows: Rows, mode: str) -> List[Tuple[float, float]]:
    points = [(0.0, 100 * row["accuracy"]) for row in rows if row["prune"] == "off"]
    points += [
        (row["keys"]["quantile"], 100 * row["accuracy"])
        for row in rows
        if row["prune"].startswith(mode)
    ]
    return sorted(points)


def _find(rows: Rows, task: str, config: str, prune: str) -> Optional[Row]:
    return next(iter(select(rows, task=task, config=config, prune=prune)), None)


_RUNS_DOCUMENT = "docs/whole-rasa.md"
TABLES = (
    Table("claim", _RUNS_DOCUMENT, ("runs.jsonl",), runs_claim),
    Table("rasa_runs", _RUNS_DOCUMENT, ("runs.jsonl",), runs_table),
    Table("financial_demo", _RUNS_DOCUMENT, ("financial_demo.jsonl",), cross_validation_table),
    Table("parse", "docs/commands/parse.md", ("parse.jsonl",), parse_table),
    Table("faq", "docs/response-selector.md", ("faq.jsonl",), faq_table),
    Table("bench_rasa", "docs/benchmarks.md", ("servers.jsonl",), servers_table),
)
PLOTS = (Plot("docs/quantiles.png", ("runs.jsonl",), draw_quantiles),)
