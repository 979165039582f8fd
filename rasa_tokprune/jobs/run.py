"""Runs a function over many arguments, wherever there are processors."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from tqdm import tqdm

from rasa_tokprune.errors import ConfigError, JobError
from rasa_tokprune.extras import require
from rasa_tokprune.jobs.results import Result, ResultStore, job_key
from rasa_tokprune.machine.threads import available_threads

INLINE, PROCESSES = "inline", "processes"
# One after the other; on so many processes of this machine; on a Dask cluster.
SCHEDULERS = f"'{INLINE}', '{PROCESSES}:N' or the address of a Dask scheduler, 'tcp://host:8786'"
_ADDRESSES = ("tcp://", "tls://", "ucx://")

# What a job is: JSON values in, JSON values out, and nothing else that changes the result.
Job = Callable[..., Result]
_Numbered = Tuple[int, Result]


def check_scheduler(scheduler: str) -> None:
    """Raises ConfigError if a scheduler is not one of SCHEDULERS, or Dask is not installed."""
    name, _, count = scheduler.partition(":")
    if scheduler == INLINE or (name == PROCESSES and count.isdecimal() and int(count) > 0):
        return
    _, _, address = scheduler.partition("://")
    host, _, port = address.rpartition(":")
    if not (scheduler.startswith(_ADDRESSES) and host and port.isdecimal()):
        raise ConfigError(f"scheduler must be {SCHEDULERS}; got {scheduler!r}")
    require("distributed", f"scheduler '{scheduler}'")


def threads_of_job(scheduler: str) -> Optional[int]:
    """Returns how many threads a job should take; None: as many as it likes."""
    name, _, count = scheduler.partition(":")
    return max(1, available_threads() // int(count)) if name == PROCESSES else None


def run_jobs(
    job: Job,
    arguments: Sequence[Mapping[str, Any]],
    *,
    name: str,
    scheduler: str = INLINE,
    results: Optional[Path] = None,
    progress_name: Optional[str] = None,
) -> List[Result]:
    """Returns the result of a job for each arguments, in their order.

    What was computed before is not computed again, wherever it ran; results do not depend on the
    scheduler.

    Args:
        job: A function of a module, called with each arguments as keywords; JSON in and out.
        arguments: JSON values; equal ones are computed once.
        name: Kind and version of the job, for the results' names.
        scheduler: One of SCHEDULERS.
        results: Folder to keep results in as they come; None keeps none.
        progress_name: Name of the progress bar; None draws none.

    Raises:
        ConfigError: If there is no such scheduler.
        JobError: If processes die, or a cluster does not answer or loses a job time and again.
    """
    check_scheduler(scheduler)
    kept = ResultStore(results)
    keys = [job_key(name, each) for each in arguments]
    given = dict(zip(keys, arguments))
    done: Dict[str, Result] = {}
    for key in given:
        found = kept.read(key)
        if found is not None:
            done[key] = found
    missing = [key for key in given if key not in done]
    with tqdm(
        total=len(given), initial=len(done), desc=progress_name, disable=progress_name is None
    ) as progress:
        for number, result in _run(job, [given[key] for key in missing], scheduler):
            done[missing[number]] = result
            kept.write(missing[number], result)
            progress.update()
    return [done[key] for key in keys]


def _run(job: Job, arguments: Sequence[Mapping[str, Any]], scheduler: str) -> Iterator[_Numbered]:
    """Yields number and result of each job as they come."""
    if not arguments:
        return
    if scheduler == INLINE:
        yield from ((number, job(**each)) for number, each in enumerate(arguments))
    elif scheduler.startswith(PROCESSES):
        yield from _run_on_processes(job, arguments, int(scheduler.partition(":")[2]))
    else:
        yield from _run_on_dask(job, arguments, scheduler)


def _run_on_processes(
    job: Job, arguments: Sequence[Mapping[str, Any]], count: int
) -> Iterator[_Numbered]:
    # Forked children would inherit the locks of this process's threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context) as pool:
        futures = {pool.submit(job, **each): number for number, each in enumerate(arguments)}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenExecutor as error:
            raise JobError(
                "a process died, perhaps for want of memory; what was finished is kept, so call "
                "again, with fewer processes"
            ) from error
        finally:  # what is queued when a job fails would be thrown away
            pool.shutdown(wait=True, cancel_futures=True)


def _run_on_dask(
    job: Job, arguments: Sequence[Mapping[str, Any]], address: str
) -> Iterator[_Numbered]:
    import distributed

    try:
        client = distributed.Client(address)
    except (OSError, ValueError) as error:
        raise JobError(f"no Dask scheduler answers at '{address}': {error}") from error
    with client:
        futures = {
            client.submit(job, **each, pure=False): number for number, each in enumerate(arguments)
        }
        for future in distributed.as_completed(futures):
            try:
                yield futures[future], future.result()
            except (distributed.KilledWorker, ImportError, OSError) as error:
                raise JobError(
                    f"a job failed on the cluster of '{address}' ({error}); every worker needs the "
                    f"same package and files; what was finished is kept"
                ) from error
