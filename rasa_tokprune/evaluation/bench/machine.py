"""What the numbers depend on: processor, cores, versions, day."""

from __future__ import annotations

import contextlib
import datetime
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence

from rasa_tokprune.encoder.backends import HIDE_VARIABLE, cpu_features
from rasa_tokprune.errors import ConfigError

PACKAGES = (
    "rasa-tokprune", "rasa", "torch", "tokenizers", "transformers", "sentence-transformers",
    "onnx", "onnxruntime", "openvino", "nncf", "tensorflow", "scikit-learn", "numpy",
)  # fmt: skip
FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "amx_bf16",
         "asimddp", "bf16")  # fmt: skip


# Keeps libraries off AVX-512; ONNX Runtime has no such switch.
WITHOUT_AVX512 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "DNNL_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    HIDE_VARIABLE: "avx512_vnni avx512_bf16 avx_vnni",
}


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


def check_threads(threads: int) -> None:
    """Raises ConfigError if there are fewer cores than threads."""
    n_cores = len(usable_cores())
    if not 1 <= threads <= n_cores:
        raise ConfigError(
            f"threads must be in [1, {n_cores}], the cores this process may use, got {threads}"
        )


def pin(threads: int) -> None:
    """Keeps this process on its first `threads` cores, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, usable_cores()[:threads])


@contextlib.contextmanager
def started_on(cores: Sequence[int]) -> Iterator[None]:
    """Lets processes that are started inside run on these cores only."""
    before = usable_cores()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, before)


def thread_variables(threads: int) -> Dict[str, str]:
    """Returns the environment variables that fix the threads of numeric libraries."""
    return {
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "false",
        "TF_INTRA_OP_PARALLELISM_THREADS": str(threads),
        "TF_INTER_OP_PARALLELISM_THREADS": str(threads),
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONWARNINGS": "ignore",
    }


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
