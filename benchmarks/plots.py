"""Panels of a picture, drawn and written in one way."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Iterator, Tuple


@contextlib.contextmanager
def panels(
    path: Path, n_columns: int = 1, *, size: Tuple[float, float], n_rows: int = 1
) -> Iterator[Any]:
    """Yields matplotlib axes, (n_rows, n_columns), and writes the picture when they are drawn.

    Args:
        path: PNG file.
        n_columns: Panels side by side.
        size: Width and height of the whole picture in inches.
        n_rows: Panels one below the other.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(n_rows, n_columns, figsize=size, squeeze=False)
    try:
        yield axes
        figure.tight_layout()
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=110)
    finally:
        plt.close(figure)
