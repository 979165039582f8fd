"""Which build of the C library a CPU gets."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Callable, List, Optional

import pytest

from native_builds import CHECKSUMS, FOLDER, PLATFORMS, check_wheel, checksums
from rasa_tokprune.encoder.backends import builds
from rasa_tokprune.encoder.backends.builds import NEEDS, candidates, library_path, runnable_builds
from rasa_tokprune.errors import ConfigError

AVX2 = {"avx2", "fma", "bmi1", "bmi2", "f16c", "movbe", "abm"}
AVX512 = AVX2 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx512_vnni"}
Names = Optional[List[str]]
X86 = ["amx", "avx512vnni", "avxvnni", "avx2", "portable"]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Returns a function that pretends to be another machine, with these builds installed."""
    monkeypatch.delenv(builds.CPU_VARIABLE, raising=False)

    def pretend(
        system: str, processor: str, features: set, there: Optional[List[str]] = None
    ) -> None:
        monkeypatch.setattr(builds, "FOLDER", tmp_path)
        monkeypatch.setattr(builds.platform, "system", lambda: system)
        monkeypatch.setattr(builds.platform, "machine", lambda: processor)
        monkeypatch.setattr(builds, "cpu_features", lambda: frozenset(features))
        suffix = {"Linux": "so", "Darwin": "dylib", "Windows": "dll"}.get(system, "so")
        for name in NEEDS.get(processor, X86) if there is None else there:
            (tmp_path / f"tokprune_{name}.{suffix}").touch()

    return pretend


@pytest.mark.parametrize(
    ("system", "processor", "features", "expected"),
    [
        ("Linux", "x86_64", AVX512 | {"amx_tile", "amx_int8", "avx_vnni"}, X86),
        ("Linux", "x86_64", AVX512, ["avx512vnni", "avx2", "portable"]),
        ("Linux", "x86_64", AVX2 | {"avx_vnni"}, ["avxvnni", "avx2", "portable"]),
        ("Linux", "x86_64", AVX2 - {"fma"}, ["portable"]),
        ("Linux", "x86_64", AVX512 - {"avx2"}, ["portable"]),
        ("Linux", "aarch64", {"asimddp", "i8mm"}, ["i8mm", "dotprod", "portable"]),
        ("Linux", "aarch64", {"asimd"}, ["portable"]),
        ("Darwin", "arm64", {"asimddp"}, ["dotprod", "portable"]),
        ("Windows", "AMD64", AVX2, ["avx2", "portable"]),
        ("Linux", "riscv64", set(), []),
        ("FreeBSD", "riscv64", set(), []),
    ],
)
def test_a_cpu_gets_what_it_can_run_fastest_first(
    machine: Callable[..., None], system: str, processor: str, features: set, expected: List[str]
) -> None:
    machine(system, processor, features)
    assert list(runnable_builds()) == expected
    assert candidates() == list(runnable_builds().values())
    path = library_path()
    assert (path.stem if path else None) == (f"tokprune_{expected[0]}" if expected else None)


def test_what_is_not_installed_is_passed_over(machine: Callable[..., None]) -> None:
    machine("Linux", "x86_64", AVX512, there=["avx2"])
    assert list(runnable_builds()) == ["avx2"]


@pytest.mark.parametrize(
    ("asked", "taken"), [("avx2", "avx2"), ("vnni", "avx512vnni"), ("portable", "portable")]
)
def test_a_variable_picks_the_build(
    machine: Callable[..., None], monkeypatch: pytest.MonkeyPatch, asked: str, taken: str
) -> None:
    machine("Linux", "x86_64", AVX512)
    monkeypatch.setenv(builds.CPU_VARIABLE, asked)
    assert [path.stem for path in candidates()] == [f"tokprune_{taken}"]


@pytest.mark.parametrize("asked", ["amx", "i8mm", "AVX2", "avx1"])
def test_a_build_that_cannot_run_here_is_refused(
    machine: Callable[..., None], monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    machine("Linux", "x86_64", AVX512)
    monkeypatch.setenv(builds.CPU_VARIABLE, asked)
    message = f"is '{asked}', .*; use one of: avx512vnni, avx2, portable$"
    with pytest.raises(ConfigError, match=message):
        library_path()


@pytest.mark.parametrize("tag", PLATFORMS)
def test_every_compiled_build_is_one_that_a_cpu_can_get(tag: str) -> None:
    (needs,) = (needs for machine, needs in NEEDS.items() if tag.endswith(machine.lower()))
    assert set(PLATFORMS[tag].cpus) <= set(needs)


def wheel_with(
    path: Path, tag: str, content: bytes, n_libraries: int, recorded: Optional[bytes] = None
) -> Path:
    names = [PLATFORMS[tag].library(cpu) for cpu in PLATFORMS[tag].cpus]
    with zipfile.ZipFile(path, "w") as wheel:
        for name in names[:n_libraries]:
            wheel.writestr((FOLDER / name).as_posix(), content)
        record = checksums(dict.fromkeys(names, content if recorded is None else recorded))
        wheel.writestr((FOLDER / CHECKSUMS).as_posix(), record)
    return path


ELF_FOR_ARM = b"\x7fELF\x02\x01".ljust(18, b"\0") + b"\xb7\0"
NAME = b"\0tokprune_version\0"
MAC = b"\xcf\xfa\xed\xfe\x0c\0\0\x01"
PE = b"MZ".ljust(60, b"\0") + (70).to_bytes(4, "little") + b"......PE\0\0\x64\x86"


@pytest.mark.parametrize(
    ("tag", "content"),
    [
        ("manylinux_2_17_aarch64", ELF_FOR_ARM + NAME),
        ("win_amd64", PE + NAME),
        ("macosx_11_0_arm64", MAC + NAME),
    ],
)
def test_a_wheel_with_all_its_libraries_passes(tmp_path: Path, tag: str, content: bytes) -> None:
    n_libraries = len(PLATFORMS[tag].cpus)
    path = wheel_with(tmp_path / "a.whl", tag, content, n_libraries)
    assert check_wheel(path, tag) == n_libraries


@pytest.mark.parametrize(
    ("tag", "content", "n_libraries", "message"),
    [
        ("manylinux_2_17_aarch64", ELF_FOR_ARM + NAME, 2, "a.whl has no .*tokprune_portable.so"),
        ("manylinux_2_17_x86_64", ELF_FOR_ARM + NAME, 5, "is not for x86_64-linux-gnu.2.17"),
        ("win_amd64", ELF_FOR_ARM + NAME, 4, "is not for x86_64-windows-gnu"),
        ("manylinux_2_17_aarch64", ELF_FOR_ARM, 3, "does not export tokprune_version"),
    ],
)
def test_a_wheel_that_would_not_work_is_refused(
    tmp_path: Path, tag: str, content: bytes, n_libraries: int, message: str
) -> None:
    path = wheel_with(tmp_path / "a.whl", tag, content, n_libraries)
    with pytest.raises(ValueError, match=message):
        check_wheel(path, tag)


def test_a_wheel_whose_record_is_of_other_libraries_is_refused(tmp_path: Path) -> None:
    path = wheel_with(tmp_path / "a.whl", "macosx_11_0_arm64", MAC + NAME, 2, recorded=b"other")
    with pytest.raises(ValueError, match="SHA256SUMS of a.whl does not say what its libraries are"):
        check_wheel(path, "macosx_11_0_arm64")
