"""The files that a long run writes: whole, or not at all."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn

import click

from ctxengine.cli.output import unwritable

ENDS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
SHOWN = 40
"""Characters of a file's name that stand in that of its unfinished form: names have an end."""


def written(options: Mapping[str, str | None], inputs: Collection[str]) -> dict[str, Path]:
    """Where the options write, links followed. What is no ordinary file stays, and so does what is read."""
    taken = {Path(os.path.realpath(name)): "is read by this run" for name in inputs}
    found: dict[str, Path] = {}
    for option, name in options.items():
        if name is None:
            continue
        path = found[option] = Path(os.path.realpath(name))
        why = taken.get(path)
        if Path(name).exists() and not Path(name).is_file():
            why = "is no ordinary file"
        elif not path.parent.is_dir():
            why = "is in a folder that does not exist"
        if why:
            raise click.UsageError(f"{option}: {name} {why}")
        taken[path] = f"is the file of {option}"
    return found


@contextmanager
def ended_like_interrupted() -> Iterator[None]:
    """SIGTERM, and a terminal that closes, end the run as Ctrl-C does, so that neither workers nor half-written files
    stay behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _end) for number in ENDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _: object) -> NoReturn:
    raise SystemExit(128 + number)


@contextmanager
def whole_file(path: Path) -> Iterator[IO[str]]:
    """A file that is there once all of it is written, and not before."""
    part = path.with_name(f".{path.name[:SHOWN]}.{os.getpid()}.part")
    try:
        file = part.open("w", encoding="utf-8")
    except OSError as error:
        raise unwritable(path, error) from None
    try:
        with file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
