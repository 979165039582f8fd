"""Tables and plots of the engine benchmarks."""

from __future__ import annotations

import functools
from typing import Any, Mapping, Sequence, Tuple

from benchmarks.engines.registry import REFERENCE, engines_of
from benchmarks.latency.blocks import latest_machine, render_blocks, texts_per_s
from benchmarks.latency.plots import draw_latency, draw_shapes, draw_throughput
from benchmarks.latency.savings import break_even_table, pruning_table, shapes_table
from benchmarks.names import ENGINES
from benchmarks.rows import Rows, distinct, select
from benchmarks.tables import NOTHING, Plot, Table, machine_line, markdown_table
from rasa_tokprune.texts.lengths import BUCKETS

LATENCY, LATENCY_WITHOUT_AVX512 = "latency", "latency without AVX-512"
START_STEPS = ("import_ms", "load_ms", "first_ms", "train_ms")
# Whom the others are compared with.
BASELINE = REFERENCE
# The README's sentence: which engine, against which, at which lengths.
_OURS, _RIVAL = "ours:native:int8:off", "onnxruntime:int8"
_SHORT, _LONG = 8, 256
# Rows by engine and length.
Cells = Mapping[Tuple[str, Any], Mapping[str, Any]]


def latency_table(
    rows: Rows, *, kind: str, time: str = "median_ms", benchmark: str = LATENCY
) -> str:
    """Returns medians by engine and length, times faster than the baseline in brackets.

    Args:
        rows: Raw measurements.
        kind: 'exact' (texts of exactly so many tokens) or 'messages' (real ones, by bucket).
        time: 'median_ms' of warm calls, shown with their p95, or 'first_median_ms' of calls with
            cold caches.
        benchmark: LATENCY or LATENCY_WITHOUT_AVX512.
    """
    rows = select(rows, benchmark=benchmark, kind=kind)
    field = "tokens" if kind == "exact" else "bucket"
    columns = distinct(rows, "tokens") if kind == "exact" else [name for name, _, _ in BUCKETS]
    return render_blocks(rows, lambda own: _latency_lines(own, field, columns, time))


def _latency_lines(rows: Rows, field: str, columns: Sequence[Any], time: str) -> str:
    cells = {(row["engine"], row.get(field)): row for row in rows}
    columns = [column for column in columns if any(key[1] == column for key in cells)]
    lines = [
        [engine, *(_latency_cell(cells, engine, column, time) for column in columns)]
        for engine in engines_of(rows)
    ]
    head = "ms: median / p95" if time == "median_ms" else "ms: median"
    return markdown_table([head, *(f"{column} tokens" for column in columns)], lines)


def _latency_cell(cells: Cells, engine: str, column: Any, time: str) -> str:
    row, other = cells.get((engine, column)), cells.get((BASELINE, column))
    if row is None or time not in row:
        return ""
    text = f"{row[time]:.2f}"
    if time == "median_ms":
        text += f" / {row['p95_ms']:.2f}"
    if other is None or engine == BASELINE:
        return text
    return f"{text} ({other[time] / row[time]:.1f}x)"


def speed_table(rows: Rows, lengths: Sequence[int] = (8, 16, 64, 256)) -> str:
    """Returns the short table of the README: one thread, texts of exact lengths."""
    rows = latest_machine(select(rows, benchmark=LATENCY, kind="exact", threads=1))
    cells = {(row["engine"], row["tokens"]): row for row in rows}
    lines = [
        [
            name.long,
            *(_latency_cell(cells, engine, n, "median_ms") for n in lengths),
            _mean_cosine([cells[engine, n] for n in lengths if (engine, n) in cells]),
        ]
        for engine, name in ENGINES.items()
        if any(key[0] == engine for key in cells)
    ]
    head = ["ms: median / p95", *(f"{n} tokens" for n in lengths), "cosine to fp32"]
    return f"{markdown_table(head, lines)}\n\n{machine_line(rows)}" if lines else NOTHING


def _mean_cosine(rows: Rows) -> str:
    """Returns how near an engine's embeddings are to the original model's."""
    found = [row["cosine"] for row in rows if "cosine" in row]
    return f"{sum(found) / len(found):.3f}" if found else ""


