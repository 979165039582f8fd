"""Writes every table and plot from the raw rows."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List, Optional, Sequence

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.evaluation.bench.latency import LATENCY_WITHOUT_AVX512
from rasa_tokprune.evaluation.bench.plots import draw_plots
from rasa_tokprune.evaluation.bench.readme_tables import speed_claim, speed_table
from rasa_tokprune.evaluation.bench.rows import Row, read_folder
from rasa_tokprune.evaluation.bench.start import start_table
from rasa_tokprune.evaluation.bench.study_tables import (
    rasa_table,
    scaling_table,
    shapes_table,
)
from rasa_tokprune.evaluation.bench.tables import (
    BASELINE,
    break_even_table,
    latency_table,
    pruning_table,
    throughput_table,
)
from rasa_tokprune.evaluation.rasa_table import update_table


def write_report(
    data: Path,
    markdown: Path,
    plots: Path,
    *,
    baseline: str = BASELINE,
    readme: Optional[Path] = None,
) -> List[Path]:
    """Replaces the tables of a document, draws the plots and returns what was written.

    Args:
        data: Folder with bench_*.jsonl.
        markdown: Document with the markers of `tables`.
        plots: Folder for the plots.
        baseline: Engine the ratios are against.
        readme: Document with the markers `speed` and `speed_claim`; None writes none.

    Raises:
        ConfigError: If there are no rows, or the document lacks a marker.
    """
    rows = read_folder(data)
    if not rows:
        raise ConfigError(f"no rows in '{data}': run one of the benchmarks first")
    for marker, table in tables(rows, baseline).items():
        try:
            update_table(markdown, table, marker)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"'{markdown}' has no place for the table '{marker}': it needs the lines "
                f"<!-- table:{marker} --> and <!-- end table -->"
            ) from error
    written = [markdown]
    if readme is not None:
        update_table(readme, speed_table(rows), "speed")
        update_table(readme, speed_claim(rows), "speed_claim")
        written.append(readme)
    return [*written, *draw_plots(rows, plots)]


def tables(rows: Sequence[Row], baseline: str = BASELINE) -> Dict[str, str]:
    """Returns marker -> Markdown table."""
    return {
        "bench_latency": latency_table(rows, kind="exact", baseline=baseline),
        "bench_first": latency_table(rows, kind="exact", baseline=baseline, time="first_median_ms"),
        "bench_avx2": latency_table(
            rows, kind="exact", baseline=baseline, benchmark=LATENCY_WITHOUT_AVX512
        ),
        "bench_messages": latency_table(rows, kind="messages", baseline=baseline),
        "bench_pruning": pruning_table(rows),
        "bench_break_even": break_even_table(rows),
        "bench_throughput": throughput_table(rows, baseline=baseline),
        "bench_shapes": shapes_table(rows),
        "bench_scaling": scaling_table(rows),
        "bench_rasa": rasa_table(rows),
        "bench_start": start_table(rows),
    }
