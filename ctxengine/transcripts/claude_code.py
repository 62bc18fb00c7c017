"""Claude Code session logs: one JSON object a line, a response spread over several.

Order in the file is order in time, except that parallel tool results stand between the lines of the response that
asked for them; so lines are merged by ``message.id``. Parents only tell sidechains apart. System prompt and tool
schemas are not in these logs.

Whether a request thinks is told by the prompt before it: one of the user's own says so in ``thinkingMetadata``, one
that a command or a skill wrote does not think. Nobody documents that, but the bills of such logs agree: the cache is
lost and found again with these changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ctxengine.findings import Place
from ctxengine.transcripts.reading import Draft, Message, Reader, content_is_sound, text_or_none
from ctxengine.transcripts.repair import blocks_of
from ctxengine.transcripts.source import Notes, Row
from ctxengine.transcripts.transcript import Recorded

SYNTHETIC = "<synthetic>"
MAIN = "main"
COMMAND = "<command-message>"
"""How the prompt begins that a slash command wrote."""
REMEDY = "remove the line"


def _is_line(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("type") in ("user", "assistant")
        and isinstance(value.get("message"), dict)
        and ("parentUuid" in value or "sessionId" in value)
    )


@dataclass(slots=True)
class _Context:
    side: bool
    messages: list[Message] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    billed: list[Recorded] = field(default_factory=list)
    response_id: str | None = None
    response: list[dict[str, Any]] = field(default_factory=list)

    def add(self, row: Row, thinking: str) -> None:
        line = row.value
        message = line["message"]
        if line["type"] == "user":
            self._append(row, "user", message.get("content"))
            return
        if not isinstance(message.get("id"), str) or message["id"] != self.response_id:
            self.response_id, self.response = message.get("id"), []
            self._append(row, "assistant", self.response)
            model, timestamp = text_or_none(message.get("model")), text_or_none(line.get("timestamp"))
            thinking = f"{thinking}, not streamed" if thinking and _is_whole(message) else thinking
            self.billed.append(Recorded(len(self.messages) - 1, model, {}, timestamp, thinking))
        self.response.extend(blocks_of(message.get("content")))
        if isinstance(message.get("usage"), dict):  # grows from line to line of a response: the last is what was billed
            self.billed[-1] = replace(self.billed[-1], usage=message["usage"])

    def _append(self, row: Row, role: str, content: Any) -> None:
        self.messages.append({"role": role, "content": content})
        self.places.append(row.place("message"))

    def draft(self) -> Draft:
        model = next((entry.model for entry in reversed(self.billed) if entry.model), None)
        known = {"model": model} if model else {}
        return Draft(
            {**known, "messages": self.messages},
            tuple(entry for entry in self.billed if entry.usage or entry.timestamp),
            side=self.side,
            place=self.places.__getitem__,
        )


class _Log:
    """The contexts of one log; each conversation (the main one, each sidechain) has one that is still growing."""

    def __init__(self) -> None:
        self.contexts: list[_Context] = []
        self._growing: dict[str, _Context] = {}
        self._conversations: dict[str, str] = {}
        self._thinking: dict[str, str] = {}
        self._last_side = ""

    def add(self, row: Row) -> None:
        line = row.value
        conversation = self._conversation(line)
        starts_anew = line["type"] == "system" or line.get("isCompactSummary") is True
        context = self._growing.get(conversation)
        if context is None or (starts_anew and context.messages):
            context = self._growing[conversation] = _Context(conversation != MAIN)
            self.contexts.append(context)
        if line["type"] == "user":
            self._thinking[conversation] = _thinking(line, self._thinking.get(conversation, ""))
        if line["type"] != "system":
            context.add(row, self._thinking.get(conversation, ""))

    def _conversation(self, line: dict[str, Any]) -> str:
        """Which conversation a line belongs to; a sidechain without an agent's name is known by its first line."""
        uuid, parent, agent = line.get("uuid"), line.get("parentUuid"), line.get("agentId")
        if line.get("isSidechain") is not True:
            conversation = MAIN
        elif isinstance(agent, str):
            conversation = f"agent {agent}"
        else:
            above = self._conversations.get(parent, self._last_side) if isinstance(parent, str) else MAIN
            conversation = above if above not in (MAIN, "") else f"side {len(self._conversations)}"
            self._last_side = conversation
        if isinstance(uuid, str):
            self._conversations[uuid] = conversation
        return conversation


def _thinking(line: dict[str, Any], before: str) -> str:
    """How the requests behind a user's line think; ``""`` is not at all, and where the log says nothing."""
    said, content = line.get("thinkingMetadata"), line["message"].get("content")
    if isinstance(said, dict):
        budget = said.get("maxThinkingTokens", said.get("level"))
        return str(budget) if budget and not said.get("disabled") else ""
    by_command = isinstance(content, str) and content.startswith(COMMAND)
    by_skill = line.get("isMeta") is True and isinstance(line.get("sourceToolUseID"), str)
    return "" if by_command or by_skill else before


def _is_whole(message: dict[str, Any]) -> bool:
    """Whether a response came in one piece, as after a broken stream: the client then asks for less thinking."""
    return len(blocks_of(message.get("content"))) > 1


def _read(rows: Iterable[Row], notes: Notes) -> list[Draft]:
    log = _Log()
    parents: dict[str, tuple[str, Place]] = {}
    for row in rows:
        if _is_part(row, notes):
            log.add(row)
            uuid, parent = row.value.get("uuid"), row.value.get("parentUuid")
            if isinstance(uuid, str) and isinstance(parent, str):
                parents.setdefault(uuid, (parent, row.place("parentUuid")))
    for place in _ends_of_circles(parents):
        notes.malformed(place, "this line is among its own ancestors", REMEDY)
    return [context.draft() for context in log.contexts if context.messages]


def _ends_of_circles(parents: Mapping[str, tuple[str, Place]]) -> Iterator[Place]:
    """The last line of each circle of parents."""
    done: set[str] = set()
    for uuid in parents:
        way: dict[str, int] = {}
        while uuid in parents and uuid not in done:
            done.add(uuid)
            way[uuid] = len(way)
            uuid = parents[uuid][0]
        if uuid in way:
            circle = (parents[each][1] for each, at in way.items() if at >= way[uuid])
            yield max(circle, key=lambda place: place.line or 0)


def _is_part(row: Row, notes: Notes) -> bool:
    """Whether a line is part of a conversation or starts a new context; other kinds of lines are left aside."""
    line = row.value
    kind = line.get("type") if isinstance(line, dict) else None
    if not isinstance(kind, str):
        notes.malformed(row.place(), "this is no line of a Claude Code log: an object with a type", REMEDY)
        return False
    if kind not in ("user", "assistant"):
        return kind == "system" and line.get("subtype") == "compact_boundary"
    message = line.get("message")
    if not isinstance(message, dict):
        notes.malformed(row.place("message"), "this line holds no message", REMEDY)
        return False
    return message.get("model") != SYNTHETIC and content_is_sound(message.get("content"), row, "message.content", notes)


CLAUDE_CODE = Reader("claude-code", _is_line, _read)
