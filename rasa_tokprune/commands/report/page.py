"""The page: what was measured, rendered into one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from importlib import resources
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from rasa_tokprune import palette
from rasa_tokprune.commands.report.measures.confidence import Trust
from rasa_tokprune.commands.report.measures.differences import Differences
from rasa_tokprune.commands.report.measures.findings import Findings
from rasa_tokprune.commands.report.measures.plans import PlanPoint
from rasa_tokprune.commands.report.measures.robustness import Kind
from rasa_tokprune.commands.report.privacy import Shown
from rasa_tokprune.commands.report.summary import WEAK_F1, Sentence, percent
from rasa_tokprune.commands.report.wording import headings
from rasa_tokprune.fewshot.report import FEW_EXAMPLES

_PACKAGE = "rasa_tokprune.commands.report"
# In the order they run in.
_SCRIPTS = (
    "vendor/d3.min.js", "vendor/plot.umd.min.js", "assets/theme.js", "assets/tables.js",
    "assets/labels.js", "assets/charts.js", "assets/messages.js",
)  # fmt: skip
# What a page cannot show, or what no page may hold.
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_PICTURES = 0x2400


@dataclasses.dataclass(frozen=True)
class Page:
    """What the page shows; messages that are not to be seen are left out already.

    Attributes:
        name: Of the bot.
        facts: Names and values below the title: how much there is, which plan.
        good: What is good.
        steps: What to do next.
        source: Which messages accuracy and confidence were measured on, in words.
        trust: What confidences are worth; None if no message could be held out.
        plans: A point for each plan.
        findings: What to look at.
        robustness: Kinds of change.
        messages: Messages to look into.
        differences: Where a second model answers otherwise; None without one.
        n_layers: Layers of the encoder.
        about: Names and values: settings, machine, versions, day.
        shown: Which messages are shown.
    """

    name: str
    facts: List[str]
    good: List[Sentence]
    steps: List[Sentence]
    source: str
    trust: Optional[Trust]
    plans: List[PlanPoint]
    findings: Findings
    robustness: List[Kind]
    messages: List[Dict[str, Any]]
    differences: Optional[Differences]
    n_layers: int
    about: List[Tuple[str, str]]
    shown: Shown


def render(page: Page) -> str:
    """Returns the page as HTML."""
    scripts = [_read(name) for name in _SCRIPTS]
    environment = Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown_text,
    )
    environment.filters.update(percent=percent, number=_number, pieces=_pieces)
    return environment.get_template("page.html").render(
        page=page,
        headings=headings(page.trust, page.plans, page.robustness, page.differences),
        few_examples=FEW_EXAMPLES,
        weak_f1=WEAK_F1,
        style=_colours() + _read("assets/page.css"),
        scripts=scripts,
        policy=_policy(scripts),
        data=_script_json(_data(page)),
    )


def _data(page: Page) -> Dict[str, Any]:
    """Returns what the scripts draw and list."""
    trust, differences = page.trust, page.differences
    return {
        "plans": [
            {**dataclasses.asdict(point), "has_colour": point.plan in palette.COLOURS}
            for point in page.plans
        ],
        "bins": [] if trust is None else [each for each in trust.bins if each["count"]],
        "curve": [] if trust is None else trust.curve,
        "messages": page.messages,
        "n_layers": page.n_layers,
        "differences": [] if differences is None else differences.rows,
    }


def _policy(scripts: Sequence[str]) -> str:
    """Returns a Content-Security-Policy: these very scripts, and nothing from anywhere."""
    hashes = (
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts
    )
    listed = " ".join(f"'sha256-{each}'" for each in hashes)
    return (
        f"default-src 'none'; script-src {listed}; style-src 'unsafe-inline'; "
        f"base-uri 'none'; form-action 'none'"
    )


def _script_json(value: Any) -> str:
    """Returns JSON that cannot end the script element it stands in."""
    text = json.dumps(_visible(value), ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _visible(value: Any) -> Any:
    """Returns a JSON value whose strings hold no invisible control characters."""
    if isinstance(value, str):
        return _INVISIBLE.sub(_picture, value)
    if isinstance(value, Mapping):
        return {key: _visible(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_visible(each) for each in value]
    return value


def _picture(found: re.Match) -> str:
    code = ord(found.group())
    return chr(_PICTURES + code) if code < 0x20 else "\ufffd"


def _shown_text(value: Any) -> Any:
    """Returns what a template is to show, see `_visible`; markup of ours stays as it is."""
    return value if hasattr(value, "__html__") else _visible(value)


def _pieces(name: str) -> List[str]:
    """Returns an intent's name in pieces; a narrow column may break between them."""
    return re.findall(r"[^_/.+-]*[_/.+-]|[^_/.+-]+", name)


def _number(value: Optional[float], digits: int = 0) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"  # noqa: RUF001 a dash in a table


def _colours() -> str:
    """Returns the style sheet's variables, for either theme."""
    blocks = {}
    for theme in palette.THEMES:
        ground = palette.GROUNDS[theme]
        values = {
            "paper": ground.paper,
            "ink": ground.ink,
            "faint": ground.faint,
            "accent": palette.colour("off", theme),
            "alarm": palette.colour("features", theme),
            **{f"plan-{thing}": palette.colour(thing, theme) for thing in palette.COLOURS},
        }
        blocks[theme] = "".join(f"--{name}:{value};" for name, value in values.items())
    light, dark = blocks[palette.LIGHT], blocks[palette.DARK]
    return (
        f":root{{color-scheme:light;{light}}}\n"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light])"
        f"{{color-scheme:dark;{dark}}}}}\n"
        f":root[data-theme=dark]{{color-scheme:dark;{dark}}}\n"
        # Paper is white, whatever the screen was.
        f"@media print{{:root,:root:not([data-theme=light]),:root[data-theme=dark]"
        f"{{color-scheme:light;{light}}}}}\n"
    )


def _read(name: str) -> str:
    return resources.files(_PACKAGE).joinpath(name).read_text(encoding="utf-8")
