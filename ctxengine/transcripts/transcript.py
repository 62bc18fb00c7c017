"""A recorded conversation as a value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ctxengine.findings import Finding, Place


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the API billed when the first ``messages`` messages were sent.

    ``usage`` has the keys of the Messages API's ``usage``, in tokens; ``timestamp`` is ISO 8601.
    """

    messages: int
    model: str | None
    usage: Mapping[str, Any]
    timestamp: str | None
    thinking: str = ""
    """What a log tells of the request's ``thinking``, in its own words: where they differ, so did the parameter."""


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
    place: Callable[[str], Place] | None = field(default=None, compare=False)
    """Where a path of the request stands; of one that had to be repaired, where its message does."""

    def boundaries(self) -> tuple[int, ...]:
        """Each ``n`` for which ``messages[:n]`` can be sent: it ends in a user message and no tool_use is left open."""
        found: list[int] = []
        unanswered: set[str] = set()
        messages = self.request["messages"]
        for sent, message in enumerate(messages if isinstance(messages, list) else (), start=1):
            unanswered.update(_ids(message, "tool_use", "id"))
            unanswered.difference_update(_ids(message, "tool_result", "tool_use_id"))
            if not unanswered and isinstance(message, dict) and message.get("role") == "user":
                found.append(sent)
        return tuple(found)


def _ids(message: Any, kind: str, key: str) -> Iterator[str]:
    """Ids in blocks of a kind; a request as written may have any shape."""
    content = message.get("content") if isinstance(message, dict) else None
    for block in content if isinstance(content, list) else ():
        if isinstance(block, dict) and block.get("type") == kind and isinstance(block.get(key), str):
            yield block[key]
