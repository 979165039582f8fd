"""What instructions a CPU has, on every system."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from typing import Dict

import pytest

from native_builds import SOURCE, compiler, host_platform
from rasa_tokprune.machine import cpu

# What the C library asks the CPU for itself.
ASKED_IN_C = {
    "fma", "movbe", "f16c", "bmi1", "avx2", "bmi2", "abm", "avx512f", "avx512dq", "avx512cd",
    "avx512bw", "avx512vl", "avx512_vnni", "avx_vnni", "amx_tile", "amx_int8",
}  # fmt: skip


def test_hidden_instructions_count_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu.cpu_features.cache_clear()
    all_of_them = sorted(cpu.cpu_features())
    monkeypatch.setenv(cpu.HIDE_VARIABLE, " ".join(all_of_them[:2]))
    cpu.cpu_features.cache_clear()
    try:
        assert cpu.cpu_features() == frozenset(all_of_them[2:])
    finally:
        cpu.cpu_features.cache_clear()


@pytest.mark.parametrize("line", ["flags\t\t: fpu avx2 fma", "Features\t: fpu avx2 fma"])
def test_linux_lists_the_flags_of_its_cpus(line: str) -> None:
    text = f"processor\t: 0\nmodel name\t: Some\n{line}\n\nprocessor\t: 1\nflags\t: none\n"
    assert cpu.parse_cpuinfo(text) == {"fpu", "avx2", "fma"}
    assert cpu.parse_cpuinfo("processor\t: 0\n") == frozenset()


def on_a_mac(monkeypatch: pytest.MonkeyPatch, machine: str, kernel: Dict[str, bytes]) -> None:
    monkeypatch.setattr(cpu.Path, "is_file", lambda _: False)  # no /proc
    monkeypatch.setattr(cpu.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(cpu.platform, "machine", lambda: machine)
    monkeypatch.setattr(cpu, "sysctl", lambda key: kernel.get(key, b""))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"\x01\0\0\0", {"asimddp", "i8mm"}),
        (b"\0\0\0\0", {"asimddp"}),
        (b"", {"asimddp"}),  # macOS 11 has no such key
    ],
)
def test_macs_with_arm(monkeypatch: pytest.MonkeyPatch, value: bytes, expected: set) -> None:
    on_a_mac(monkeypatch, "arm64", {"hw.optional.arm.FEAT_I8MM": value})
    assert cpu._cpu_features() == expected


def test_macs_with_intel_cpus_by_the_names_of_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = {
        "machdep.cpu.features": b"FPU FMA MOVBE AVX1.0 F16C\0",
        "machdep.cpu.leaf7_features": b"BMI1 AVX2 BMI2 AVX512F AVX512VNNI\0",
        "machdep.cpu.extfeatures": b"SYSCALL LZCNT\0",
    }
    on_a_mac(monkeypatch, "x86_64", kernel)
    expected = {"fma", "movbe", "f16c", "bmi1", "avx2", "bmi2", "avx512f", "avx512_vnni", "abm"}
    assert expected <= cpu._cpu_features()


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of nothing but src/cpu.h."""
    pytest.importorskip("ziglang", reason="compiled with ziglang, of the group dev")
    if host_platform() not in ("manylinux_2_17_x86_64", "musllinux_1_2_x86_64"):
        pytest.skip("compared with what Linux says of an x86 CPU")
    folder = tmp_path_factory.mktemp("cpu")
    (folder / "cpu.c").write_text(f'#define EXPORT\n#include "{SOURCE.parent}/cpu.h"\n')
    command = [*compiler("x86_64-linux-gnu.2.17", "x86_64"), "-O2", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([*command, "-shared", "-fPIC", "cpu.c", "-o", "cpu.so"], cwd=folder, check=True)
    return folder / "cpu.so"


def test_the_library_finds_what_linux_says(asking: Path) -> None:
    said = cpu.parse_cpuinfo(Path("/proc/cpuinfo").read_text())
    assert cpu.library_features(asking) == said & ASKED_IN_C


def test_a_list_that_is_too_long_ends_at_a_whole_name(asking: Path) -> None:
    ask = ctypes.CDLL(str(asking)).tokprune_cpu_features
    for size in range(1, 40):
        names = ctypes.create_string_buffer(b"\xff" * 60, 60)
        ask(names, ctypes.c_size_t(size))
        assert set(names.value.decode().split()) <= ASKED_IN_C
        assert names.raw[size:] == b"\xff" * (60 - size)


def test_a_library_that_cannot_be_asked_finds_nothing(tmp_path: Path) -> None:
    (tmp_path / "other.dll").write_bytes(b"no library")
    assert cpu.library_features(tmp_path / "other.dll") == frozenset()
