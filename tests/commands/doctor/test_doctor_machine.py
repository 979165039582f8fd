"""Findings about the installation, the machine and its folders."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, List

import pytest
from packaging.requirements import Requirement

from rasa_tokprune.commands.doctor.checks import (
    installation,
    libraries,
    machine,
    threads,
    timing,
)
from rasa_tokprune.encoder.backends.builds import CPU_VARIABLE, candidates
from tests.commands.doctor.conftest import CLASSIFIER, Found, expect

PATCH = "rasa_tokprune.commands.doctor.checks"


def versions(**known: str) -> Callable[[str], List[str]]:
    names = {name.replace("_", "-"): version for name, version in known.items()}
    return lambda package: [names[package]] if package in names else []


def test_python(see: Callable[..., Found], monkeypatch: pytest.MonkeyPatch) -> None:
    expect(see(installation.check_python), "python", "Python 3.")
    monkeypatch.setattr(installation.platform, "python_version", lambda: "3.8.1")
    expect(see(installation.check_python), "python-unsupported", "Python is 3.8.1", "Use Python")


def test_rasa_and_rasa_pro(see: Callable[..., Found], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "versions_of", versions(rasa="3.6.21"))
    expect(see(installation.check_rasa), "rasa", "Rasa Open Source 3.6.21")
    monkeypatch.setattr(installation, "versions_of", versions(rasa_pro="3.21.0"))
    expect(see(installation.check_rasa), "rasa-pro", "Rasa Pro 3.21.0", "compatibility.md")
    monkeypatch.setattr(installation, "versions_of", versions())
    monkeypatch.setattr(installation, "is_installed", lambda _: False)
    expect(see(installation.check_rasa), "rasa-absent", "the commands can", "use Python 3.10")


def distribution(folder: Path, version: str, about: str = "{}") -> Any:
    def read_text(_: str) -> str:
        return about

    return SimpleNamespace(version=version, read_text=read_text, locate_file=lambda _: folder)


def test_the_package_is_there_once(
    see: Callable[..., Found], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, other = distribution(tmp_path / "a", "0.1.0"), distribution(tmp_path / "b", "0.2.0")
    monkeypatch.setattr(installation.metadata, "distributions", lambda **_: [own, other, own])
    found = see(installation.check_package)
    expect(found, "package-twice", "is installed 2 times: 0.1.0 in", "pip uninstall rasa-tokprune")
    expect(found, "package-version", "its metadata 0.1.0", "--force-reinstall")
    monkeypatch.setattr(installation.metadata, "distributions", lambda **_: [])
    expect(see(installation.check_package), "package-elsewhere", "not installed", "pip install")
    about = f'{{"url": "file://{tmp_path}", "dir_info": {{"editable": true}}}}'
    sources = distribution(tmp_path, "0.2.0", about)
    monkeypatch.setattr(installation.metadata, "distributions", lambda **_: [sources])
    expect(see(installation.check_package), "package-elsewhere", f"'{tmp_path}/", "PYTHONPATH")


def test_libraries_and_their_versions(
    see: Callable[..., Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"rasa-tokprune": ["numpy>=99", "absent-library>=1"], "rasa": ["numpy<1", "numpy"]}
    monkeypatch.setattr(
        libraries, "requirements", lambda name, _="": list(map(Requirement, asked[name]))
    )
    known = versions(rasa_tokprune="0.2.0", rasa="3.6.21", numpy="1.23.5")
    monkeypatch.setattr(libraries, "versions_of", known)
    found = see(libraries.check_libraries)
    expect(found, "library-version", "numpy 1.23.5 is installed, rasa-tokprune needs numpy>=99",
           "pip install 'numpy>=99'")  # fmt: skip
    expect(found, "library-missing", "absent-library is missing", "pip install 'absent-library>=1'")
    expect(found, "rasa-library-version", "rasa needs numpy<1", "pip install 'numpy<1'")
    expect(found, "libraries", "0 of 2 of rasa-tokprune, 1 of 2 of rasa")


def test_another_build_of_a_library_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "versions_of", versions(**{"tensorflow-cpu": "2.12.0"}))
    assert not libraries.unmet_of([Requirement("tensorflow==2.12.0")])
    (unmet,) = libraries.unmet_of([Requirement("tensorflow==2.13.0")])
    assert (unmet.asked, unmet.installed) == ("tensorflow-cpu==2.13.0", "2.12.0")


def test_extras(see: Callable[..., Found], monkeypatch: pytest.MonkeyPatch) -> None:
    def requirements(name: str, extra: str = "") -> List[Requirement]:
        return [Requirement("numpy>=99" if extra == "onnx" else "numpy")]

    monkeypatch.setattr(libraries, "requirements", requirements)
    found = see(libraries.check_extras)
    expect(found, "extra-version", "the extra 'onnx' needs numpy>=99", "rasa-tokprune[onnx]")
    expect(found, "extras", "not all of: onnx (pip install 'rasa-tokprune[onnx]')")


def test_an_extra_adds_to_what_is_asked_for_anyway(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["numpy", 'torch>=2; extra == "torch"', 'rasa; python_version < "3"']
    monkeypatch.setattr(libraries.metadata, "requires", lambda _: lines)
    assert [each.name for each in libraries.requirements("any")] == ["numpy"]
    assert [each.name for each in libraries.requirements("any", "torch")] == ["torch"]


def test_the_processor(see: Callable[..., Found], monkeypatch: pytest.MonkeyPatch) -> None:
    expect(see(machine.check_processor), "cpu", "instructions: ")
    monkeypatch.setattr(machine, "is_fast_here", lambda _: False)
    monkeypatch.setenv(CPU_VARIABLE, "portable")
    found = see(machine.check_processor)
    expect(found, "cpu-slow", "no instructions for 8-bit products", "docs/builds.md")
    expect(found, "cpu-variable", "is set to 'portable'", f"Unset {CPU_VARIABLE}")


def test_builds_of_the_library(
    see: Callable[..., Found], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert see(machine.check_builds) == {}
    monkeypatch.setenv(CPU_VARIABLE, "none-such")
    expect(see(machine.check_builds), "build-invalid", "'none-such'", f"Unset {CPU_VARIABLE}")
    monkeypatch.delenv(CPU_VARIABLE)
    broken = tmp_path / "tokprune_broken.so"
    broken.write_text("no library")
    monkeypatch.setattr(machine, "candidates", lambda: [broken])
    expect(see(machine.check_builds), "library-broken", "cannot be loaded", "Install it again")
    monkeypatch.setattr(machine, "candidates", lambda: [])
    expect(see(machine.check_builds), "no-library", "no build of the C library", "[onnx]")


def test_a_build_that_the_system_refuses(
    see: Callable[..., Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = candidates()
    if not paths:
        pytest.skip("no build of the C library here")
    answers = iter([False, True])
    monkeypatch.setattr(machine, "candidates", lambda: [paths[0], paths[0]])
    monkeypatch.setattr(machine, "_prepare", lambda _: next(answers))
    expect(see(machine.check_builds), "build-refused", "does not allow the build", "Nothing")


def test_cores_and_a_quota(see: Callable[..., Found], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "usable_cores", lambda: list(range(8)))
    monkeypatch.setattr(threads, "available_threads", lambda: 8)
    monkeypatch.setattr(threads, "cpu_quota", lambda: 1.5)
    found = see(threads.check_cores)
    expect(found, "cores", "8 of", "")
    expect(found, "cpu-quota", "time for 1.5 cores but sees 8", "THREADS to 1,")
    monkeypatch.setattr(threads, "cpu_quota", lambda: None)
    assert "cpu-quota" not in see(threads.check_cores)


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [("9", "sanic-workers-many", "is 9 on 4 cores"), ("many", "sanic-workers-invalid", "'many'")],
)
def test_server_workers(
    value: str,
    code: str,
    text: str,
    see: Callable[..., Found],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads, "usable_cores", lambda: list(range(4)))
    monkeypatch.setenv("SANIC_WORKERS", value)
    found = see(threads.check_workers)
    expect(found, code, text, "Set SANIC_WORKERS")
    expect(found, "threads", "threads for many texts")


def test_more_threads_than_cores(
    write_bot: Callable[..., Path], look: Callable[..., Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "usable_cores", lambda: [0])
    found = look(write_bot([{"name": CLASSIFIER, "num_threads": 2}]), whole=True)
    expect(found, "num-threads-many", "is 2, on 1 cores", "Leave num_threads out")


def test_variables_of_other_libraries(
    see: Callable[..., Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "usable_cores", lambda: [0, 1])
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("MKL_NUM_THREADS", "64")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "two")
    found = see(threads.check_variables)
    expect(found, "omp-threads", "OMP_NUM_THREADS is 1")
    expect(found, "omp-threads-many", "MKL_NUM_THREADS is '64' on 2 cores", "from 1 to 2")
    expect(found, "omp-threads-many", "OPENBLAS_NUM_THREADS is 'two'", "unset it")


def test_memory_of_a_server(see: Callable[..., Found], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "available_memory", lambda: 3_000_000_000)
    monkeypatch.setattr(timing, "memory_limit", lambda: None)
    assert see(timing.check_memory) == {}  # Rasa was not asked
    monkeypatch.setenv("SANIC_WORKERS", "2")
    expect(see(timing.check_memory, rasa_bytes=500_000_000), "memory", "500 MB before")
    monkeypatch.setattr(timing, "memory_limit", lambda: 900_000_000)
    found = see(timing.check_memory, rasa_bytes=500_000_000)
    expect(found, "memory-low", "times 2 server workers; there are 900 MB", "more memory")
