"""Looks packages up in a copy of PyPA's advisory database: files in the OSV format, one a record.

Format: https://ossf.github.io/osv-schema/, of which versions and ranges of the ecosystem are read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from ruamel.yaml import YAML

from benchmarks.rows import Row
from rasa_tokprune.errors import ConfigError


def look_up(folder: Path, packages: Path) -> Row:
    """Returns the advisories of locked packages.

    Args:
        folder: A clone of the database; its `vulns` holds a folder for each package.
        packages: A requirements file, every version exact; markers are those of this Python.

    Raises:
        ConfigError: If the folder is no such clone.
    """
    if not (folder / "vulns").is_dir():
        raise ConfigError(
            f"--database: '{folder}' has no folder 'vulns'; give a clone of "
            f"https://github.com/pypa/advisory-database"
        )
    advisories: Dict[str, List[str]] = {}
    locked, newest = locked_versions(packages.read_text(encoding="utf-8")), ""
    for name, version in locked:
        for record in records_of(folder, name):
            newest = max(newest, str(record["modified"]))
            if "withdrawn" not in record and affects(record, name, version):
                advisories.setdefault(f"{name} {version}", []).append(record["id"])
    return {
        "service": "PyPA's advisory database",
        "newest": newest[:10],
        "n_packages": len(locked),
        "n_left_out": 0,
        "advisories": {name: sorted(ids) for name, ids in sorted(advisories.items())},
        "answered": True,
    }


def locked_versions(text: str) -> List[Tuple[str, str]]:
    """Returns name and version of each package that a requirements file puts on this machine."""
    found: List[Tuple[str, str]] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith(("#", " ", "-")):
            continue
        each = Requirement(line)
        if each.marker is None or each.marker.evaluate():
            (exact,) = each.specifier
            found.append((canonicalize_name(each.name), exact.version))
    return found


def records_of(folder: Path, name: str) -> Iterator[Dict[str, Any]]:
    """Yields a package's records, each once: drafts have a number of 0000."""
    reader = YAML(typ="base")  # every value a text: 1.10 is no number
    for path in sorted((folder / "vulns" / name).glob("*.yaml")):
        if not path.name.startswith("PYSEC-0000"):
            yield reader.load(path.read_text(encoding="utf-8"))


def affects(record: Mapping[str, Any], name: str, version: str) -> bool:
    """Returns whether a record names this version of a package."""
    for affected in record.get("affected", ()):
        if canonicalize_name(affected["package"]["name"]) != name:
            continue
        ranges = [each for each in affected.get("ranges", ()) if each["type"] == "ECOSYSTEM"]
        if any(_is_within(Version(version), each["events"]) for each in ranges):
            return True
        if version in affected.get("versions", ()):
            return True
    return False


def _is_within(version: Version, events: Sequence[Mapping[str, str]]) -> bool:
    """Returns whether a version lies behind an `introduced` and before what ended it."""
    ordered = sorted((_version(bound), kind) for event in events for kind, bound in event.items())
    is_affected = False
    for bound, kind in ordered:
        if kind == "introduced" and version >= bound:
            is_affected = True
        elif (kind == "fixed" and version >= bound) or (
            kind == "last_affected" and version > bound
        ):
            is_affected = False
    return is_affected


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:  # of before versions had a form; nothing that is locked is as old
        return Version("0")
