"""Servers end with their block, and with their script, whatever happens to it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.rasa.processes import RasaProcessError
from benchmarks.reliability.serving.running import free_port, request, running
from tests.real_data import ROOT

_SERVER = (
    "import http.server as h, sys\n"
    "h.HTTPServer(('127.0.0.1', int(sys.argv[1])), h.BaseHTTPRequestHandler).serve_forever()"
)
# A server with a child, as a server with workers has them.
_FAMILY = (
    "import subprocess, sys\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    f"print(child.pid, flush=True)\n{_SERVER}"
)


def is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.is_file() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_for_end(pid: int) -> bool:
    deadline = time.monotonic() + 20
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_alive(pid)


def listens(port: int) -> bool:
    try:
        request(port, "GET", "/", b"")
    except RasaProcessError:
        return True  # it answers 501
    except OSError:
        return False
    return True


def test_a_server_and_its_children_end_with_the_block(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-c", _FAMILY, str(port)]
    pids = []

    def fail() -> None:
        with running(command, tmp_path, port, listens) as server:
            pids.extend([server.pid, int(server.printed().split()[0])])
            assert all(map(is_alive, pids))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(pids) == 2
    assert all(map(wait_for_end, pids))


def test_a_server_that_ends_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no port')"]
    server = running(command, tmp_path, free_port(), listens)
    with pytest.raises(RasaProcessError, match="no port"):
        server.__enter__()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a process")
def test_a_server_ends_when_its_script_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from benchmarks.reliability.serving.running import running\n"
        "from benchmarks.reliability.serving.test_running import listens, _SERVER\n"
        f"with running([sys.executable, '-c', _SERVER, sys.argv[1]], Path({str(tmp_path)!r}), "
        "int(sys.argv[1]), listens) as server:\n"
        "    print(server.pid, flush=True); time.sleep(600)\n"
    )
    command = [sys.executable, "-c", script, str(free_port())]
    own = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert own.stdout is not None
    pid = int(own.stdout.readline())
    assert is_alive(pid)
    own.send_signal(signal.SIGKILL)
    own.wait()
    own.stdout.close()
    assert wait_for_end(pid)
