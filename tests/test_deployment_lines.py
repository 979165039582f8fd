"""What docs/deployment.md gives to copy can be read by those it is for, as far as is known here."""

from __future__ import annotations

import configparser
import json
import re
from typing import Dict, Iterator, List, Tuple

from rasa_tokprune.machine.stored import CACHE_VARIABLE
from rasa_tokprune.machine.threads import SANIC_WORKERS
from tests.documents import snippets

_INSTRUCTIONS = {"FROM", "COPY", "RUN", "WORKDIR", "ENV", "USER", "EXPOSE", "HEALTHCHECK", "CMD"}


def instructions(dockerfile: str) -> Iterator[Tuple[str, str]]:
    """Yields name and arguments of every instruction."""
    for line in dockerfile.replace("\\\n", " ").splitlines():
        name, _, rest = line.partition(" ")
        yield name, rest.strip()


def test_the_unit_has_what_systemd_needs() -> None:
    (unit,) = snippets("ini")
    parser = configparser.ConfigParser(strict=False, delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit.text)
    assert parser.sections() == ["Unit", "Service", "Install"]
    service = parser["Service"]
    assert service["ExecStart"].startswith("/")
    # A folder that systemd makes in /var/cache.
    cache = re.search(rf"{CACHE_VARIABLE}=(\S+)", unit.text)
    assert cache is not None
    assert cache[1] == f"/var/cache/{service['CacheDirectory']}"
    assert f"{SANIC_WORKERS}=" in unit.text
    # Workers need stores that they can share.
    assert "--endpoints" in service["ExecStart"]


def test_the_container_has_instructions_that_docker_knows() -> None:
    (dockerfile,) = snippets("dockerfile")
    found = list(instructions(dockerfile.text))
    assert {name for name, _ in found} == _INSTRUCTIONS
    by_name: Dict[str, List[str]] = {}
    for name, rest in found:
        by_name.setdefault(name, []).append(rest)
    assert "python:3.10" in by_name["FROM"][0]
    assert json.loads(by_name["CMD"][0])[:2] == ["rasa", "run"]
    _, _, check = by_name["HEALTHCHECK"][0].partition("CMD ")
    compile(json.loads(check)[2], "HEALTHCHECK", "exec")
    settings = dict(pair.split("=", 1) for rest in by_name["ENV"] for pair in rest.split())
    assert settings[CACHE_VARIABLE] in " ".join(by_name["RUN"])


def test_the_proxy_s_blocks_close_and_its_lines_end() -> None:
    (proxy,) = snippets("nginx")
    depth = 0
    for line in filter(None, map(str.strip, proxy.text.splitlines())):
        assert line.endswith((";", "{", "}")), line
        depth += line.count("{") - line.count("}")
        assert depth >= 0
    assert depth == 0
    (upstream,) = re.findall(r"upstream (\w+)", proxy.text)
    assert f"proxy_pass http://{upstream};" in proxy.text
