"""The same jobs give the same results wherever they run, and are never computed twice."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Iterator, List

import pytest

from rasa_tokprune.errors import ConfigError, JobError
from rasa_tokprune.jobs.results import ResultStore, job_key
from rasa_tokprune.jobs.run import check_scheduler, run_jobs
from tests.jobs.workload import die, fail, fail_or_wait, leave_a_trace, square

NUMBERS = [{"number": number} for number in (3, 1, 2, 3, 5)]
SQUARES = [{"square": square} for square in (9, 1, 4, 9, 25)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[object]:
    """Returns a real Dask cluster of two worker processes."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as running:
        yield running


def traces(folder: Path, kind: str) -> List[str]:
    return sorted(path.name.split("-")[1] for path in folder.glob(f"{kind}-*"))


@pytest.mark.parametrize("scheduler", ["inline", "processes:2"])
def test_results_come_in_the_order_of_the_arguments(scheduler: str) -> None:
    assert run_jobs(square, NUMBERS, name="square-1", scheduler=scheduler) == SQUARES
    assert run_jobs(square, [], name="square-1", scheduler=scheduler) == []


@pytest.mark.slow
def test_a_cluster_gives_the_same_results(cluster: object) -> None:
    address = cluster.scheduler_address  # type: ignore[attr-defined]
    assert run_jobs(square, NUMBERS, name="square-1", scheduler=address) == SQUARES


def test_what_is_known_is_not_computed_again(tmp_path: Path) -> None:
    traces_folder = tmp_path / "traces"
    traces_folder.mkdir()

    def run(numbers: List[int], name: str = "trace-1") -> List[dict]:
        arguments = [
            {"number": number, "folder": str(traces_folder), "seconds": 0} for number in numbers
        ]
        return run_jobs(leave_a_trace, arguments, name=name, results=tmp_path / "results")

    assert run([1, 2, 2]) == [{"number": 1}, {"number": 2}, {"number": 2}]
    assert traces(traces_folder, "done") == ["1", "2"], "equal arguments are computed once"
    for file in traces_folder.iterdir():
        file.unlink()
    assert run([2, 3, 1]) == [{"number": 2}, {"number": 3}, {"number": 1}]
    assert traces(traces_folder, "done") == ["3"]
    run([1], name="trace-2")
    assert traces(traces_folder, "done") == ["1", "3"], "another version is another job"


@pytest.mark.parametrize("scheduler", ["inline", "processes:1"])
def test_what_was_finished_before_an_error_is_kept(tmp_path: Path, scheduler: str) -> None:
    arguments = [{"number": number} for number in (1, 2, 3, *range(4, 60))]
    with pytest.raises(ValueError, match="three is too much"):
        run_jobs(fail, arguments, name="fail-1", results=tmp_path, scheduler=scheduler)
    assert len(list(tmp_path.glob("*.json"))) >= 2
    assert run_jobs(fail, arguments[:2], name="fail-1", results=tmp_path) == arguments[:2]


def test_after_an_error_what_is_queued_is_not_run(tmp_path: Path) -> None:
    arguments = [
        {"number": n, "folder": str(tmp_path / "absent"), "seconds": 0.2} for n in range(40)
    ]
    begun = time.monotonic()
    with pytest.raises(FileNotFoundError):
        run_jobs(leave_a_trace, arguments, name="trace-1", scheduler="processes:1")
    arguments = [{"number": 3}, *({"number": 100 + n, "seconds": 0.5} for n in range(40))]
    with pytest.raises(ValueError, match="three is too much"):
        run_jobs(fail_or_wait, arguments, name="wait-1", scheduler="processes:1")
    assert time.monotonic() - begun < 15, "40 jobs of half a second would take longer"


def test_a_process_that_dies_is_one_clear_line() -> None:
    with pytest.raises(JobError, match="a process died"):
        run_jobs(die, [{"number": 1}], name="die-1", scheduler="processes:1")


@pytest.mark.slow
def test_a_cluster_that_does_not_answer_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    dask = pytest.importorskip("dask")
    pytest.importorskip("distributed")
    quick = dask.config.set({"distributed.comm.timeouts.connect": "1s"})
    message = "no Dask scheduler answers at 'tcp://127.0.0.1:9'"
    with quick, pytest.raises(JobError, match=message):
        run_jobs(square, NUMBERS, name="square-1", scheduler="tcp://127.0.0.1:9")


def test_a_damaged_result_is_computed_again(tmp_path: Path) -> None:
    run_jobs(square, NUMBERS, name="square-1", results=tmp_path)
    for file in tmp_path.glob("*.json"):
        file.write_bytes(file.read_bytes()[:-3])
    assert run_jobs(square, NUMBERS, name="square-1", results=tmp_path) == SQUARES


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_worker_killed_half_way_costs_nothing_but_time(cluster: object, tmp_path: Path) -> None:
    arguments = [{"number": n, "folder": str(tmp_path), "seconds": 0.3} for n in range(16)]
    killed: List[int] = []

    def kill_one() -> None:
        while len(traces(tmp_path, "done")) < 5:
            time.sleep(0.02)
        begun = {path.name.split("-", 1)[1] for path in tmp_path.glob("begun-*")}
        running = begun - {path.name.split("-", 1)[1] for path in tmp_path.glob("done-*")}
        pid = int(sorted(running)[0].split("-")[1])
        os.kill(pid, signal.SIGKILL)
        killed.append(pid)

    killer = threading.Thread(target=kill_one)
    killer.start()
    address = cluster.scheduler_address  # type: ignore[attr-defined]
    found = run_jobs(leave_a_trace, arguments, name="trace-1", scheduler=address)
    killer.join()
    assert killed
    assert found == [{"number": number} for number in range(16)]
    begun = [path.name for path in tmp_path.glob("begun-*")]
    assert len(begun) > 16, "what the killed worker had begun was begun again"


def test_keys_tell_jobs_apart() -> None:
    keys = {
        job_key("a-1", {"x": 1, "y": [1.5]}),
        job_key("a-1", {"x": 1, "y": [1.25]}),
        job_key("a-2", {"x": 1, "y": [1.5]}),
        job_key("a-1", {"x": "1", "y": [1.5]}),
    }
    assert len(keys) == 4
    assert job_key("a-1", {"y": [1.5], "x": 1}) in keys
    assert ResultStore(None).read("anything") is None


@pytest.mark.parametrize(
    "scheduler", ["dask", "processes", "processes:0", "processes:x", "", "tcp://", "tcp://host"]
)
def test_unknown_schedulers_are_refused(scheduler: str) -> None:
    with pytest.raises(ConfigError, match="scheduler must be 'inline', 'processes:N' or"):
        check_scheduler(scheduler)


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"pip install 'rasa-tokprune\[distributed\]'"):
        run_jobs(square, NUMBERS, name="square-1", scheduler="tcp://127.0.0.1:8786")
