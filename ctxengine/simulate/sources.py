"""The files behind what is named as transcripts: files, folders and patterns."""

from __future__ import annotations

import os
from collections.abc import Iterable
from glob import glob, has_magic
from pathlib import Path

from ctxengine.findings import Finding, Place

SUFFIXES = (".json", ".jsonl", ".ndjson")


def find_files(sources: Iterable[str]) -> tuple[list[str], tuple[Finding, ...]]:
    """The files behind paths, folders (all JSON in them) and patterns, each once, in order.

    With them, an error for each folder or pattern that holds none, and for what cannot be looked into.
    """
    found: dict[str, str] = {}
    missing: list[Finding] = []
    for source in sources:
        unread: list[OSError] = []
        files = _behind(source, unread)
        missing += (_unreadable(error, source) for error in unread)
        if not files and not unread:
            message = "no transcript is here"
            remedy = f"give a file, or a folder or pattern with {', '.join(SUFFIXES)} files"
            missing.append(Finding("transcript-malformed", "error", message, remedy, Place(file=source or "''")))
        for file in files:
            found.setdefault(os.path.realpath(file), file)
    return list(found.values()), tuple(missing)


def _behind(source: str, unread: list[OSError]) -> list[str]:
    """The files that a source stands for; what goes wrong is left in ``unread``."""
    try:
        path = Path(source)
        if source and path.is_dir():
            named = (Path(at, name) for at, _, names in os.walk(path, onerror=unread.append) for name in names)
            every = (each for each in named if each.suffix in SUFFIXES)
            return sorted(str(each) for each in every if os.path.isfile(each))  # noqa: PTH113 it raises nothing
        if not source or (not path.exists() and has_magic(source)):
            matches = glob(source, recursive=True)  # noqa: PTH207 pathlib takes no absolute pattern
            return sorted(each for each in matches if Path(each).is_file())
    except OSError as error:
        unread.append(error)
        return []
    return [source]


def _unreadable(error: OSError, source: str) -> Finding:
    message = f"cannot be looked into: {error.strerror or type(error).__name__}"
    remedy = "check the path and its permissions"
    return Finding("transcript-malformed", "error", message, remedy, Place(file=str(error.filename or source)))
