"""Libraries: what this package and Rasa ask for, against what is installed."""

from __future__ import annotations

from importlib import metadata
from typing import Dict, Iterator, List, NamedTuple

from packaging.requirements import Requirement

from rasa_tokprune.commands.doctor.case import Case
from rasa_tokprune.commands.doctor.checks.installation import PACKAGE, versions_of
from rasa_tokprune.commands.doctor.findings import Finding

_RASA = "rasa"
# Builds of a library under names of their own; each of them will do.
_BUILDS = {
    "tensorflow": ("tensorflow-cpu", "tensorflow-rocm"),
    "onnxruntime": ("onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-directml"),
    "psycopg2-binary": ("psycopg2",),
}


class Unmet(NamedTuple):
    """A requirement that is not met.

    Attributes:
        requirement: As declared.
        name: Of the library, or of the build of it that is there.
        installed: The version that is there; '' if none is.
    """

    requirement: Requirement
    name: str
    installed: str

    @property
    def asked(self) -> str:
        """Name and versions, without the marker."""
        return f"{self.name}{self.requirement.specifier}"


def check_libraries(case: Case) -> Iterator[Finding]:
    """Yields which requirements of this package, and of Rasa, are not met."""
    counts = []
    for package in (PACKAGE, _RASA):
        if not versions_of(package):
            continue
        asked = requirements(package)
        unmet = unmet_of(asked)
        counts.append(f"{len(asked) - len(unmet)} of {len(asked)} of {package}")
        for each in unmet:
            yield _finding(package, each)
    if counts:
        yield Finding("libraries", f"libraries as asked for: {', '.join(counts)}")


def check_extras(case: Case) -> Iterator[Finding]:
    """Yields which extras are there, and whether their versions fit."""
    if not versions_of(PACKAGE):
        return
    there: Dict[str, bool] = {}
    for extra in metadata.metadata(PACKAGE).get_all("Provides-Extra") or []:
        unmet = unmet_of(requirements(PACKAGE, extra))
        there[extra] = not unmet
        for each in unmet:
            if each.installed:
                yield Finding(
                    "extra-version",
                    f"{each.name} {each.installed} is installed; the extra '{extra}' "
                    f"needs {each.asked}",
                    f"pip install 'rasa-tokprune[{extra}]'",
                )
    has = [extra for extra, is_there in there.items() if is_there]
    lacks = [extra for extra, is_there in there.items() if not is_there]
    text = f"extras: {', '.join(has) or 'none'}"
    if lacks:
        text += f"; not all of: {', '.join(lacks)} (pip install 'rasa-tokprune[{lacks[0]}]')"
    yield Finding("extras", text)


def requirements(package: str, extra: str = "") -> List[Requirement]:
    """Returns what a package asks for on this machine; with an extra, only what that adds."""
    found = []
    for line in metadata.requires(package) or []:
        each = Requirement(line)
        is_asked = each.marker is None or each.marker.evaluate({"extra": ""})
        if extra:
            is_asked = not is_asked and bool(each.marker and each.marker.evaluate({"extra": extra}))
        if is_asked:
            found.append(each)
    return found


def unmet_of(asked: List[Requirement]) -> List[Unmet]:
    """Returns the requirements that no installed version meets, by name."""
    found = []
    for each in asked:
        names = (each.name, *_BUILDS.get(each.name.lower(), ()))
        installed = {name: version for name in names for version in versions_of(name)}
        if not installed:
            found.append(Unmet(each, each.name, ""))
        elif not any(each.specifier.contains(one, prereleases=True) for one in installed.values()):
            found.append(Unmet(each, *next(iter(installed.items()))))
    return sorted(found, key=lambda unmet: (unmet.name.lower(), unmet.asked))


def _finding(package: str, unmet: Unmet) -> Finding:
    name, advice = unmet.name, f"pip install '{unmet.asked}'"
    if not unmet.installed:
        return Finding(
            "library-missing", f"{name} is missing, {package} needs {unmet.asked}", advice
        )
    code = "library-version" if package == PACKAGE else "rasa-library-version"
    text = f"{name} {unmet.installed} is installed, {package} needs {unmet.asked}"
    return Finding(code, text, advice)
