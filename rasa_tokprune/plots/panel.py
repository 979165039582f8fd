"""One pair of axes: lines labelled at their ends, points labelled beside them, bars."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from rasa_tokprune.palette import GROUNDS, colour
from rasa_tokprune.plots.labels import Box, best_place, candidates, spread
from rasa_tokprune.plots.marks import dash_of, mark_of, mark_size

# Numbers on an axis, or what is written for each.
Ticks = Union[Sequence[float], Mapping[float, str]]
_LINE, _SMALL = 1.8, 8.5  # points
_BESIDE = 1.015  # of the axis's width


class Panel:
    """Draws into one pair of axes and keeps its words apart.

    Attributes:
        axis: matplotlib's axes.
        theme: 'light' or 'dark'.
        words: The label of each line and level.
        curves: x and y of each line.
    """

    def __init__(self, axis: Any, theme: str) -> None:
        """Draws nothing yet."""
        from matplotlib.ticker import MaxNLocator

        self.axis, self.theme = axis, theme
        for each in (axis.xaxis, axis.yaxis):
            each.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        self.words: List[str] = []
        self._ends: List[Any] = []
        self._beside: List[Tuple[float, float, Any]] = []
        self.curves: List[Tuple[Sequence[float], Sequence[float]]] = []

    def describe(self, *, x: str = "", y: str = "", title: str = "") -> None:
        """Says what the axes are: a title, below it what goes up, and what goes right."""
        ground = GROUNDS[self.theme]
        self.axis.set_xlabel(x)
        if title:
            self.axis.set_title(title + ("\n" if y else ""), loc="left", fontweight="bold", pad=7)
        self.axis.annotate(
            y, (0, 1), (0, 7), "axes fraction", textcoords="offset points", color=ground.faint,
            fontsize=_SMALL, va="bottom",
        )  # fmt: skip

    def logarithmic(self, *, x: Ticks = (), y: Ticks = ()) -> None:
        """Makes axes logarithmic, with these numbers on them; none leaves an axis as it is."""
        from matplotlib.ticker import FixedLocator, NullLocator

        for axis, scale, ticks in (
            (self.axis.xaxis, self.axis.set_xscale, x),
            (self.axis.yaxis, self.axis.set_yscale, y),
        ):
            if ticks:
                named = ticks if isinstance(ticks, Mapping) else {n: f"{n:,g}" for n in ticks}
                scale("log")
                axis.set_major_locator(FixedLocator(list(named)))
                axis.set_ticklabels(list(named.values()))
                axis.set_minor_locator(NullLocator())

    def line(
        self,
        x: Sequence[float],
        y: Sequence[float],
        *,
        thing: str,
        label: str,
        dash: str = "",
        has_marks: bool = True,
        label_at: Optional[int] = None,
    ) -> None:
        """Draws a line with its label at its right end, or beside one of its points.

        Args:
            x: Ascending.
            y: Of each x.
            thing: Key of the palette.
            label: A few words, possibly on several lines; '' for none.
            dash: matplotlib's line style; '' is solid, for peers dashed.
            has_marks: Whether points are marked.
            label_at: Number of the point beside which the label goes.
        """
        style = dash or dash_of(thing)
        mark = mark_of(thing) if has_marks else ""
        tint = colour(thing, self.theme)
        self.axis.plot(
            x, y, style, lw=_LINE, color=tint, marker=mark, ms=mark_size(mark, 4.5), mew=0, zorder=3
        )
        self.words.append(label)
        self.curves.append((x, y))
        if label and label_at is not None:
            self.note(x[label_at], y[label_at], label, thing=thing)
        elif label:
            self._label_end(x[-1], y[-1], label, tint)

    def rule(self, y: float, *, label: str, thing: str = "other") -> None:
        """Draws a level to compare with, labelled at its right end."""
        tint = colour(thing, self.theme)
        self.axis.axhline(y, color=tint, lw=_LINE, ls="--", zorder=2)
        self.words.append(label)
        self._label_end(None, y, label, tint)

    def mark(self, x: float, label: str) -> None:
        """Draws a faint upright line, with words at its top."""
        faint = GROUNDS[self.theme].faint
        self.axis.axvline(x, color=faint, lw=1, ls=":", zorder=2)
        self.axis.annotate(
            label, (x, 1), (3, -3), self.axis.get_xaxis_transform(), textcoords="offset points",
            color=faint, fontsize=_SMALL, va="top", in_layout=False,
        )  # fmt: skip

    def cloud(self, x: Sequence[float], y: Sequence[float], *, thing: str) -> None:
        """Draws many points that stand back and have no label."""
        tint = colour(thing, self.theme)
        self.axis.scatter(x, y, s=9, color=tint, alpha=0.35, linewidths=0, zorder=2)

    def point(self, x: float, y: float, *, thing: str, label: str, is_strong: bool = False) -> None:
        """Draws a point with its label beside it.

        Args:
            x: Of the point.
            y: Of the point.
            thing: Key of the palette.
            label: A few words, possibly on several lines; '' for none.
            is_strong: Whether mark and label stand out.
        """
        tint = colour(thing, self.theme)
        mark = mark_of(thing)
        size = mark_size(mark, 9 if is_strong else 7)
        self.axis.plot([x], [y], mark, color=tint, ms=size, mew=0, zorder=4)
        self.note(x, y, label, thing=thing, is_strong=is_strong)

    def write(self, x: float, y: float, text: str) -> None:
        """Writes a faint number or word at a place, centred."""
        self.axis.text(x, y, text, color=GROUNDS[self.theme].faint, fontsize=_SMALL, ha="center")

    def note(
        self, x: float, y: float, text: str, *, thing: str = "other", is_strong: bool = False
    ) -> None:
        """Writes words beside a place, where there is room."""
        if text:
            weight = "bold" if is_strong else "normal"
            made = self.axis.text(
                x, y, text, color=colour(thing, self.theme), fontweight=weight, zorder=5,
                ha="left", va="bottom", linespacing=1.05, in_layout=False,
            )  # fmt: skip
            self._beside.append((x, y, made))

    def bars(
        self, names: Sequence[str], values: Sequence[float], texts: Sequence[str],
        things: Sequence[str],
    ) -> None:  # fmt: skip
        """Draws bars from above to below: names to their left, texts at their ends."""
        tints = [colour(thing, self.theme) for thing in things]
        self.axis.barh(range(len(names)), values, 0.66, color=tints, zorder=3)
        for place, (value, text, tint) in enumerate(zip(values, texts, tints)):
            self.axis.annotate(
                text, (value, place), (4, 0), textcoords="offset points", va="center", color=tint
            )
        self.rows(names)
        self.axis.grid(False, axis="y")

    def rows(self, names: Sequence[str]) -> None:
        """Names the rows of an upright axis, from above to below."""
        self.axis.set_yticks(range(len(names)))
        self.axis.set_yticklabels(names)
        self.axis.set_ylim(len(names) - 0.4, -0.6)

    def place_words(self, renderer: Any) -> None:
        """Moves the labels apart; axes must have their final size."""
        self._place_ends(renderer)
        self._place_beside(renderer)

    def _label_end(self, x: Any, y: float, label: str, tint: str) -> None:
        self._ends.append((x, y, self.axis.text(
            _BESIDE, 0.5, label, transform=self.axis.transAxes, color=tint, va="center",
            linespacing=1.05,
        )))  # fmt: skip

    def _place_ends(self, renderer: Any) -> None:
        frame = self.axis.get_window_extent(renderer)
        wanted, heights = [], []
        for _, y, text in self._ends:
            wanted.append(self.axis.transData.transform((self.axis.get_xlim()[1], y))[1])
            heights.append(text.get_window_extent(renderer).height * 1.12)
        page, more = self.axis.figure.bbox, 0.1 * frame.height
        low, high = max(frame.y0 - more, page.y0), min(frame.y1 + more, page.y1)
        found = spread(wanted, heights, low, high)
        for (x, y, text), place, height in zip(self._ends, found, heights):
            up = (place - frame.y0) / frame.height
            text.set_position((_BESIDE, up))
            end = frame.x1 if x is None else self.axis.transData.transform((x, y))[0]
            level = self.axis.transData.transform((self.axis.get_xlim()[1], y))[1]
            is_far = frame.x1 - end > 0.04 * frame.width
            if is_far or abs(place - level) > height / 3:
                to_axes = self.axis.transAxes.inverted().transform
                ends = [to_axes((end, level)), (_BESIDE - 0.003, up)]
                self.axis.plot(
                    *zip(*ends), color=text.get_color(), lw=0.7, transform=self.axis.transAxes,
                    clip_on=False, zorder=1,
                )  # fmt: skip

    def _place_beside(self, renderer: Any) -> None:
        to_pixels = self.axis.transData.transform
        gap = renderer.points_to_pixels(6)
        frame = self.axis.get_window_extent(renderer)
        inside = Box(frame.x0, frame.y0, frame.x1, frame.y1)
        taken = [self._around(x, y, gap * 0.6) for x, y, _ in self._beside]
        taken += [self._around(x, y, gap * 0.3) for curve in self.curves for x, y in _dense(curve)]
        for x, y, text in self._beside:
            size = text.get_window_extent(renderer)
            across, up = to_pixels((x, y))
            places = candidates(across, up, size.width, size.height, gap)
            place = best_place(places, taken, inside)
            taken.append(place)
            text.set_position(self.axis.transData.inverted().transform((place.left, place.bottom)))

    def _around(self, x: float, y: float, reach: float) -> Box:
        across, up = self.axis.transData.transform((x, y))
        return Box(across - reach, up - reach, across + reach, up + reach)


def _dense(curve: Tuple[Sequence[float], Sequence[float]]) -> List[Tuple[float, float]]:
    """Returns places on a line, near to each other."""
    x, y = (np.asarray(values, float) for values in curve)
    steps = np.linspace(0, len(x) - 1, 8 * len(x))
    at = np.arange(len(x))
    places = zip(np.interp(steps, at, x), np.interp(steps, at, y))
    return [place for place in places if np.isfinite(place).all()]
