"""What the numbers depend on: processor, cores, versions, day."""

from __future__ import annotations

import datetime
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any, Dict, List

from rasa_tokprune.machine.cpu import cpu_features

PACKAGES = (
    "rasa-tokprune", "rasa", "torch", "tokenizers", "transformers", "sentence-transformers",
    "onnx", "onnxruntime", "openvino", "nncf", "tensorflow", "tensorflow-cpu",
    "scikit-learn", "numpy",
)  # fmt: skip
FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "amx_bf16",
         "asimddp", "bf16")  # fmt: skip


def environment() -> Dict[str, Any]:
    """Returns processor, instruction sets, cores of this process, versions and UTC date."""
    return {
        "cpu": _cpu_name(),
        "flags": [flag for flag in FLAGS if flag in cpu_features()],
        "cores": len(usable_cores()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: v for name in PACKAGES if (v := _version(name))},
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
    }


def usable_cores() -> List[int]:
    """Returns the numbers of the cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
