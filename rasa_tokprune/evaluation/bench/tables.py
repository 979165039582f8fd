"""Markdown tables of the engine benchmarks; they read raw rows and nothing else."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from rasa_tokprune.evaluation.bench.break_even import break_even_lengths
from rasa_tokprune.evaluation.bench.engines.registry import DEFAULT, MILD, OURS, REFERENCE
from rasa_tokprune.evaluation.bench.rows import Row
from rasa_tokprune.evaluation.bench.texts import BUCKETS

BASELINE = REFERENCE
NOTHING = "Not measured yet."


def select(rows: Sequence[Row], **wanted: Any) -> List[Row]:
    """Returns the rows with these values."""
    return [row for row in rows if all(row.get(key) == value for key, value in wanted.items())]


def distinct(rows: Sequence[Row], key: str) -> List[Any]:
    """Returns the values of a field, sorted."""
    return sorted({row[key] for row in rows if key in row})


def engines_of(rows: Sequence[Row]) -> List[str]:
    """Returns the engines in reading order: the peers, then ours."""
    known = {name: number for number, name in enumerate(DEFAULT)}
    return sorted(distinct(rows, "engine"), key=lambda name: (known.get(name, len(known)), name))


def grid(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Returns a Markdown table, all but the first column right-aligned."""
    rule = "|---|" + "--:|" * (len(head) - 1)
    return "\n".join(["| " + " | ".join(line) + " |" for line in (head,)] + [rule]
                     + ["| " + " | ".join(line) + " |" for line in lines])  # fmt: skip


def machine_line(rows: Sequence[Row]) -> str:
    """Returns one line on the machine, the versions and the days."""
    last = rows[-1]["environment"]
    found: Dict[str, List[str]] = {}
    for row in rows:
        for name, version in row["environment"]["versions"].items():
            if version not in found.setdefault(name, []):
                found[name].append(version)
    versions = ", ".join(f"{name} {' or '.join(several)}" for name, several in found.items())
    days = sorted({row["environment"]["date"] for row in rows})
    day = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    cpu = f"{last['cpu']}, {last['cores']} usable cores ({', '.join(last['flags'])})"
    return f"{cpu}; {versions}; {day}."


def latency_table(
    rows: Sequence[Row],
    *,
    kind: str,
    baseline: str = BASELINE,
    time: str = "median_ms",
    benchmark: str = "latency",
) -> str:
    """Returns medians by engine and length, times faster than a baseline in brackets.

    Args:
        rows: Raw measurements.
        kind: 'exact' (texts of exactly so many tokens) or 'messages' (real ones, by bucket).
        baseline: Engine the others are compared with.
        time: 'median_ms' of warm calls, shown with their p95, or 'first_median_ms' of calls with
            cold caches.
        benchmark: Which latency benchmark, see `latency`.
    """
    rows = select(rows, benchmark=benchmark, kind=kind)
    field = "tokens" if kind == "exact" else "bucket"
    columns = distinct(rows, "tokens") if kind == "exact" else [name for name, _, _ in BUCKETS]
    return _by_threads(rows, lambda own: _latency_lines(own, field, columns, baseline, time))


def _latency_lines(
    rows: Sequence[Row], field: str, columns: Sequence[Any], baseline: str, time: str
) -> str:
    cells = {(row["engine"], row.get(field)): row for row in rows}
    columns = [column for column in columns if any(key[1] == column for key in cells)]
    lines = [
        [engine, *(latency_cell(cells, engine, column, baseline, time) for column in columns)]
        for engine in engines_of(rows)
    ]
    head = "ms: median / p95" if time == "median_ms" else "ms: median"
    return grid([head, *(f"{column} tokens" for column in columns)], lines)


def latency_cell(
    cells: Dict[Tuple[str, Any], Row], engine: str, column: Any, baseline: str, time: str
) -> str:
    """Returns one engine's time at one length, and how many times faster than a baseline."""
    row, other = cells.get((engine, column)), cells.get((baseline, column))
    if row is None or time not in row:
        return ""
    text = f"{row[time]:.2f}"
    if time == "median_ms":
        text += f" / {row['p95_ms']:.2f}"
    if other is None or engine == baseline:
        return text
    return f"{text} ({other[time] / row[time]:.1f}x)"


