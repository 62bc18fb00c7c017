"""What goes in and out of the emulator, free of any HTTP library."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ctxengine.semantics import WireError

Ending = Literal["whole", "dropped", "stalled"]
JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request; header names in lower case."""

    method: str
    path: str
    """As it was sent, percent-encoded, without the query."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response: its body in the parts that it is sent in, and how it ends."""

    status: int
    headers: Mapping[str, str]
    parts: tuple[bytes, ...] = field(repr=False)
    ending: Ending = "whole"
    wait: float = 0.0
    """Seconds before the first byte."""


@dataclass(frozen=True, slots=True)
class Received:
    """A request that the emulator understood as JSON, kept for tests; it holds no key."""

    method: str
    path: str
    betas: tuple[str, ...]
    body: Mapping[str, Any] = field(repr=False)


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, error: WireError) -> None:
        super().__init__(error.message)
        self.error = error


def utf8(value: Any) -> bytes:
    """JSON as it is sent; half a surrogate pair is escaped."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    body = utf8(value)
    return Answer(status, {**JSON, "content-length": str(len(body)), **(headers or {})}, (body,))


def error_answer(error: WireError, request_id: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An error in the API's shape, with the id that its header repeats."""
    return json_answer({**error.body(), "request_id": request_id}, error.status, headers)
