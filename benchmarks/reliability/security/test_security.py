"""What the checks of security count."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.reliability.security.audit import summary
from benchmarks.reliability.security.tables import audit_table, network_table


def test_sockets_are_refused_and_counted() -> None:
    code = """
from benchmarks.reliability.security.no_network import forbid_sockets
tried = forbid_sockets()
import socket, urllib.request
for call in (lambda: socket.socket(), lambda: urllib.request.urlopen("http://127.0.0.1:9")):
    try:
        call()
    except OSError:
        pass
print(len(tried))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(ended.stdout) >= 2


def test_advisories_are_listed_by_package() -> None:
    vulnerable = {"name": "a", "version": "1", "vulns": [{"id": "X-2"}, {"id": "X-1"}]}
    fine = {"name": "b", "version": "2", "vulns": []}
    left_out = {"name": "c", "skip_reason": "not found"}
    found = summary([vulnerable, fine, left_out])
    assert found == {"n_packages": 2, "n_left_out": 1, "advisories": {"a 1": ["X-1", "X-2"]}}
    rows = [
        {"service": "one", "answered": True, **found},
        {"service": "two", "answered": False, "why": "no way"},
    ]
    assert "| one | 2 packages; a 1: X-1, X-2 |" in audit_table(rows)
    assert "| two | not possible where this ran: no way |" in audit_table(rows)


def test_what_did_not_answer_is_seen() -> None:
    row = {"backend": "onnx", "how": "refused", "code": 1, "n_sockets": None}
    assert "| onnx | refused | **no** | None |" in network_table([row])
