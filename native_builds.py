"""Which builds of the C library each platform's wheel has, and how they are compiled.

The compiler comes from PyPI (ziglang): no machine needs one of its own, and every machine builds
for every other. Used by hatch_build.py and by the tests; needs nothing but Python.

    python native_builds.py  # compiles this machine's builds in place, in a clone
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
import sysconfig
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional

ROOT = Path(__file__).resolve().parent
FOLDER = Path("rasa_tokprune") / "encoder" / "backends" / "native"
SOURCE = ROOT / FOLDER / "src" / "encoder.c"
# Without contraction every build computes the same bits; fused operations are written out.
FLAGS = ["-O3", "-ffp-contract=off", "-fno-math-errno", "-fPIC", "-shared", "-s"]
FLAGS += ["-Wall", "-Wextra", "-fvisibility=hidden"]
LIBRARIES = ["-lm", "-lpthread"]
# Beside the libraries, in the form of `sha256sum`: what the package compares them with at load.
CHECKSUMS = "SHA256SUMS"

# Instruction set -> the compiler's name of a CPU that has it. What a CPU must have to run a build
# stands in rasa_tokprune/encoder/backends/builds.py.
PORTABLE_X86 = {"portable": "x86_64"}
AVX2 = {"avx2": "x86_64_v3", **PORTABLE_X86}
AVX_VNNI = {"avxvnni": "x86_64_v3+avxvnni"}
AVX512_VNNI = {"avx512vnni": "x86_64_v4+avx512vnni"}
LINUX_X86 = {
    "amx": "x86_64_v4+avx512vnni+amx_tile+amx_int8", **AVX512_VNNI, **AVX_VNNI, **AVX2
}  # fmt: skip
LINUX_ARM = {"i8mm": "generic+dotprod+i8mm", "dotprod": "generic+dotprod", "portable": "generic"}
# Every Mac with ARM has dot products, those since the M2 have i8mm.
MAC_ARM = {"i8mm": "apple_m1+i8mm", "dotprod": "apple_m1"}


class Platform(NamedTuple):
    """What a wheel's libraries are compiled for.

    `header` is what a library's first bytes hold by offset; -1 stands for the place in a Windows
    library to which its bytes 60 to 63 point.
    """

    target: str
    suffix: str
    header: Dict[int, bytes]
    cpus: Dict[str, str]

    def library(self, cpu: str) -> str:
        """Returns the file name of the build for an instruction set."""
        return f"tokprune_{cpu}{self.suffix}"


ELF_X86 = {0: b"\x7fELF\x02\x01", 18: b"\x3e\x00"}
ELF_ARM = {0: b"\x7fELF\x02\x01", 18: b"\xb7\x00"}
MACH_X86 = {0: b"\xcf\xfa\xed\xfe\x07\x00\x00\x01"}
MACH_ARM = {0: b"\xcf\xfa\xed\xfe\x0c\x00\x00\x01"}
PE_X86 = {0: b"MZ", -1: b"PE\x00\x00\x64\x86"}
# Tag of the wheel -> what is in it.
PLATFORMS = {
    "manylinux_2_17_x86_64": Platform("x86_64-linux-gnu.2.17", ".so", ELF_X86, LINUX_X86),
    "manylinux_2_17_aarch64": Platform("aarch64-linux-gnu.2.17", ".so", ELF_ARM, LINUX_ARM),
    "musllinux_1_2_x86_64": Platform("x86_64-linux-musl", ".so", ELF_X86, LINUX_X86),
    "musllinux_1_2_aarch64": Platform("aarch64-linux-musl", ".so", ELF_ARM, LINUX_ARM),
    "macosx_11_0_arm64": Platform("aarch64-macos.11.0", ".dylib", MACH_ARM, MAC_ARM),
    "macosx_10_13_x86_64": Platform(
        "x86_64-macos.10.13", ".dylib", MACH_X86, {**AVX512_VNNI, **AVX2}
    ),
    "win_amd64": Platform(
        "x86_64-windows-gnu", ".dll", PE_X86, {**AVX512_VNNI, **AVX_VNNI, **AVX2}
    ),
}


def host_platform() -> Optional[str]:
    """Returns the tag for the machine this runs on, None if it has no build."""
    machine = {"AMD64": "x86_64", "ARM64": "arm64"}.get(platform.machine(), platform.machine())
    is_musl = "musl" in (sysconfig.get_config_var("HOST_GNU_TYPE") or "")
    linux = "musllinux_1_2" if is_musl else "manylinux_2_17"
    tag = {
        ("Linux", machine): f"{linux}_{machine}",
        ("Darwin", "arm64"): "macosx_11_0_arm64",
        ("Darwin", "x86_64"): "macosx_10_13_x86_64",
        ("Windows", "x86_64"): "win_amd64",
    }.get((platform.system(), machine), "")
    return tag if tag in PLATFORMS else None


def compiler(target: str, cpu: str) -> List[str]:
    """Returns the command that compiles C for a target and a CPU, without flags."""
    return [sys.executable, "-m", "ziglang", "cc", "-target", target, f"-mcpu={cpu}"]


def compile_platform(built: Platform, folder: Path, report: Callable[[str], None]) -> List[str]:
    """Compiles all libraries of a platform into a folder; returns their names, and CHECKSUMS.

    Args:
        built: The platform.
        folder: Where they go.
        report: Called with a line for each library that is done.

    Raises:
        OSError: If there is no compiler.
        subprocess.CalledProcessError: If a library does not compile.
    """

    def compile_one(cpu: str) -> str:
        name, start = built.library(cpu), time.monotonic()
        # macOS writes the name into the library: not the path it was built at.
        own_name = [f"-Wl,-install_name,@rpath/{name}"] if built.suffix == ".dylib" else []
        command = [*compiler(built.target, built.cpus[cpu]), *FLAGS, *own_name, str(SOURCE)]
        subprocess.run([*command, "-o", name, *LIBRARIES], cwd=folder, check=True)
        kilobytes, seconds = (folder / name).stat().st_size / 1000, time.monotonic() - start
        report(f"{built.target:24} {name:26} {kilobytes:4.0f} kB {seconds:6.1f} s")
        return name

    # The first alone: a new compiler builds the platform's own library with it, for a minute.
    first, *others = built.cpus
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        names = [compile_one(first), *pool.map(compile_one, others)]
    content = checksums({name: (folder / name).read_bytes() for name in names})
    (folder / CHECKSUMS).write_text(content, encoding="utf-8", newline="\n")
    return [*names, CHECKSUMS]


def checksums(content: Dict[str, bytes]) -> str:
    """Returns a line for each file, as `sha256sum` writes it."""
    lines = [f"{hashlib.sha256(content[name]).hexdigest()}  {name}\n" for name in sorted(content)]
    return "".join(lines)


def check_wheel(path: Path, tag: str) -> int:
    """Returns how many libraries a wheel has, all of the right format.

    Raises:
        ValueError: If one is missing, is for another machine, has no `tokprune_version` or is not
            the one of CHECKSUMS.
    """
    built, libraries = PLATFORMS[tag], {}
    with zipfile.ZipFile(path) as wheel:
        for cpu in built.cpus:
            name = (FOLDER / built.library(cpu)).as_posix()
            if name not in wheel.namelist():
                raise ValueError(f"{path.name} has no {name}")
            libraries[built.library(cpu)] = content = wheel.read(name)
            for offset, expected in built.header.items():
                start = int.from_bytes(content[60:64], "little") if offset < 0 else offset
                if content[start : start + len(expected)] != expected:
                    raise ValueError(f"{name} of {path.name} is not for {built.target}")
            # Stripped, a library for Linux or Windows names of its own only what it exports.
            if b"tokprune_version\0" not in content:
                raise ValueError(f"{name} of {path.name} does not export tokprune_version")
        name = (FOLDER / CHECKSUMS).as_posix()
        if name not in wheel.namelist() or wheel.read(name).decode() != checksums(libraries):
            raise ValueError(f"{name} of {path.name} does not say what its libraries are")
    return len(built.cpus)


if __name__ == "__main__":
    tag = host_platform() or sys.exit("there is no build for this machine; see docs/builds.md")
    compile_platform(PLATFORMS[tag], ROOT / FOLDER, print)
