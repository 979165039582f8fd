"""What mkdocs does besides, so that one text reads well on GitHub and on the site.

Links out of docs/ become paths of the repository, and must lead somewhere; mermaid diagrams become
the pictures drawn of them; <picture> follows the page's colours; lists and tables that GitHub
shows without a blank line before them get one; colours come from `rasa_tokprune/palette.py`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, List

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
_FENCE = re.compile(r"^(```+)([^\n]*)\n(.*?)^\1[ ]*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[((?:[^][]|\[[^]]*\])*)\]\(([^)\s#]+)(#[^)\s]*)?\)")
_PICTURE = re.compile(
    r'<picture>\s*<source[^>]*?srcset="(?P<dark>[^"]+)"[^>]*>\s*'
    r'<img(?P<before>[^>]*?)src="(?P<light>[^"]+)"(?P<after>[^>]*)>\s*</picture>',
    re.DOTALL,
)
_LIST_AFTER_TEXT = re.compile(r"^(?![-*] |\d+\. |\s|\||#|$)(.+)\n(?=(?:[-*]|\d+\.) )", re.MULTILINE)


def diagram_path(source: str) -> Path:
    """Returns where the picture of a mermaid diagram lies: its name holds its source's hash."""
    return DOCS / "diagrams" / f"{hashlib.sha256(source.encode()).hexdigest()[:12]}.svg"


def diagrams_in(text: str) -> List[str]:
    """Returns the sources of a document's mermaid diagrams."""
    return [body for _, language, body in _FENCE.findall(text) if language.strip() == "mermaid"]


def _palette() -> ModuleType:
    """Returns the module of colours, without the package around it."""
    spec = importlib.util.spec_from_file_location("palette", ROOT / "rasa_tokprune" / "palette.py")
    if spec is None or spec.loader is None:
        raise PluginError("rasa_tokprune/palette.py cannot be read")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def colours_css() -> str:
    """Returns the palette as CSS variables, for light and dark pages."""
    palette = _palette()
    rules = []
    for theme, scheme in ((palette.LIGHT, "default"), (palette.DARK, "slate")):
        ground = palette.GROUNDS[theme]
        values = {"paper": ground.paper, "ink": ground.ink, "faint": ground.faint}
        values.update({thing: palette.colour(thing, theme) for thing in palette.COLOURS})
        lines = "".join(f"  --tokprune-{name}: {value};\n" for name, value in values.items())
        rules.append(f'[data-md-color-scheme="{scheme}"] {{\n{lines}}}\n')
    return "".join(rules)


def on_files(files: Files, config: Any, **_: Any) -> Files:
    """Adds the style sheet of colours; pictures of diagrams stand in their pages already."""
    for file in list(files):
        if file.src_uri.startswith("diagrams/"):
            files.remove(file)
    files.append(File.generated(config, "colours.css", content=colours_css()))
    return files


def _outer_link(match: re.Match[str], page_path: Path) -> str:
    """Returns a link as it is, or a path of the repository if it leads out of docs/."""
    text, target, _ = match.groups()
    if re.match(r"[a-z]+:", target):
        return match[0]
    place = (page_path.parent / target).resolve()
    if place.is_relative_to(DOCS):
        return match[0]
    if not place.exists():
        raise PluginError(f"{page_path.relative_to(ROOT)} links to {target}, which does not exist")
    shown = place.relative_to(ROOT).as_posix() + ("/" if place.is_dir() else "")
    bare = text.strip("`").rstrip("/")
    return f"`{shown}`" if shown.rstrip("/").endswith(bare) else f"{text} (`{shown}`)"


def _two_images(match: re.Match[str]) -> str:
    """Returns a <picture> as two images, of which the page's colours show one."""
    tag = f'<img{match["before"]}src="%s#only-%s"{match["after"]}>'
    return tag % (match["light"], "light") + tag % (match["dark"], "dark")


def _prose(text: str, page_path: Path) -> str:
    """Returns text between code blocks as the site needs it."""
    text = _LINK.sub(lambda match: _outer_link(match, page_path), text)
    text = _PICTURE.sub(_two_images, text)
    text = re.sub(r"^(<!-- .* -->)\n(?=\S)", r"\1\n\n", text, flags=re.MULTILINE)
    return _LIST_AFTER_TEXT.sub(r"\1\n\n", text)


def _fence(match: re.Match[str]) -> str:
    """Returns a code block as it is, or the picture of a mermaid diagram."""
    if match[2].strip() != "mermaid":
        return match[0]
    path = diagram_path(match[3])
    if not path.is_file():
        raise PluginError(f"{path.name} of a changed diagram is missing; run .ci/draw_diagrams.py")
    return f'<div class="diagram">{path.read_text(encoding="utf-8").strip()}</div>\n'


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Returns a page's text as the site needs it.

    Raises:
        PluginError: If a link out of docs/ leads nowhere, or a diagram was not drawn.
    """
    path = Path(page.file.abs_src_path)
    parts, end = [], 0
    for match in _FENCE.finditer(markdown):
        parts += [_prose(markdown[end : match.start()], path), _fence(match)]
        end = match.end()
    return "".join([*parts, _prose(markdown[end:], path)])
