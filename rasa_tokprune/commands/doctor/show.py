"""Findings on a screen: by family, the same code together."""

from __future__ import annotations

import itertools
from typing import List, Sequence

from rasa_tokprune.commands.doctor.codes import FAMILIES
from rasa_tokprune.commands.doctor.findings import Finding, Level
from rasa_tokprune.commands.screen import Screen

_MEANINGS = {Level.OK: "good", Level.WARNING: "middling", Level.ERROR: "bad"}
_MOST_OF_A_CODE = 3
_INDENT = 10


def in_order(findings: Sequence[Finding]) -> List[Finding]:
    """Returns findings by family, the same code together, otherwise as they were found."""
    families = list(FAMILIES)
    first = {each.code: number for number, each in reversed(list(enumerate(findings)))}
    return sorted(findings, key=lambda each: (families.index(each.family), first[each.code]))


def show(findings: Sequence[Finding], screen: Screen, *, shows_all: bool) -> None:
    """Shows findings, and in the last line how many there are.

    Args:
        findings: In the order of `in_order`.
        screen: With `quiet` only what is not ok is shown; with `is_json` one object each.
        shows_all: Whether all findings of a code are listed, not the first few.
    """
    kept = [each for each in findings if not (screen.quiet and each.level is Level.OK)]
    if screen.is_json:
        for each in kept:
            screen.json(each.to_dict())
        return
    for family, of_family in itertools.groupby(kept, key=lambda each: each.family):
        screen.heading(FAMILIES[family])
        for _, same in itertools.groupby(of_family, key=lambda each: each.code):
            _show_code(list(same), screen, shows_all)
        screen.line()
    screen.line(summary(findings), meaning=_MEANINGS.get(worst(findings), ""))


def worst(findings: Sequence[Finding]) -> Level:
    """Returns the worst level of findings; OK of none."""
    levels = list(Level)
    return max((each.level for each in findings), key=levels.index, default=Level.OK)


def summary(findings: Sequence[Finding]) -> str:
    """Returns how many findings of each level there are, in a line."""
    counts = {level: sum(each.level is level for each in findings) for level in Level}
    return (
        f"{_plural(counts[Level.ERROR], 'error')}, {_plural(counts[Level.WARNING], 'warning')}, "
        f"{_plural(counts[Level.NOTE], 'note')}, {counts[Level.OK]} ok"
    )


def _plural(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"


def _show_code(same: List[Finding], screen: Screen, shows_all: bool) -> None:
    level = same[0].level
    listed = same if shows_all or level is Level.OK else same[:_MOST_OF_A_CODE]
    advised_once = len({each.advice for each in listed}) == 1
    for each in listed:
        code = "" if level is Level.OK else f" [{each.code}]"
        place = f"{each.place}: " if each.place and level is not Level.OK else ""
        screen.line(f"  {level.value:<8}{place}{each.text}{code}", meaning=_MEANINGS.get(level, ""))
        if each.advice and (each is listed[-1] or not advised_once):
            screen.line(f"{' ' * _INDENT}do: {each.advice}")
    if len(same) > len(listed):
        screen.line(f"{' ' * _INDENT}and {len(same) - len(listed)} more of [{same[0].code}]: --all")
