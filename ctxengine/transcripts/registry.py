"""The formats that can be read, and the way from a file to its transcripts."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from ctxengine.errors import TranscriptError
from ctxengine.findings import Finding, Place
from ctxengine.transcripts.claude_code import CLAUDE_CODE
from ctxengine.transcripts.messages import MESSAGES, TRANSCRIPT, arguments_of
from ctxengine.transcripts.openai_chat import OPENAI
from ctxengine.transcripts.pi import PI
from ctxengine.transcripts.reading import Draft, Reader
from ctxengine.transcripts.repair import Repair, tools_used
from ctxengine.transcripts.source import MALFORMED, Notes, Row, read_rows
from ctxengine.transcripts.transcript import Transcript

READERS: tuple[Reader, ...] = (TRANSCRIPT, OPENAI, MESSAGES, CLAUDE_CODE, PI)
"""Asked in this order; the first that knows a value reads the file."""

SNIFF_ROWS = 100


def read_transcripts(source: str | Path | bytes, *, name: str | None = None, lenient: bool = False) -> tuple[Transcript, ...]:
    """Every context of a recorded conversation, main ones first, each made a valid Messages conversation.

    Args:
        source: a path, or the bytes of a file.
        name: what findings call the file; the path where not given.
        lenient: skip what cannot be read and report it (``transcript-skipped``) on the first transcript.

    Raises:
        TranscriptError: ``transcript-malformed`` with file and line; also when the format is unknown or nothing is left.
    """
    name = name or _name(source)
    notes = Notes(lenient=lenient)
    with closing(_open(source, name)) as stream:
        reader, rows = _recognise(read_rows(stream, name, notes), name)
        first, *more = (transcript for transcript, _ in _finished(reader, rows, name, notes))
    return replace(first, findings=(*notes.skipped, *first.findings)), *more


def read_request(source: str | Path | bytes, *, name: str | None = None, lenient: bool = False) -> Transcript:
    """The one request in a file: ``messages.create`` arguments exactly as written, or a transcript's conversation.

    A log of several contexts gives its last main one, and says so (``transcript-context``). Arguments are not
    repaired: what is wrong with them is for the rules to say. Arguments and errors as for ``read_transcripts``.
    """
    name = name or _name(source)
    notes = Notes(lenient=lenient)
    with closing(_open(source, name)) as stream:
        reader, rows = _recognise(read_rows(stream, name, notes), name)
        if reader is MESSAGES:
            *_, last = _unmixed(reader, rows, notes)
            return Transcript(name, reader.name, arguments_of(last.value), (), tuple(notes.skipped))
        contexts = _finished(reader, rows, name, notes)
    chosen = next((transcript for transcript, side in reversed(contexts) if not side), contexts[-1][0])
    return replace(chosen, findings=(*notes.skipped, *_choice(chosen, len(contexts)), *chosen.findings))


def _choice(chosen: Transcript, count: int) -> Iterator[Finding]:
    if count > 1:
        message = f"the file holds {count} contexts; this is {chosen.name}, the last of the main conversation"
        yield Finding("transcript-context", "info", message, "read all of them with read_transcripts", Place(file=chosen.name))


def _name(source: str | Path | bytes) -> str:
    return "<bytes>" if isinstance(source, bytes) else str(source)


def _open(source: str | Path | bytes, name: str) -> BinaryIO:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    try:
        return open(source, "rb")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no such path"
        raise TranscriptError(Finding(MALFORMED, "error", f"cannot read the file: {reason}", "check the path and its permissions", Place(file=name))) from None


def _recognise(rows: Iterator[Row], name: str) -> tuple[Reader, Iterator[Row]]:
    seen: list[Row] = []
    for row in islice(rows, SNIFF_ROWS):
        seen.append(row)
        for reader in READERS:
            if reader.sniff(row.value):
                return reader, chain(seen, rows)
    known = ", ".join(reader.name for reader in READERS)
    raise TranscriptError(Finding(MALFORMED, "error", "this is no conversation in a known format", f"known are {known}", Place(file=name)))


def _unmixed(reader: Reader, rows: Iterable[Row], notes: Notes) -> Iterator[Row]:
    for row in rows:
        other = next((other for other in READERS if other.sniff(row.value)), reader)
        if other is reader:
            yield row
        else:
            notes.malformed(row.place(), f"this is of the format {other.name} in a file of the format {reader.name}", "put it in a file of its own")


def _finished(reader: Reader, rows: Iterable[Row], name: str, notes: Notes) -> list[tuple[Transcript, bool]]:
    """The transcripts of a file, each with whether it stands beside the main conversation; those come last."""
    drafts = sorted(reader.read(_unmixed(reader, rows, notes), notes), key=lambda draft: draft.side)
    sides = sum(draft.side for draft in drafts)
    names = [f"{name}#{number}" for number in range(1, len(drafts) - sides + 1)] + [f"{name}#side{number}" for number in range(1, sides + 1)]
    found = [_transcript(draft, reader.name, label if len(drafts) > 1 else name) for draft, label in zip(drafts, names, strict=True)]
    kept = [(transcript, draft.side) for transcript, draft in zip(found, drafts, strict=True) if transcript.request["messages"]]
    if not kept:
        raise TranscriptError(Finding(MALFORMED, "error", "no message of a conversation is left", "give a log with at least one user message", Place(file=name)))
    return kept


def _transcript(draft: Draft, format: str, name: str) -> Transcript:
    repair = Repair()
    for message in draft.request["messages"]:
        repair.take(message)
    repair.finish()
    where = Place(file=name)
    request = {**draft.request, "messages": repair.messages}
    findings = repair.findings(where)
    if not request.get("tools") and (tools := tools_used(repair.messages)):
        request["tools"] = tools
        findings.append(Finding("transcript-tools", "info", f"tool definitions made up from the names used: {len(tools)}", "sizes of tools are unknown: the log has no schemas", where))
    recorded = (replace(entry, messages=repair.starts[entry.messages]) for entry in draft.recorded if entry.messages in repair.starts)
    return Transcript(name, format, request, tuple(recorded), tuple(findings))
