"""From what the command line names to sessions: files, folders and patterns, one after the other or side by side."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path

from ctxengine.findings import Finding, Place
from ctxengine.simulate.simulation import Session, Simulator

SUFFIXES = (".json", ".jsonl", ".ndjson")
BATCH = 4
"""Files of one task: enough that making engines and sending sessions back weigh little."""


def find_files(sources: Iterable[str]) -> tuple[list[str], tuple[Finding, ...]]:
    """The files behind paths, folders (all JSON in them) and patterns, each once, in order.

    With them, an error for each folder or pattern that holds none.
    """
    found: dict[str, str] = {}
    missing: list[Finding] = []
    for source in sources:
        path = Path(source)
        if path.is_dir():
            files = sorted(str(each) for each in path.rglob("*") if each.suffix in SUFFIXES and each.is_file())
        elif not path.exists() and has_magic(source):
            matches = glob(source, recursive=True)  # noqa: PTH207 pathlib takes no absolute pattern
            files = sorted(each for each in matches if Path(each).is_file())
        else:
            files = [source]
        if not files:
            message = "no transcript is here"
            remedy = f"give a file, or a folder or pattern with {', '.join(SUFFIXES)} files"
            missing.append(Finding("transcript-malformed", "error", message, remedy, Place(file=source)))
        for file in files:
            found.setdefault(os.path.realpath(file), file)
    return list(found.values()), tuple(missing)


def sessions(simulator: Simulator, files: Sequence[str], jobs: int = 1) -> Iterator[Session]:
    """The sessions of all files in their order, as they are done; no more than a few are held at a time.

    Args:
        jobs: processes, through joblib, whose ``parallel_config`` can send the tasks elsewhere; -1 is one per core.
    """
    if jobs == 1 or len(files) <= 1:
        yield from simulator.files(files)
        return
    from joblib import Parallel, delayed

    tasks = (delayed(_run)(simulator, batch) for batch in _batches(files))
    jobs = min(jobs, -(-len(files) // BATCH))
    for done in Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="2*n_jobs", batch_size=1)(tasks):
        yield from done


def _run(simulator: Simulator, files: Sequence[str]) -> list[Session]:
    return list(simulator.files(files))


def _batches(files: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(files), BATCH):
        yield files[start : start + BATCH]
