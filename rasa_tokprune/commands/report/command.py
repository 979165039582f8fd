"""The command line of `rasa-tokprune report`: measures, writes one file, says what it says."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any, Dict

from rasa_tokprune.commands.output import write_text
from rasa_tokprune.commands.report.assembly import Assembly
from rasa_tokprune.commands.report.page import Page, render
from rasa_tokprune.commands.screen import Screen


def run(arguments: argparse.Namespace) -> None:
    """Writes the page and shows its summary.

    Raises:
        TokPruneError: If the input is wrong.
    """
    start = time.monotonic()
    screen = Screen.of(arguments)
    page = Assembly(arguments, screen).page()
    content = render(page)
    write_text(content, arguments.out, "--out")
    n_bytes, seconds = len(content.encode()), time.monotonic() - start
    if screen.is_json:
        screen.json(_as_json(page, arguments.out, n_bytes, seconds))
        return
    screen.heading(f"{page.name}: {', '.join(page.facts)}")
    for title, sentences in (("What is good", page.good), ("What to do next", page.steps)):
        screen.line()
        screen.heading(title)
        for sentence in sentences:
            screen.line(f"- {sentence.text}")
    screen.line()
    screen.line(f"{arguments.out} ({n_bytes / 1e6:.1f} MB, made in {seconds:.0f} s)")


def _as_json(page: Page, path: Path, n_bytes: int, seconds: float) -> Dict[str, Any]:
    trust = page.trust
    return {
        "report": str(path),
        "bytes": n_bytes,
        "seconds": round(seconds, 1),
        "accuracy": None if trust is None else round(trust.accuracy, 4),
        "ece": None if trust is None else round(trust.ece, 4),
        "good": [sentence.text for sentence in page.good],
        "next": [sentence.text for sentence in page.steps],
    }
