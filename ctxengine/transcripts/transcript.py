"""A recorded conversation as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ctxengine.findings import Finding


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the API billed when the first ``messages`` messages were sent.

    ``usage`` has the keys of the Messages API's ``usage``, in tokens; ``timestamp`` is ISO 8601.
    """

    messages: int
    model: str | None
    usage: Mapping[str, Any]
    timestamp: str | None


@dataclass(frozen=True, slots=True)
class Transcript:
    """One context of a recorded conversation, as the keyword arguments that would send it.

    ``request`` holds ``messages`` (a list of dicts) and, where the recording knows them, ``model``, ``system`` and
    ``tools``. ``findings`` tells what was repaired, added or skipped.
    """

    name: str
    format: str
    request: Mapping[str, Any]
    recorded: tuple[Recorded, ...] = ()
    findings: tuple[Finding, ...] = ()

    def boundaries(self) -> tuple[int, ...]:
        """Each ``n`` for which ``messages[:n]`` can be sent: it ends in a user message and no tool_use is left open."""
        found: list[int] = []
        unanswered: set[str] = set()
        for sent, message in enumerate(self.request["messages"], start=1):
            blocks = message["content"] if isinstance(message["content"], list) else ()
            unanswered.update(block["id"] for block in blocks if block["type"] == "tool_use")
            unanswered.difference_update(block["tool_use_id"] for block in blocks if block["type"] == "tool_result")
            if message["role"] == "user" and not unanswered:
                found.append(sent)
        return tuple(found)