def pruning_table(rows: Sequence[Row]) -> str:
    """Returns, for each pruned engine, the time saved against the same engine un-pruned."""
    rows = select(rows, benchmark="latency", kind="exact")
    return _by_threads(rows, _pruning_lines)


def _pruning_lines(rows: Sequence[Row]) -> str:
    columns = distinct(rows, "tokens")
    cells = {(row["engine"], row["tokens"]): row for row in rows}
    lines = []
    for engine in engines_of(rows):
        if not engine.startswith(OURS) or engine.endswith(":off"):
            continue
        unpruned = ":".join([*engine.split(":", 3)[:3], "off"])
        line = [engine]
        for column in columns:
            row, other = cells.get((engine, column)), cells.get((unpruned, column))
            line.append("" if row is None or other is None else _saved_cell(row, other))
        lines.append(line)
    if not lines:
        return NOTHING
    return grid(["time saved % (cost)", *(f"{column} tokens" for column in columns)], lines)


def _saved_cell(row: Row, unpruned: Row) -> str:
    cost = f" ({row['cost']:.2f})" if "cost" in row else ""
    return f"{time_saved(row, unpruned):.0f}{cost}"


def time_saved(row: Row, unpruned: Row) -> float:
    """Returns the share of the un-pruned median that is saved, in percent."""
    return float(100 * (1 - row["median_ms"] / unpruned["median_ms"]))


def throughput_table(rows: Sequence[Row], *, baseline: str = BASELINE) -> str:
    """Returns texts and tokens per second, times a baseline in brackets."""

    def lines(chosen: Sequence[Row]) -> str:
        speed = {row["engine"]: texts_per_s(row) for row in chosen}
        body = []
        for row in sorted(chosen, key=lambda row: engines_of(chosen).index(row["engine"])):
            rate = speed[row["engine"]]
            ratio = f"{rate / speed[baseline]:.1f}x" if baseline in speed else ""
            tokens = f"{rate * row['n_tokens_mean']:,.0f}"
            cosine = f"{row['cosine']:.3f}" if "cosine" in row else ""
            body.append([row["engine"], f"{rate:,.0f}", tokens, ratio, cosine])
        head = ["engine", "texts/s", "tokens/s", f"against {baseline}", f"cosine to {REFERENCE}"]
        return grid(head, body)

    return _by_threads(select(rows, benchmark="throughput"), lines)


def texts_per_s(row: Row) -> float:
    """Returns the texts per second of a throughput row."""
    return float(row["n_texts"] / row["median_ms"] * 1e3)


def break_even_table(rows: Sequence[Row]) -> str:
    """Returns, for each backend and precision, from which length pruning saves time."""
    head = ["backend, precision", "plan", "1 thread", "2 threads"]
    lines = []
    for plan in (MILD, "freeze", "drop"):
        found = [break_even_lengths(rows, plan=plan, threads=threads) for threads in (1, 2)]
        for name in sorted({name for lengths in found for name in lengths}):
            cells = [_length(lengths, name) for lengths in found]
            lines.append([name, plan, *cells])
    return grid(head, lines) if lines else NOTHING


def _length(lengths: Dict[str, Optional[int]], name: str) -> str:
    if name not in lengths:
        return ""
    return "never" if lengths[name] is None else f"{lengths[name]} tokens"


def _by_threads(rows: Sequence[Row], lines: Callable[[Sequence[Row]], str]) -> str:
    return "\n\n".join(_blocks(rows, lines)) if rows else NOTHING


def _blocks(rows: Sequence[Row], lines: Callable[[Sequence[Row]], str]) -> Iterator[str]:
    """Yields a title and a table for each model and number of threads, then the machine."""
    for model in distinct(rows, "model"):
        for threads in distinct(rows, "threads"):
            chosen = select(rows, model=model, threads=threads)
            if chosen:
                yield f"{model}, {threads} thread" + "s" * (threads > 1) + ":"
                yield lines(chosen)
    notes = sorted({f"{row['engine']}: {row['variant']}" for row in rows if "variant" in row})
    yield "; ".join([*notes, machine_line(rows)])
