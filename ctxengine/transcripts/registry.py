"""The formats that can be read, and the way from a file to its transcripts."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import accumulate, chain, islice
from pathlib import Path
from typing import BinaryIO

from ctxengine.findings import Finding, Place
from ctxengine.transcripts.claude_code import CLAUDE_CODE
from ctxengine.transcripts.messages import MESSAGES, TRANSCRIPT, arguments_of, holds_request
from ctxengine.transcripts.openai_chat import OPENAI
from ctxengine.transcripts.pi import PI
from ctxengine.transcripts.reading import Draft, Message, Reader
from ctxengine.transcripts.records import counts, record_flaws
from ctxengine.transcripts.repair import Repair, blocks_of, tools_used
from ctxengine.transcripts.sound import ToolNames
from ctxengine.transcripts.source import Notes, Row, read_rows, refusal
from ctxengine.transcripts.transcript import Transcript

READERS: tuple[Reader, ...] = (TRANSCRIPT, OPENAI, MESSAGES, CLAUDE_CODE, PI)
"""Asked in this order; the first that knows a value reads the file."""

OF_REQUESTS = (MESSAGES, OPENAI)
"""Formats of which a log may hold one conversation again and again."""
SNIFF_ROWS = 100


def read_transcripts(
    source: str | Path | bytes, *, name: str | None = None, lenient: bool = False, readers: Sequence[Reader] = ()
) -> tuple[Transcript, ...]:
    """Every context of a recorded conversation, main ones first, each made a valid Messages conversation.

    Args:
        source: a path, or the bytes of a file.
        name: what findings call the file; the path where not given.
        lenient: skip what cannot be read and report it (``transcript-skipped``) on the first transcript.
        readers: of more formats, asked before ``READERS``.

    Raises:
        TranscriptError: ``transcript-malformed`` with file and line, or where no conversation is found.
    """
    name = name or _name(source)
    notes = Notes(lenient=lenient)
    with closing(_open(source, name)) as stream:
        known = (*readers, *READERS)
        reader, rows = _recognise(read_rows(stream, name, notes), name, known)
        first, *more = (transcript for transcript, _ in _finished(reader, rows, name, notes, known))
    repeated = _repeated((first, *more)) if more and reader in OF_REQUESTS else 0
    again = [_counted_again(repeated, Place(file=name))] if repeated else []
    return replace(first, findings=(*notes.skipped, *again, *first.findings)), *more


def read_request(
    source: str | Path | bytes, *, name: str | None = None, lenient: bool = False, readers: Sequence[Reader] = ()
) -> Transcript:
    """The one request in a file: ``messages.create`` arguments exactly as written, or a transcript's conversation.

    A log of several contexts gives its last main one, and says so (``transcript-context``). Arguments are not
    repaired: what is wrong with them is for the rules to say. Arguments and errors as for ``read_transcripts``.
    """
    name = name or _name(source)
    notes = Notes(lenient=lenient)
    with closing(_open(source, name)) as stream:
        known = (*readers, *READERS)
        reader, rows = _recognise(read_rows(stream, name, notes), name, known)
        if reader is MESSAGES:
            *_, last = (row for row in _unmixed(reader, rows, notes, known) if holds_request(row, notes))
            request, place = arguments_of(last.value), partial(_place_in_request, last)
            return Transcript(name, reader.name, request, (), tuple(notes.skipped), place)
        contexts = _finished(reader, rows, name, notes, known)
    chosen = next((transcript for transcript, side in reversed(contexts) if not side), contexts[-1][0])
    choice = [_choice(chosen, len(contexts), name)] if len(contexts) > 1 else []
    return replace(chosen, findings=(*notes.skipped, *choice, *chosen.findings))


def _place_in_request(row: Row, path: str) -> Place:
    """Where a path of the request stands; the document may be a bare list of messages."""
    inner = path.removeprefix("messages").removeprefix(".") if isinstance(row.value, list) else path
    return replace(row.place(inner), path=path)


def _choice(chosen: Transcript, count: int, file: str) -> Finding:
    message = f"the file holds {count} contexts; taken is {chosen.name}, the last of the main conversation"
    remedy = "put another context into a file of its own to take that one"
    return Finding("transcript-context", "info", message, remedy, Place(file=file))


def _name(source: str | Path | bytes) -> str:
    return "<bytes>" if isinstance(source, bytes) else str(source)


def _open(source: str | Path | bytes, name: str) -> BinaryIO:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    try:
        stream = Path(source).open("rb")  # noqa: SIM115 the caller closes it
        if stream.seekable():
            return stream
        with stream:  # what comes through a pipe comes once
            return io.BytesIO(stream.read())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no such path"
        raise refusal(name, f"cannot read the file: {reason}", "check the path and its permissions") from None


def _recognise(rows: Iterator[Row], name: str, readers: Sequence[Reader]) -> tuple[Reader, Iterator[Row]]:
    seen: list[Row] = []
    for row in islice(rows, SNIFF_ROWS):
        seen.append(row)
        for reader in readers:
            if reader.sniff(row.value):
                return reader, chain(seen, rows)
    known = ", ".join(reader.name for reader in readers)
    remedy = f"the known formats are {known}; docs/simulate.md shows them"
    raise refusal(name, "this is no request and no conversation in a known format", remedy)


def _unmixed(reader: Reader, rows: Iterable[Row], notes: Notes, readers: Sequence[Reader]) -> Iterator[Row]:
    for row in rows:
        whole = row.line is None  # the one value that the reader was chosen by
        other = reader if whole else next((other for other in readers if other.sniff(row.value)), reader)
        if other is reader:
            yield row
        else:
            message = f"this is of the format {other.name} in a file of the format {reader.name}"
            notes.malformed(row.place(), message, "put it into a file of its own")


def _finished(
    reader: Reader, rows: Iterable[Row], name: str, notes: Notes, readers: Sequence[Reader]
) -> list[tuple[Transcript, bool]]:
    """The transcripts of a file, each with whether it stands beside the main conversation; those come last."""
    drafts = sorted(reader.read(_unmixed(reader, rows, notes, readers), notes), key=lambda draft: draft.side)
    found = [
        (_transcript(draft, reader.name, name, draft.name or label), draft.side)
        for draft, label in zip(drafts, _labels(drafts, name), strict=True)
    ]
    kept = [(transcript, side) for transcript, side in found if transcript.request["messages"]]
    if not kept:
        raise refusal(name, "no message of a conversation is left", "give a log with at least one user message")
    return kept


def _repeated(transcripts: Sequence[Transcript]) -> int:
    """How many are another, or the beginning of it: in a log of requests every turn brings the conversation again."""
    seen: set[int] = set()
    count = 0
    for transcript in sorted(transcripts, key=lambda each: -len(each.request["messages"])):
        texts = map(_unmarked, transcript.request["messages"])
        _, *begun = accumulate(texts, lambda before, text: hash((before, text)), initial=0)
        count += begun[-1] in seen
        seen.update(begun)
    return count


def _unmarked(message: Message) -> str:
    """A message, to be compared whatever cache marks it has."""
    blocks = blocks_of(message["content"])
    plain = [{name: value for name, value in block.items() if name != "cache_control"} for block in blocks]
    return json.dumps(plain, sort_keys=True, default=str)


def _counted_again(count: int, where: Place) -> Finding:
    message = f"conversations that another one of the file begins with, each counted by itself: {count}"
    remedy = "where these are requests of one conversation, keep the last one alone"
    return Finding("transcript-repeated", "warning", message, remedy, where)


def _labels(drafts: list[Draft], name: str) -> list[str]:
    if len(drafts) == 1:
        return [name]
    main = sum(not draft.side for draft in drafts)
    return [f"{name}#{at + 1}" if at < main else f"{name}#side{at + 1 - main}" for at in range(len(drafts))]


def _transcript(draft: Draft, kind: str, file: str, name: str) -> Transcript:
    tools = draft.request.get("tools")
    names = ToolNames(tools if isinstance(tools, list) else ())
    repair = Repair(names)
    for message in draft.request["messages"]:
        repair.take(message)
    repair.finish()
    where = Place(file=file)
    request = {**draft.request, "messages": repair.messages}
    if isinstance(tools, list):
        request["tools"] = repair.define(tools)
    if "tool_choice" in request:
        request["tool_choice"] = names.renamed(request["tool_choice"])
    place = draft.place or (lambda _: where)
    answered = [entry for entry in draft.recorded if 0 < entry.messages < len(draft.request["messages"])]
    findings = [*repair.changes.findings(place, where), *record_flaws(answered, place)]
    if not tools and (used := tools_used(repair.messages)):
        request["tools"] = used
        findings.append(_made_up(len(used), where))
    recorded = tuple(
        replace(entry, messages=repair.starts[entry.messages], usage=entry.usage if counts(entry.usage) else {})
        for entry in draft.recorded
        if entry.messages in repair.starts
    )
    return Transcript(name, kind, request, recorded, tuple(findings), partial(_place_of, file, repair.origins, place))


def _place_of(file: str, origins: Sequence[int], place: Callable[[int], Place], path: str) -> Place:
    """Where the message stands that a path of a repaired request leads into; of anything else, the file."""
    message = re.match(r"messages\.(\d+)", path)
    if message and int(message[1]) < len(origins):
        return replace(place(origins[int(message[1])]), path=path)
    return Place(path, file)


def _made_up(count: int, where: Place) -> Finding:
    message = f"tool definitions made up from the names of the tools used, as the file has none: {count}"
    return Finding(
        "transcript-tools", "info", message, "their real size is unknown: add the real ones to the request", where
    )
