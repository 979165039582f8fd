"""`.ci/release` refuses what does not belong together; nothing is built here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Callable, Tuple

import pytest

from tests.real_data import ROOT

CHANGES = "### Added\n\n- A thing.\n"
Release = Callable[..., Tuple[int, str]]


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """Returns a function: version, changelog, arguments -> exit code and what was said."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / "rasa_tokprune").mkdir()
    shutil.copy(ROOT / ".ci" / "release", tmp_path / ".ci")

    def run(version: str, changelog: str, *arguments: str) -> Tuple[int, str]:
        init = tmp_path / "rasa_tokprune" / "__init__.py"
        init.write_text(f'"""A package."""\n\n__version__ = "{version}"\n', encoding="utf-8")
        (tmp_path / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
        done = subprocess.run(
            ["bash", ".ci/release", *arguments], cwd=tmp_path, capture_output=True, text=True
        )
        return done.returncode, (done.stdout + done.stderr).strip()

    return run


def test_a_dated_section_of_the_version_is_released(release: Release) -> None:
    changelog = f"# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-01-31\n\n{CHANGES}"
    assert release("1.2.3", changelog, "--check", "1.2.3") == (0, "1.2.3 can be released.")


@pytest.mark.parametrize(
    ("version", "changelog", "arguments", "said"),
    [
        ("1.2", f"## [1.2] - 2026-01-31\n\n{CHANGES}", ("--check", "1.2"), "'1.2', expected such"),
        (
            "1.2.3",
            f"## [1.2.3]\n\n{CHANGES}",
            ("--check", "1.2.3"),
            "- YYYY-MM-DD', found '## [1.2",
        ),
        ("1.2.3", f"## [1.2.2] - 2026-01-31\n\n{CHANGES}", ("--check", "1.2.3"), "found ''"),
        (
            "1.2.3",
            f"## [1.2.3] - 2026-01-31\n\n## [1.2.2] - 2026-01-01\n\n{CHANGES}",
            ("--check", "1.2.3"),
            "says nothing of 1.2.3",
        ),
        (
            "1.2.3",
            f"## [Unreleased]\n\n{CHANGES}\n## [1.2.3] - 2026-01-31\n\n{CHANGES}",
            ("--check", "1.2.3"),
            "move them to [1.2.3]",
        ),
        ("1.2.3", f"## [1.2.3] - 2026-01-31\n\n{CHANGES}", ("--check", "1.2.4"), "is 1.2.3, asked"),
        ("1.2.3", f"## [1.2.3] - 2026-01-31\n\n{CHANGES}", (".ci",), "'.ci' is there already"),
    ],
)
def test_what_does_not_belong_together_is_refused_in_one_line(
    release: Release, version: str, changelog: str, arguments: Tuple[str, ...], said: str
) -> None:
    code, line = release(version, changelog, *arguments)
    assert code == 2
    assert line.startswith("release: ")
    assert "\n" not in line
    assert said in line


def test_this_projects_changelog_has_the_form_that_it_reads() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert titles[0] == "## [Unreleased]"
    assert all(title.startswith("## [") for title in titles)
