"""Compiles the C library into the wheel, once for each set of CPU instructions it knows.

The compiler comes from PyPI (ziglang), so that no machine needs one of its own, and builds for
glibc 2.17, which every Linux of the last ten years has. On other systems the wheel has no library
and the package uses ONNX Runtime or torch.
"""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path("rasa_tokprune") / "encoder" / "backends" / "native"
FLAGS = ["-O3", "-ffp-contract=off", "-fno-math-errno", "-fPIC", "-shared", "-s"]
FLAGS += ["-Wall", "-Wextra", "-fvisibility=hidden"]
# machine -> library -> what its CPU has at least
CPUS: Dict[str, Dict[str, str]] = {
    "x86_64": {"tokprune_avx512vnni.so": "x86_64_v4+avx512vnni", "tokprune.so": "x86_64_v3"},
    "aarch64": {"tokprune.so": "generic"},
}
GLIBC = "2.17"


class NativeBuildHook(BuildHookInterface):
    """Adds the compiled library to the wheel, or to the source tree of an editable install."""

    def initialize(self, version: str, build_data: Dict[str, Any]) -> None:
        """Compiles; called by hatchling before it collects files."""
        machine = platform.machine()
        if self.target_name != "wheel" or sys.platform != "linux" or machine not in CPUS:
            return
        try:
            for name, cpu in CPUS[machine].items():
                subprocess.run(self._command(machine, cpu, name), cwd=self.root, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            self.app.display_warning(f"the C library is left out, it cannot be compiled: {error}")
            return
        build_data["artifacts"] += [f"/{FOLDER / name}" for name in CPUS[machine]]
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-manylinux_{GLIBC.replace('.', '_')}_{machine}"

    def _command(self, machine: str, cpu: str, name: str) -> List[str]:
        compiler = [sys.executable, "-m", "ziglang", "cc"]
        target = ["-target", f"{machine}-linux-gnu.{GLIBC}", f"-mcpu={cpu}"]
        source = str(FOLDER / "src" / "encoder.c")
        return [*compiler, *target, *FLAGS, source, "-o", str(FOLDER / name), "-lm"]
