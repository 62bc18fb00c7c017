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
