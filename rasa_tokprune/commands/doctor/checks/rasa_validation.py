"""What Rasa itself says of the configuration, asked in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable, Iterator, List, Optional, Sequence

from rasa_tokprune.commands.doctor.case import Case
from rasa_tokprune.commands.doctor.findings import Finding

_WORKER = "rasa_tokprune.commands.doctor.rasa_worker"
_LONGEST = 300
_ADVICE = "Mend what it names; `rasa train` stops there too"


def ask_rasa(
    config: Path, domain: Optional[Path], data: Sequence[Path], case: Case
) -> Callable[[], List[Finding]]:
    """Starts a process that lets Rasa check the bot; returns what waits for its findings.

    Rasa takes seconds to import, and writes matplotlib's settings; the process does so beside the
    other checks and into a folder that is removed.
    """
    scratch = tempfile.TemporaryDirectory(prefix="rasa-tokprune-doctor-")
    environment = {
        **os.environ,
        "MPLCONFIGDIR": scratch.name,
        "RASA_TELEMETRY_ENABLED": "false",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    arguments = [str(config), str(domain or ""), *map(str, data)]
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", _WORKER, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    )

    def wait() -> List[Finding]:
        try:
            out, complaint = process.communicate(timeout=_LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            out, complaint = process.communicate()
        finally:
            scratch.cleanup()
        return list(_findings(out, complaint, case, str(config)))

    return wait


def check_rasa(case: Case) -> Iterator[Finding]:
    """Yields Rasa's own errors and warnings, each in one line."""
    if case.rasa is not None:
        yield from case.rasa()


def _findings(out: str, complaint: str, case: Case, config: str) -> Iterator[Finding]:
    try:
        said = json.loads(out.splitlines()[-1])
    except (ValueError, IndexError):
        last = (complaint.strip().splitlines() or ["nothing"])[-1]
        yield Finding(
            "rasa-error",
            f"Rasa could not be asked; it said: {last}",
            "Try `rasa --version`",
            config,
        )
        return
    case.rasa_bytes = said["bytes"]
    if said["error"]:
        yield Finding("rasa-error", f"Rasa: {said['error']}", _ADVICE, config)
    for line in said["warnings"]:
        yield Finding("rasa-warning", f"Rasa: {line}", "See Rasa's documentation", config)
    if not said["error"]:
        yield Finding("rasa-validation", "Rasa accepts the configuration", "", config)
