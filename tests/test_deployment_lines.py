"""What docs/deployment.md and example_bot/deploy give to copy can be read by those it is for."""

from __future__ import annotations

import configparser
import json
import re
from typing import Any, Dict, Iterator, List, Tuple

import pytest
from ruamel.yaml import YAML

from rasa_tokprune.machine.stored import CACHE_VARIABLE
from rasa_tokprune.machine.threads import SANIC_WORKERS
from rasa_tokprune.monitoring.exposition import ADDRESS_VARIABLE, asked_address
from tests.documents import links, snippets
from tests.real_data import ROOT

DEPLOY = ROOT / "example_bot" / "deploy"
_INSTRUCTIONS = {"FROM", "COPY", "RUN", "WORKDIR", "ENV", "USER", "EXPOSE", "HEALTHCHECK", "CMD"}


def instructions(dockerfile: str) -> Iterator[Tuple[str, str]]:
    """Yields name and arguments of every instruction."""
    lines = [line for line in dockerfile.splitlines() if line and not line.startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
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


def by_name() -> Dict[str, List[str]]:
    """Returns the arguments of the Dockerfile's instructions, by their names."""
    found: Dict[str, List[str]] = {}
    for name, rest in instructions((DEPLOY / "Dockerfile").read_text(encoding="utf-8")):
        found.setdefault(name, []).append(rest)
    return found


def settings() -> Dict[str, str]:
    """Returns the environment of the image."""
    return dict(pair.split("=", 1) for rest in by_name()["ENV"] for pair in rest.split())


def of_yaml(name: str) -> Any:
    return YAML(typ="safe").load((DEPLOY / name).read_text(encoding="utf-8"))


def test_the_container_has_instructions_that_docker_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    found = by_name()
    assert set(found) == _INSTRUCTIONS
    assert all(image.startswith("python:3.10") for image in found["FROM"])
    (command,) = found["CMD"]
    assert json.loads(command)[:2] == ["rasa", "run"]
    _, _, check = found["HEALTHCHECK"][0].partition("CMD ")
    compile(json.loads(check)[2], "HEALTHCHECK", "exec")
    assert found["USER"] == ["1001"]
    environment = settings()
    assert environment[CACHE_VARIABLE] in " ".join(found["RUN"])
    # Every port that something listens on, and no other.
    monkeypatch.setenv(ADDRESS_VARIABLE, environment[ADDRESS_VARIABLE])
    address = asked_address()
    assert address is not None
    assert found["EXPOSE"] == [f"5005 {address.port}"]
    assert environment["HF_HUB_OFFLINE"] == "1"


def test_the_image_is_given_what_its_command_names() -> None:
    found = by_name()
    copied = " ".join(found["COPY"])
    for word in json.loads(found["CMD"][0]):
        if word.endswith((".yml", ".tar.gz")):
            assert word in copied
    for source in copied.split():
        # What is built or trained is not in this repository.
        if source.endswith(".yml"):
            assert (DEPLOY.parent / source).is_file()


def test_the_replicas_are_those_that_the_proxy_names() -> None:
    services = of_yaml("compose.yml")["services"]
    replicas = [name for name, own in services.items() if own["image"] == "bot"]
    assert len(replicas) == 2
    # One of them builds what both run: two builds under one name get into each other's way.
    (build,) = (own["build"] for own in services.values() if "build" in own)
    assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()
    proxy = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    (name,) = re.findall(r"set \$rasa http://(\w+):5005;", proxy)
    for each in replicas:
        assert services[each]["networks"]["default"]["aliases"] == [name]
    (port,) = re.findall(r"listen (\d+);", proxy)
    (published,) = services["nginx"]["ports"]
    assert published.endswith(f":{port}")
    assert set(services["nginx"]["depends_on"]) == set(replicas)
    for name in replicas:
        own = services[name]
        # Whatever is written needs a place, as the rest is read-only.
        written = [*own["tmpfs"], *(each.split(":")[1] for each in own["volumes"])]
        assert own["read_only"] is True
        assert {settings()[CACHE_VARIABLE], settings()["MPLCONFIGDIR"]} <= set(written)
    for each in of_yaml("endpoints.yml").values():
        if isinstance(each, dict):
            assert (each["type"], each["url"], each["port"]) == ("redis", "redis", 6379)
    named = set(of_yaml("compose.yml")["volumes"])
    used = {v.split(":")[0] for own in services.values() for v in own.get("volumes", [])}
    assert {each for each in used if not each.startswith(".")} == named


def test_the_page_leads_to_every_file() -> None:
    linked = {target for target, _ in links(ROOT / "docs" / "deployment.md")}
    for path in DEPLOY.iterdir():
        assert f"../example_bot/deploy/{path.name}" in linked


def proxies() -> List[str]:
    """Returns nginx's lines of the document, for machines, and of the file, for containers."""
    (of_machines,) = snippets("nginx")
    return [of_machines.text, (DEPLOY / "nginx.conf").read_text(encoding="utf-8")]


def test_machines_and_containers_have_one_proxy() -> None:
    of_machines, of_containers = (
        re.findall(r"(?m)^ +((?:proxy|client)_\w+ .*;)$", proxy) for proxy in proxies()
    )
    assert len(of_machines) > 5
    assert of_containers == [line.replace("http://rasa;", "$rasa;") for line in of_machines]


@pytest.mark.parametrize("proxy", proxies(), ids=["machines", "containers"])
def test_the_proxy_s_blocks_close_and_its_lines_end(proxy: str) -> None:
    depth = 0
    for line in filter(None, map(str.strip, proxy.splitlines())):
        if line.startswith("#"):
            continue
        assert line.endswith((";", "{", "}")), line
        depth += line.count("{") - line.count("}")
        assert depth >= 0
    assert depth == 0


def test_the_proxy_asks_servers_that_it_names() -> None:
    of_machines, of_containers = proxies()
    (upstream,) = re.findall(r"(?m)^upstream (\w+)", of_machines)
    assert f"proxy_pass http://{upstream};" in of_machines
    # Looked up for each message: a replica that was replaced has another address.
    assert "resolver 127.0.0.11 " in of_containers
    assert "proxy_pass $rasa;" in of_containers
