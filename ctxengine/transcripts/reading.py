"""What a format's reader is: a name, a look, and a function from rows to drafts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ctxengine.findings import Place
from ctxengine.transcripts.source import Notes, Row
from ctxengine.transcripts.transcript import Recorded

Message = dict[str, Any]
ROLES = ("user", "assistant", "system")


@dataclass(frozen=True, slots=True)
class Draft:
    """One context as its log tells it: Messages API shapes, not yet a valid conversation.

    ``recorded`` counts in these messages: a response that is ``messages[n]`` was billed for ``messages[:n]``.
    """

    request: dict[str, Any]
    recorded: tuple[Recorded, ...] = ()
    name: str | None = None
    side: bool = False
    """True for a conversation beside the main one, such as a sub-agent's."""
    place: Callable[[int], Place] | None = None
    """Where the i-th message stands; without it, findings name the file alone."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one format.

    Attributes:
        name: what ``Transcript.format`` says.
        sniff: whether a JSON value (a document, or one line of a log) is unmistakably of this format.
        read: all rows of a file to its contexts, in the order they took place.
    """

    name: str
    sniff: Callable[[Any], bool]
    read: Callable[[Iterable[Row], Notes], Iterable[Draft]]


def text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def content_is_sound(content: Any, row: Row, path: str, notes: Notes) -> bool:
    """Whether this is text, nothing, or a list of blocks; complains at the row's ``path`` where it is not."""
    flaw = _flaw(content)
    if flaw is None:
        return True
    below, message = flaw
    notes.malformed(row.place(path + below), message, "correct this message")
    return False


def draft_flaw(draft: Any) -> str | None:
    """What keeps an answer of a reader from being a draft that can be made a conversation; of foreign readers."""
    if not isinstance(draft, Draft) or not isinstance(draft.request, dict):
        return "something else than a Draft with a request"
    messages = draft.request.get("messages")
    if not isinstance(messages, list) or not all(isinstance(entry, Recorded) for entry in draft.recorded):
        return "a draft without a list of messages, or with bills that are no Recorded"
    for message in messages:
        if not isinstance(message, dict) or message.get("role") not in ROLES or "content" not in message:
            return f"a message without content or a role of {', '.join(ROLES)}"
        if flaw := _flaw(message["content"]):
            return f"a message of which the reader says: {flaw[1]}"
    return None


def _flaw(content: Any) -> tuple[str, str] | None:
    if content is None or isinstance(content, str):
        return None
    if not isinstance(content, list):
        return "", "message content is neither text nor a list of blocks"
    for index, block in enumerate(content):
        kind = block.get("type") if isinstance(block, dict) else None
        if not isinstance(kind, str):
            return f".{index}", "this is no content block: an object with a type"
        if kind == "text" and not isinstance(block.get("text"), str):
            return f".{index}.text", "a text block holds no text"
        if kind == "tool_result" and (inner := _flaw(block.get("content"))):
            return f".{index}.content{inner[0]}", inner[1]
    return None
