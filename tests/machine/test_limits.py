"""What cgroups of both versions say."""

from __future__ import annotations

from pathlib import Path

import pytest

from rasa_tokprune.machine import limits
from rasa_tokprune.machine.limits import available_memory, cpu_quota, memory_limit, own_memory


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_version_two(tmp_path: Path) -> None:
    write(tmp_path, "cpu.max", "150000 100000\n")
    write(tmp_path, "memory.max", "1000\n")
    assert cpu_quota(tmp_path) == 1.5
    assert memory_limit(tmp_path) == 1000
    write(tmp_path, "cpu.max", "max 100000\n")
    write(tmp_path, "memory.max", "max\n")
    assert cpu_quota(tmp_path) is None
    assert memory_limit(tmp_path) is None


def test_version_one(tmp_path: Path) -> None:
    write(tmp_path, "cpu/cpu.cfs_quota_us", "50000\n")
    write(tmp_path, "cpu/cpu.cfs_period_us", "100000\n")
    write(tmp_path, "memory/memory.limit_in_bytes", "2000\n")
    assert cpu_quota(tmp_path) == 0.5
    assert memory_limit(tmp_path) == 2000
    write(tmp_path, "cpu/cpu.cfs_quota_us", "-1\n")
    write(tmp_path, "memory/memory.limit_in_bytes", "9223372036854771712\n")
    assert cpu_quota(tmp_path) is None
    assert memory_limit(tmp_path) is None


def test_no_groups(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path) is None
    assert memory_limit(tmp_path) is None


def test_memory_that_is_left_and_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "info", "MemTotal: 10 kB\nMemAvailable:   4 kB\n")
    write(tmp_path, "status", "Name: python\nVmRSS:\t 3 kB\n")
    monkeypatch.setattr(limits, "_MEMINFO", tmp_path / "info")
    monkeypatch.setattr(limits, "_STATUS", tmp_path / "status")
    assert available_memory() == 4096
    assert own_memory() == 3072
    monkeypatch.setattr(limits, "_STATUS", tmp_path / "none")
    assert own_memory() is None
