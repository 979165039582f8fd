"""Pictures of the documents: on light and on dark ground, in few bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, List

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
            few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
            few.save(place, optimize=True)


def path_in(path: Path, theme: str) -> Path:
    """Returns where the picture of a theme lies, for the light one's path."""
    return path.with_name(f"{path.stem}-dark{path.suffix}") if theme == DARK else path
