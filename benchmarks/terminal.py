"""Records what a terminal shows of the example bot: `rasa train`'s summary and `explain`.

Trains it for real, and writes docs/terminal.txt and, for light and dark pages, docs/terminal.svg
and docs/terminal-dark.svg.
"""

from __future__ import annotations

import io
import os
import pty
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from benchmarks.command import module_parser
from benchmarks.tables import ROOT
from rasa_tokprune.commands.run import run_command
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.palette import DARK, GROUNDS, LIGHT, colour

MESSAGE = "can I pay by cheque?"
WIDTH = 100
TITLE = "TokPruneIntentClassifier is trained:"
PICTURES = {LIGHT: "terminal.svg", DARK: "terminal-dark.svg"}
TEXT = "terminal.txt"
# No fonts from anywhere: the reader's own.
_FORMAT = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>{chrome}</title>
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs>{lines}</defs>
<rect width="{width}" height="{height}" rx="8" fill="@paper" stroke="@faint"/>
<g transform="translate(12, 12)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""
_ABOUT = "A terminal: rasa train nlu, and rasa-tokprune explain"


def record(command: Sequence[str], folder: Path) -> str:
    """Returns what a command writes on a terminal of `WIDTH` columns, its colours included.

    Raises:
        ConfigError: If it fails.
    """
    ours, its = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=its, stderr=its) as process:
        os.close(its)
        written = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    text = written.decode("utf-8", "replace").replace("\r\n", "\n")
    if process.returncode:
        raise ConfigError(f"'{' '.join(command)}' failed: {text[-500:]}")
    return text


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # on Linux a terminal whose other end is closed
        return b""


def summary_of(log: str) -> List[str]:
    """Returns the lines of the classifier's summary in a log of `rasa train`."""
    lines = log.splitlines()
    starts = [number for number, line in enumerate(lines) if line.endswith(TITLE)]
    if not starts:
        raise ConfigError(f"the log of `rasa train` holds no line '{TITLE}'")
    own = [TITLE]
    for line in lines[starts[0] + 1 :]:
        if not line.startswith("  "):
            break
        own.append(line)
    return own


def picture(text: str, theme: str) -> str:
    """Returns an SVG of a terminal's text.

    Args:
        text: With its colours.
        theme: 'light' or 'dark'.
    """
    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(Text.from_ansi(text))
    ground = GROUNDS[theme]
    template = _FORMAT.replace("@paper", ground.paper).replace("@faint", ground.faint)
    svg = console.export_svg(
        title=_ABOUT,
        theme=_theme(theme),
        code_format=template.replace("{chrome}", _ABOUT),
        unique_id=f"terminal-{theme}",
    )
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def _theme(theme: str) -> TerminalTheme:
    ground = GROUNDS[theme]
    names: Dict[str, str] = {"red": "features", "green": "light", "yellow": "fast"}
    order = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
    own = [_rgb(colour(names[name], theme) if name in names else ground.ink) for name in order]
    return TerminalTheme(_rgb(ground.paper), _rgb(ground.ink), own, own)


def _rgb(value: str) -> tuple[int, int, int]:
    return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)


def _record_all() -> str:
    with tempfile.TemporaryDirectory() as folder:
        bot = Path(shutil.copytree(ROOT / "example_bot", Path(folder) / "bot"))
        binaries = Path(sys.executable).parent
        train = ["rasa", "train", "nlu", "--fixed-model-name", "recorded"]
        log = record([str(binaries / train[0]), *train[1:]], bot)
        explain = [str(binaries / "rasa-tokprune"), "explain", MESSAGE, "--quiet"]
        explained = record(explain, bot)
    lines = [
        "$ rasa train nlu", *summary_of(log), "", f'$ rasa-tokprune explain "{MESSAGE}"',
        *explained.rstrip().splitlines(),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Records and writes the files; returns the exit code."""
    parser = module_parser(__file__, __doc__)
    parser.add_argument(
        "--out", type=Path, default=ROOT / "docs", help="folder for the files; default: docs"
    )
    parsed = parser.parse_args(arguments)

    def write(_: object) -> None:
        text = _record_all()
        plain = "\n".join(line.rstrip() for line in Text.from_ansi(text).plain.splitlines())
        (parsed.out / TEXT).write_text(plain + "\n", encoding="utf-8")
        for theme, name in PICTURES.items():
            (parsed.out / name).write_text(picture(text, theme), encoding="utf-8")

    return run_command(parser.prog, write, parsed)


if __name__ == "__main__":
    sys.exit(main())