def speed_claim(rows: Rows) -> str:
    """Returns one sentence: our un-pruned engine against others, shortest and longest texts."""
    rows = latest_machine(select(rows, benchmark=LATENCY, kind="exact", threads=1))
    times = {(row["engine"], row["tokens"]): row["median_ms"] for row in rows}
    lengths = (_SHORT, _LONG)
    if not all((engine, n) in times for engine in (_OURS, _RIVAL, BASELINE) for n in lengths):
        return NOTHING
    against = [
        " and ".join(f"{times[engine, n] / times[_OURS, n]:.1f}" for n in lengths)
        for engine in (BASELINE, _RIVAL)
    ]
    return (
        f"**An answer costs {times[_OURS, _SHORT]:.1f} ms of encoding at {_SHORT} tokens and "
        f"{times[_OURS, _LONG]:.0f} ms at {_LONG}, un-pruned, on one core: {against[0]} times "
        f"faster than sentence-transformers, {against[1]} times faster than ONNX Runtime's int8 "
        f"BERT.**"
    )


def throughput_table(rows: Rows) -> str:
    """Returns texts and tokens per second, times the baseline."""
    return render_blocks(rows, _throughput_lines)


def _throughput_lines(rows: Rows) -> str:
    own = {row["engine"]: row for row in rows}
    lines = []
    for engine in engines_of(rows):
        row = own[engine]
        rate = texts_per_s(row)
        ratio = f"{rate / texts_per_s(own[BASELINE]):.1f}x" if BASELINE in own else ""
        tokens = f"{rate * row['n_tokens_mean']:,.0f}"
        lines.append([engine, f"{rate:,.0f}", tokens, ratio, _mean_cosine([row])])
    head = ["engine", "texts/s", "tokens/s", f"against {BASELINE}", f"cosine to {REFERENCE}"]
    return markdown_table(head, lines)


def start_table(rows: Rows) -> str:
    """Returns the milliseconds of each step, one line for each engine and kind of start."""
    if not rows:
        return NOTHING
    lines = [
        [row["engine"].replace(":", " "), row["kind"], *(f"{row[n]:,.0f}" for n in START_STEPS)]
        for row in rows
    ]
    table = markdown_table(
        ["ms", "start", "import", "load", "first answer", "training"], lines, n_left=2
    )
    row = rows[0]
    about = f"{row['task']}, {row['n_examples']} examples, {row['threads']} thread(s)."
    return f"{table}\n\n{about}"


def builds_table(rows: Rows) -> str:
    """Returns, for each build, how many embeddings equal the fastest build's, and the time."""
    return render_blocks(rows, _builds_lines)


def _builds_lines(rows: Rows) -> str:
    lines = [
        [
            row["engine"],
            row["kind"],
            f"{row['n_same']:,} of {row['n_texts']:,}",
            f"{row['median_ms']:.2f}",
        ]
        for row in rows
    ]
    head = ["build", "plan", "embeddings equal to the last bit", "ms, one message"]
    return markdown_table(head, lines, n_left=2)


_DOCUMENT = "docs/benchmarks.md"
_ROWS = ("latency.jsonl",)
_exact = functools.partial(latency_table, kind="exact")
TABLES = (
    Table("speed_claim", "docs/benchmarks.md", _ROWS, speed_claim),
    Table("speed", "docs/benchmarks.md", _ROWS, speed_table),
    Table("bench_latency", _DOCUMENT, _ROWS, _exact),
    Table("bench_first", _DOCUMENT, _ROWS, functools.partial(_exact, time="first_median_ms")),
    Table("bench_messages", _DOCUMENT, _ROWS, functools.partial(latency_table, kind="messages")),
    Table(
        "bench_avx2", _DOCUMENT, _ROWS, functools.partial(_exact, benchmark=LATENCY_WITHOUT_AVX512)
    ),
    Table("bench_pruning", _DOCUMENT, _ROWS, pruning_table),
    Table("bench_break_even", _DOCUMENT, _ROWS, break_even_table),
    Table("bench_throughput", _DOCUMENT, ("throughput.jsonl",), throughput_table),
    Table("builds", "docs/builds.md", ("builds.jsonl",), builds_table),
    Table("bench_shapes", _DOCUMENT, ("shapes.jsonl",), shapes_table),
    Table("bench_start", _DOCUMENT, ("start.jsonl",), start_table),
)
PLOTS = (
    Plot("docs/bench_latency.png", _ROWS, draw_latency),
    Plot("docs/bench_throughput.png", ("throughput.jsonl",), draw_throughput),
    Plot("docs/bench_shapes.png", ("shapes.jsonl",), draw_shapes),
)
