"""Looks up known vulnerabilities of what the lock file installs; writes audit.jsonl.

`uv export` names the packages of a bot's installation, `pip-audit` asks the package index, or OSV,
for advisories. pip-audit is no dependency of the project: put it into an environment of its own and
give its path. Where neither service answers, the row says so. A clone of PyPA's advisory database
can be looked up without a network (`--database`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.reliability.security.database import look_up
from benchmarks.rows import Row, append_row
from benchmarks.tables import ROOT
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.environment import environment

SERVICES = ("pypi", "osv")
_SHOWN = 200


def export(out: Path) -> None:
    """Writes the locked packages of an installation without extras.

    Raises:
        ConfigError: If uv is not here, or the lock file does not fit.
    """
    options = ["--quiet", "--frozen", "--no-emit-project", "--no-hashes", "--no-dev"]
    try:
        ended = subprocess.run(["uv", "export", *options], cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise ConfigError("uv is not here: pip install uv") from error
    if ended.returncode:
        raise ConfigError(f"uv export failed: {ended.stderr.strip()}")
    out.write_text(ended.stdout, encoding="utf-8")


def ask(pip_audit: str, packages: Path, service: str) -> Row:
    """Returns the advisories that a service knows, or why it was not to be asked."""
    options = ["--requirement", str(packages), "--no-deps", "--disable-pip", "--format", "json"]
    try:
        ended = subprocess.run(
            [pip_audit, *options, "--vulnerability-service", service, "--progress-spinner", "off"],
            capture_output=True,
            text=True,
            timeout=300,
        )
        found: Dict[str, Any] = json.loads(ended.stdout)
    except FileNotFoundError as error:
        raise ConfigError(f"'{pip_audit}' is not here: pip install pip-audit") from error
    except subprocess.TimeoutExpired:
        return {"service": service, "answered": False, "why": "no answer within 300 s"}
    except ValueError:  # no JSON: a page of traceback, the error at its end
        lines = ended.stderr.strip().splitlines() or [""]
        return {"service": service, "answered": False, "why": lines[-1].split("(")[0][:_SHOWN]}
    row = {"service": service, **summary(found["dependencies"])}
    reasons = [each["skip_reason"] for each in found["dependencies"] if "skip_reason" in each]
    if not row["n_packages"]:
        return {"service": service, "answered": False, "why": reasons[0][:_SHOWN]}
    return {**row, "answered": True}


def summary(dependencies: List[Dict[str, Any]]) -> Row:
    """Returns how many packages were looked up, and the advisories of each that has some."""
    looked_up = [each for each in dependencies if "vulns" in each]
    return {
        "n_packages": len(looked_up),
        "n_left_out": len(dependencies) - len(looked_up),
        "advisories": {
            f"{each['name']} {each['version']}": sorted(known["id"] for known in each["vulns"])
            for each in looked_up
            if each["vulns"]
        },
    }


def measure(arguments: argparse.Namespace) -> None:
    """Asks the services one after the other; rows are written as they come."""
    with tempfile.TemporaryDirectory() as folder:
        packages = Path(folder) / "locked.txt"
        export(packages)
        database = arguments.database
        found = [] if database is None else [look_up(database, packages)]
        arguments.out.unlink(missing_ok=True)
        for service in SERVICES[: arguments.n]:
            print(f"asking {service}")
            row = ask(arguments.pip_audit, packages, service)
            append_row({**row, "environment": environment()}, arguments.out)
        for row in found:
            append_row({**row, "environment": environment()}, arguments.out)
            print(f"{row['n_packages']} packages, advisories until {row['newest']}")
            for name, known in row["advisories"].items():
                print(f"{name}: {', '.join(known)}")


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "audit.jsonl")
    made.add_argument("--pip-audit", default="pip-audit", help="path of the program")
    made.add_argument(
        "--database",
        type=Path,
        metavar="FOLDER",
        help="a clone of github.com/pypa/advisory-database",
    )
    made.add_argument("--n", type=int, default=len(SERVICES), help="only so many services")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
