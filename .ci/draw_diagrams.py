"""Draws the mermaid diagrams of docs/, and removes pictures of those that are gone.

    python .ci/draw_diagrams.py mermaid.min.js

The file is dist/mermaid.min.js of the npm package mermaid, version 11: `npm pack mermaid@11`. Needs
playwright and Debian's chromium. GitHub draws diagrams itself; the site shows these pictures, so
that it fetches nothing from elsewhere.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
from site_hook import DOCS, diagram_path, diagrams_in

# The page's own colours, so that one picture does for light and dark.
STYLE = """
.node rect, .node polygon { fill: var(--tokprune-paper) !important;
  stroke: var(--tokprune-off) !important; }
.cluster rect { fill: none !important; stroke: var(--tokprune-faint) !important; }
.edgePaths path { stroke: var(--tokprune-faint) !important; }
.marker { fill: var(--tokprune-faint) !important; stroke: var(--tokprune-faint) !important; }
text, tspan { fill: var(--tokprune-ink) !important; }
.labelBkg, .edgeLabel rect { fill: var(--tokprune-paper) !important; }
"""


def main(library: Path) -> None:
    """Draws what has no picture yet."""
    sources = [
        source for path in DOCS.rglob("*.md") for source in diagrams_in(path.read_text("utf-8"))
    ]
    for path in (DOCS / "diagrams").glob("*.svg"):
        if path not in map(diagram_path, sources):
            path.unlink()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.add_script_tag(path=str(library))
        for source in sources:
            path = diagram_path(source)
            path.parent.mkdir(exist_ok=True)
            drawn = page.evaluate(
                """async ([name, source, style]) => {
                  mermaid.initialize({startOnLoad: false, theme: "neutral", htmlLabels: false,
                    flowchart: {htmlLabels: false}, themeCSS: style, fontFamily: "sans-serif"});
                  return (await mermaid.render(name, source)).svg;
                }""",
                [f"diagram-{path.stem}", source, STYLE],
            )
            # A blank line would end the HTML block it stands in.
            lines = [line.strip() for line in drawn.splitlines() if line.strip()]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
