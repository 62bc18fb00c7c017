"""Requests as they are sent: plain ``messages.create`` arguments, and our own transcript.v1 around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from ctxengine.transcripts.reading import ROLES, Draft, Message, Reader, content_is_sound
from ctxengine.transcripts.source import Notes, Row
from ctxengine.transcripts.transcript import Recorded

VERSION = "1"
KEYS = ("$schema", "version", "name", "description", "request", "recorded")


def arguments_of(value: Any) -> dict[str, Any]:
    """The request in a document: the document itself, or its messages where it is a bare list of them."""
    return {"messages": value} if isinstance(value, list) else value


def _is_request(value: Any) -> bool:
    return (isinstance(value, dict) and "messages" in value) or (
        isinstance(value, list) and bool(value) and isinstance(value[0], dict) and "role" in value[0]
    )


def holds_request(row: Row, notes: Notes) -> bool:
    """Whether a row is a request; complains where it is none."""
    found = _is_request(row.value)
    if not found:
        message = "this is no Messages request: it has no messages"
        notes.malformed(row.place(), message, "give the arguments of messages.create")
    return found


def _is_transcript(value: Any) -> bool:
    return isinstance(value, dict) and "version" in value and "request" in value


def _read_requests(rows: Iterable[Row], notes: Notes) -> Iterator[Draft]:
    for row in rows:
        if not holds_request(row, notes):
            continue
        path = "" if isinstance(row.value, list) else "messages"
        yield _draft(arguments_of(row.value), row, path, notes)


def _read_transcripts(rows: Iterable[Row], notes: Notes) -> Iterator[Draft]:
    for row in rows:
        if _is_sound(row, notes):
            recorded = tuple(_recorded(entry) for entry in row.value.get("recorded", ()))
            draft = _draft(row.value["request"], row, "request.messages", notes)
            whole = len(draft.request["messages"]) == len(row.value["request"]["messages"])
            yield replace(draft, name=row.value.get("name"), recorded=recorded if whole else ())


def _draft(request: dict[str, Any], row: Row, path: str, notes: Notes) -> Draft:
    given = request["messages"]
    if not isinstance(given, list):
        notes.malformed(row.place(path), "messages is no list", "give a list of messages")
        given = []
    prefix = f"{path}." if path else ""
    sound = [index for index, message in enumerate(given) if _is_message(message, row, f"{prefix}{index}", notes)]
    messages = [given[index] for index in sound]
    return Draft({**request, "messages": messages}, place=lambda index: row.place(f"{prefix}{sound[index]}"))


def _is_message(message: Message, row: Row, path: str, notes: Notes) -> bool:
    if not isinstance(message, dict) or message.get("role") not in ROLES or "content" not in message:
        notes.malformed(
            row.place(path),
            "this is no message: an object with role and content",
            f"use one of the roles {', '.join(ROLES)}",
        )
        return False
    return content_is_sound(message["content"], row, f"{path}.content", notes)


def _recorded(entry: dict[str, Any]) -> Recorded:
    return Recorded(entry["messages"], entry.get("model"), entry["usage"], entry.get("timestamp"))


def _is_sound(row: Row, notes: Notes) -> bool:
    flaw = next(_flaws(row.value), None)
    if flaw:
        path, message = flaw
        notes.malformed(row.place(path), message, "`ctxengine schema transcript` shows what belongs here")
    return flaw is None


def _flaws(value: Any) -> Iterator[tuple[str, str]]:
    """What keeps a value from being a transcript.v1, as path and reason; the messages are looked at later."""
    if not _is_transcript(value):
        yield "", "this is no transcript: it has no version and request"
        return
    if value["version"] != VERSION:
        yield "version", f"this version is unknown; the known one is '{VERSION}'"
    if not set(value).issubset(KEYS):
        yield "", f"a key is unknown; the known ones are {', '.join(KEYS)}"
    if not isinstance(value["request"], dict) or not isinstance(value["request"].get("messages"), list):
        yield "request", "this is no request: an object with a list of messages"
    for key in ("name", "description"):
        if not isinstance(value.get(key, ""), str):
            yield key, "this is no text"
    recorded = value.get("recorded", [])
    if not isinstance(recorded, list):
        yield "recorded", "this is no list"
        return
    for index, entry in enumerate(recorded):
        if not _is_recorded(entry):
            yield f"recorded.{index}", "this does not say how many messages were billed at what usage"


def _is_recorded(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and set(entry) <= {"messages", "model", "usage", "timestamp"}
        and type(entry.get("messages")) is int
        and entry["messages"] >= 1
        and isinstance(entry.get("usage"), dict)
        and all(isinstance(entry.get(key), str | None) for key in ("model", "timestamp"))
    )


MESSAGES = Reader("messages", _is_request, _read_requests)
TRANSCRIPT = Reader("transcript", _is_transcript, _read_transcripts)
