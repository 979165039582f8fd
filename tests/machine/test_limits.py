"""What cgroups of both versions say."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import pytest

from rasa_tokprune.machine import limits
from rasa_tokprune.machine.limits import available_memory, cpu_quota, memory_limit, own_memory
from rasa_tokprune.machine.threads import SANIC_WORKERS, available_threads


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


def test_the_own_group_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "own", "9:name=systemd:/\n1:cpu,cpuacct:/bots\n0::/new/bots\n")
    monkeypatch.setattr(limits, "_GROUPS", tmp_path / "own")
    write(tmp_path, "cpu/bots/cpu.cfs_quota_us", "200000\n")
    write(tmp_path, "cpu/bots/cpu.cfs_period_us", "100000\n")
    assert cpu_quota(tmp_path) == 2.0
    write(tmp_path, "cpu.max", "150000 100000\n")
    assert cpu_quota(tmp_path) == 1.5
    write(tmp_path, "new/bots/cpu.max", "50000 100000\n")
    assert cpu_quota(tmp_path) == 0.5


@pytest.mark.parametrize(("quota", "threads"), [(None, 8), (0.5, 1), (2.5, 2), (16.0, 8)])
def test_threads_go_by_the_quota(
    monkeypatch: pytest.MonkeyPatch, quota: Optional[float], threads: int
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setattr("rasa_tokprune.machine.threads.cpu_quota", lambda: quota)
    monkeypatch.delenv(SANIC_WORKERS, raising=False)
    assert available_threads() == threads
    monkeypatch.setenv(SANIC_WORKERS, "2")
    assert available_threads() == max(1, threads // 2)


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
