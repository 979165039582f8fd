"""Python, Rasa, this package: versions, and whether the package is there once."""

from __future__ import annotations

import json
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Iterator, List, Optional, Set
from urllib.parse import unquote, urlparse

from packaging.specifiers import SpecifierSet

import rasa_tokprune
from rasa_tokprune.commands.doctor.case import Case
from rasa_tokprune.commands.doctor.findings import Finding
from rasa_tokprune.extras import is_installed

PACKAGE = "rasa-tokprune"
# From its sources: that is what the documents say, whatever an index has under this name.
_INSTALL = "pip install . in a clone of rasa-tokprune, or its wheel"
# The Pythons that Rasa Open Source 3.6 runs on, of those that this package does.
_RASA_PYTHON = "3.10"


def check_python(case: Case) -> Iterator[Finding]:
    """Yields whether this package, and Rasa, are for this Python."""
    version = platform.python_version()
    needs = metadata.metadata(PACKAGE)["Requires-Python"] if versions_of(PACKAGE) else None
    if needs is not None and not SpecifierSet(needs).contains(version, prereleases=True):
        yield Finding(
            "python-unsupported",
            f"Python is {version}, {PACKAGE} needs {needs}",
            f"Use Python {_RASA_PYTHON}, which Rasa Open Source needs too",
        )
    else:
        where = f"{platform.system()} {platform.machine()}, {sys.executable}"
        yield Finding("python", f"Python {version} on {where}")


def check_rasa(case: Case) -> Iterator[Finding]:
    """Yields which Rasa there is."""
    pro = versions_of("rasa-pro")
    if pro:
        yield Finding(
            "rasa-pro",
            f"Rasa Pro {pro[0]} is installed; the components were read against it, not run in it",
            "See docs/compatibility.md for what that says and does not say",
        )
    version = versions_of("rasa")
    if version:
        yield Finding("rasa", f"Rasa Open Source {version[0]}")
    elif not pro and not (sys.version_info[:2] < (3, 11) and is_installed("rasa")):
        yield Finding(
            "rasa-absent",
            f"Rasa is not installed (this is Python {platform.python_version()}): the components "
            f"cannot run here, the commands can",
            f"To train or serve a bot here, use Python {_RASA_PYTHON}: {_INSTALL}",
        )


def check_package(case: Case) -> Iterator[Finding]:
    """Yields whether what Python imports is what was installed, and that once."""
    here = Path(rasa_tokprune.__file__).resolve().parent
    found = _distributions()
    if not found:
        yield Finding(
            "package-elsewhere",
            f"{PACKAGE} is imported from '{here}' but not installed",
            f"Install it: {_INSTALL}",
        )
        return
    if len(found) > 1:
        listed = ", ".join(f"{own.version} in '{_folder(own)}'" for own in found)
        yield Finding(
            "package-twice",
            f"{PACKAGE} is installed {len(found)} times: {listed}; the first one counts",
            f"Remove it as often as it is there (pip uninstall {PACKAGE}), then: {_INSTALL}",
        )
    home = _installed_home(found[0])
    if home is not None and home != here:
        yield Finding(
            "package-elsewhere",
            f"{PACKAGE} is imported from '{here}', but installed in '{home}'",
            "Take the first out of PYTHONPATH and the working folder, or install it: pip install .",
        )
    elif found[0].version != rasa_tokprune.__version__:
        yield Finding(
            "package-version",
            f"{PACKAGE} says it is {rasa_tokprune.__version__}, its metadata {found[0].version}",
            "Install it again: pip install --force-reinstall --no-deps . in a clone, or its wheel",
        )


def versions_of(package: str) -> List[str]:
    """Returns the version of an installed package, in a list of one; an empty one if it is not."""
    try:
        return [metadata.version(package)]
    except metadata.PackageNotFoundError:
        return []


def _distributions() -> List[metadata.Distribution]:
    """Returns the installations of this package on Python's path, each folder once."""
    seen: Set[Path] = set()
    found = []
    for own in metadata.distributions(name=PACKAGE):
        folder = _folder(own)
        if folder not in seen:
            seen.add(folder)
            found.append(own)
    return found


def _folder(distribution: metadata.Distribution) -> Path:
    return Path(str(distribution.locate_file(""))).resolve()


def _installed_home(distribution: metadata.Distribution) -> Optional[Path]:
    """Returns the folder of the package's modules; of an editable installation in its sources."""
    name = rasa_tokprune.__name__
    about = json.loads(distribution.read_text("direct_url.json") or "{}")
    if about.get("dir_info", {}).get("editable"):
        return Path(unquote(urlparse(about["url"]).path)).resolve() / name
    folder = _folder(distribution) / name
    return folder if folder.is_dir() else None
