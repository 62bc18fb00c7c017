"""From files to sessions, one after the other or side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ctxengine.simulate.simulation import Session, Simulator

BATCH = 4
"""Most files of one task: enough that making engines and sending sessions back weigh little."""


def sessions(simulator: Simulator, files: Sequence[str], jobs: int = 1) -> Iterator[Session]:
    """The sessions of all files in their order, as they are done; no more than a few are held at a time.

    Args:
        jobs: processes, through joblib, whose ``parallel_config`` can send the tasks elsewhere; -1 is one per core. Of
            backends that cannot hand back results one by one, all are held.
    """
    if jobs == 1 or len(files) <= 1:
        yield from simulator.files(files)
        return
    from joblib import delayed, effective_n_jobs

    jobs = min(effective_n_jobs(jobs), len(files))
    size = max(1, min(BATCH, len(files) // jobs))
    tasks = [delayed(_run)(simulator, files[start : start + size]) for start in range(0, len(files), size)]
    for done in _parallel(jobs)(tasks):
        yield from done


def _parallel(jobs: int) -> Any:
    from joblib import Parallel

    try:
        return Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="2*n_jobs", batch_size=1)
    except ValueError:  # some backends hand back all results at once
        return Parallel(n_jobs=jobs, batch_size=1)


def _run(simulator: Simulator, files: Sequence[str]) -> list[Session]:
    return list(simulator.files(files))
