"""The README's snippets run, and its commands exist."""

from __future__ import annotations

import re

import pytest

from tests.real_data import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def snippets(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.mark.slow
def test_python_snippet_says_what_its_comment_promises(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (snippet,) = snippets("python")
    exec(compile(snippet, "README.md", "exec"), {})
    assert capsys.readouterr().out.strip() == snippet.rsplit("# ", 1)[1].strip()


def test_commands_in_the_readme_exist() -> None:
    commands = re.findall(r"^bash (\S+)", README, flags=re.MULTILINE)
    assert commands == ["example_bot/talk", ".ci/test"]
    for command in commands:
        assert (ROOT / command).is_file()
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith('/test"')
