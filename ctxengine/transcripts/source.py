"""Bytes to JSON values, one line at a time where the file is a log of lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from ctxengine.errors import MalformedInput, TranscriptError
from ctxengine.findings import Finding, Place
from ctxengine.jsontext import JsonText, read_json

MALFORMED = "transcript-malformed"
LENIENTLY = "or read leniently (simulate --lenient) to skip it"
MAX_JSON_BYTES = 64 << 20
"""Largest single JSON text read, a whole document or one line: twice what any one request may hold."""


@dataclass(frozen=True, slots=True)
class Row:
    """One JSON value of a file: a line of a log (``line`` from 1), or the whole document (``line`` is None)."""

    document: JsonText
    line: int | None

    @property
    def value(self) -> Any:
        return self.document.value

    def place(self, path: str = "") -> Place:
        return self.document.place(path) if self.line is None else Place(path, self.document.name, self.line)


class Notes:
    """Where readers complain: the first complaint raises ``TranscriptError``; when lenient, all become warnings."""

    def __init__(self, *, lenient: bool) -> None:
        self._lenient = lenient
        self.skipped: list[Finding] = []

    def malformed(self, where: Place, message: str, remedy: str) -> None:
        self.add(Finding(MALFORMED, "error", message, remedy, where))

    def add(self, finding: Finding) -> None:
        if not self._lenient:
            raise TranscriptError(replace(finding, help=f"{finding.help}, {LENIENTLY}"))
        self.skipped.append(replace(finding, rule="transcript-skipped", severity="warning"))


def refusal(name: str, message: str, remedy: str) -> TranscriptError:
    """The error for a file that cannot be read at all, leniently or not."""
    return TranscriptError(Finding(MALFORMED, "error", message, remedy, Place(file=name)))


def read_rows(stream: BinaryIO, name: str, notes: Notes) -> Iterator[Row]:
    """The JSON values of a seekable stream: one per line if it is a log of lines, else the one document it is."""
    first = next(_lines(stream), None)
    if first is None:
        raise refusal(name, "the file is empty", "give a recorded conversation or a request")
    number, text = first
    goes_on = next(_lines(stream), None) is not None
    if name.endswith((".jsonl", ".ndjson")) or (goes_on and _is_object(text, name)):
        stream.seek(0)
        yield from _rows_by_line(stream, name, notes)
        return
    if goes_on or number > 1:
        stream.seek(0)
        text = stream.read(MAX_JSON_BYTES + 1)
    try:
        yield Row(read_json(text, name, rule=MALFORMED, max_bytes=MAX_JSON_BYTES), None)
    except MalformedInput as error:
        raise TranscriptError(*error.findings) from None


def _rows_by_line(stream: BinaryIO, name: str, notes: Notes) -> Iterator[Row]:
    for number, line in _lines(stream):
        try:
            document = read_json(line, name, rule=MALFORMED, max_bytes=MAX_JSON_BYTES)
        except MalformedInput as error:
            finding = error.findings[0]
            notes.add(replace(finding, where=replace(finding.where, line=number)))
        else:
            yield Row(document, number)


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Lines that hold something, numbered from 1; of one that is too long the beginning, which is refused."""
    number = 0
    while line := stream.readline(MAX_JSON_BYTES + 1):
        number += 1
        if line.strip():
            yield number, line
        while len(line) > MAX_JSON_BYTES and not line.endswith(b"\n"):
            line = stream.readline(MAX_JSON_BYTES + 1)


def _is_object(line: bytes, name: str) -> bool:
    try:
        return isinstance(read_json(line, name, rule=MALFORMED, max_bytes=MAX_JSON_BYTES).value, dict)
    except MalformedInput:
        return False
