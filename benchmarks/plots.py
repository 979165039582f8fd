"""Pictures of the documents: on light and on dark ground, in few bytes."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Callable, Iterator, List, Tuple

from rasa_tokprune.palette import DARK, THEMES
from rasa_tokprune.plots.panel import Panel
from rasa_tokprune.plots.picture import draw_picture


def draw_both(path: Path, draw: Callable[[List[Panel]], None], **shape: Any) -> None:
    """Draws a picture on light and on dark ground, NAME.png and NAME-dark.png.

    Args:
        path: Of the light one.
        draw: Draws into the panels, which come row by row; called once for each theme.
        shape: See `draw_picture`: height, n_columns, n_rows.
    """
    from PIL import Image

    for theme in THEMES:
        place = path_in(path, theme)
        draw_picture(place, draw, theme=theme, **shape)
        # 256 colours are a third of the bytes and nothing to the eye.
        with Image.open(place) as picture:
            picture.convert("RGB").quantize(256, dither=0).save(place, optimize=True)


def path_in(path: Path, theme: str) -> Path:
    """Returns where the picture of a theme lies, for the light one's path."""
    return path.with_name(f"{path.stem}-dark{path.suffix}") if theme == DARK else path


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
