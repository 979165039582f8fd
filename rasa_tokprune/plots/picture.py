"""A picture: panels on light or dark ground."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

from rasa_tokprune.palette import GROUNDS, LIGHT
from rasa_tokprune.plots.panel import Panel

# Pictures are shown about 700 CSS pixels wide; phones and good screens have two for one and more.
_DPI = 200
WIDTH = 7.0  # inches; at most so wide, else a phone makes the words too small to read


def draw_picture(
    path: Path,
    draw: Callable[[List[Panel]], None],
    *,
    height: float,
    n_columns: int = 1,
    n_rows: int = 1,
    theme: str = LIGHT,
) -> None:
    """Draws a picture; the same measurements make the same bytes.

    Args:
        path: PNG file.
        draw: Draws into the panels, which come row by row.
        height: Of the picture, in inches; it is `WIDTH` wide.
        n_columns: Panels side by side.
        n_rows: Panels one below the other.
        theme: 'light' or 'dark'.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    path.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # a reader's own settings change nothing
        matplotlib.rcParams.update(_style(theme))
        figure = Figure(figsize=(WIDTH, height), dpi=_DPI)
        canvas = FigureCanvasAgg(figure)
        axes = figure.subplots(n_rows, n_columns, squeeze=False)
        panels = [Panel(axis, theme) for axis in axes.flat]
        draw(panels)
        _lay_out(figure, canvas.get_renderer(), panels)
        # Without the library's version in it a newer one need not change the file.
        figure.savefig(path, metadata={"Software": None})


def _lay_out(figure: Any, renderer: Any, panels: Sequence[Panel]) -> None:
    # Words beside the axes take room from them, whence twice.
    for _ in range(2):
        figure.tight_layout(pad=0.6, w_pad=1.6, h_pad=1.6)
    for panel in panels:
        panel.place_words(renderer)


def _style(theme: str) -> Dict[str, Any]:
    ground = GROUNDS[theme]
    return {
        "font.family": "DejaVu Sans",  # comes with matplotlib
        "font.size": 9.5,
        "axes.titlesize": 10.5,
        "axes.labelsize": 9,
        "xtick.labelsize": 9,
        "ytick.labelsize": 9,
        "figure.facecolor": ground.paper,
        "savefig.facecolor": ground.paper,
        "axes.facecolor": ground.paper,
        "text.color": ground.ink,
        "axes.titlecolor": ground.ink,
        "axes.labelcolor": ground.faint,
        "axes.edgecolor": ground.faint,
        "xtick.color": ground.faint,
        "ytick.color": ground.faint,
        "xtick.labelcolor": ground.ink,
        "ytick.labelcolor": ground.ink,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": False,
        "axes.linewidth": 0.8,
        "ytick.major.size": 0,
        "xtick.major.size": 3,
        "axes.xmargin": 0.02,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": ground.faint,
        "grid.alpha": 0.25,
        "grid.linewidth": 0.7,
        "path.simplify": False,
    }
