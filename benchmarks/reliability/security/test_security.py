"""What the checks of security count."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

from benchmarks.reliability.security.audit import summary
from benchmarks.reliability.security.database import look_up
from benchmarks.reliability.security.tables import audit_table, network_table
from rasa_tokprune.errors import ConfigError


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


RECORD = """id: {id}
modified: "2024-01-{day}T00:00:00Z"
affected:
- package: {{ecosystem: PyPI, name: Some_Package}}
  ranges:
  - {{type: GIT, events: [{{introduced: "0"}}]}}
  - {{type: ECOSYSTEM, events: {events}}}
"""


@pytest.mark.parametrize(
    ("version", "known"),
    [
        ("1.9", ["A"]),
        ("1.10", []),
        ("2.0rc1", []),
        ("2.0", ["A", "B"]),
        ("2.0.1", ["A"]),
        ("3", []),
    ],
)
def test_a_version_is_looked_up_in_ranges(tmp_path: Path, version: str, known: List[str]) -> None:
    folder = tmp_path / "vulns" / "some-package"
    folder.mkdir(parents=True)
    twice = [{"introduced": "0"}, {"fixed": "1.10"}, {"introduced": "2.0"}, {"fixed": "2.1"}]
    last = [{"introduced": "2.0"}, {"last_affected": "2.0"}]
    records = [("A", "01", twice), ("B", "02", last), ("C", "03", [{"introduced": "0"}])]
    for name, day, events in records:
        text = RECORD.format(id=name, day=day, events=json.dumps(events))
        text += "withdrawn: now\n" if name == "C" else ""
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    (folder / "PYSEC-0000-CVE-1.yaml").write_text("no record", encoding="utf-8")
    locked = tmp_path / "locked.txt"
    lines = ["# locked", f"Some.Package=={version}", "    # via b", "b==1 ; python_version < '3'"]
    locked.write_text("\n".join(lines), encoding="utf-8")
    row = look_up(tmp_path, locked)
    assert (row["n_packages"], row["newest"]) == (1, "2024-01-03")
    assert row["advisories"] == ({f"some-package {version}": known} if known else {})
    assert "| PyPA's advisory database, until 2024-01-03 | 1 packages;" in audit_table([row])


def test_a_folder_that_is_no_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no folder 'vulns'; give a clone"):
        look_up(tmp_path, tmp_path / "locked.txt")


def test_what_did_not_answer_is_seen() -> None:
    row = {"backend": "onnx", "how": "refused", "code": 1, "n_sockets": None}
    assert "| onnx | refused | **no** | None |" in network_table([row])
