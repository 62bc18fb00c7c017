"""A conversation as it was logged becomes one that the Messages API accepts; every change is counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import is_
from typing import Any

from ctxengine.conversation.blocks import MARKABLE, THINKING
from ctxengine.transcripts.changes import Changes
from ctxengine.transcripts.reading import Message
from ctxengine.transcripts.sound import Ids, ToolNames

UNSAID = "The answer was interrupted after its thinking."
INTERRUPTED = "The tool call was interrupted: no result was recorded."
OUT_OF_PLACE: Mapping[str, Mapping[str, str]] = {
    "user": {"tool_use": "misplaced"},
    "assistant": {"tool_result": "orphan"},
    "system": {"tool_use": "misplaced", "tool_result": "orphan"},
}
"""By role: the types of blocks that cannot stand in such a message, and what becomes of them."""
KNOWN = MARKABLE | THINKING | {"tool_reference"}
"""Types of content blocks that the API has."""


class Repair:
    """Takes messages one by one; after ``finish`` the conversation stands in ``messages``.

    Roles alternate, every tool_use is answered first thing in the next user message, and messages that need no
    change are the very objects that came in. ``starts[i]`` is the new index of the i-th message, for those
    assistant messages that still are one of their own.
    """

    def __init__(self, names: ToolNames) -> None:
        self.messages: list[Message] = []
        self.starts: dict[int, int] = {}
        self.origins: list[int] = []
        """Which of those taken each message begins with."""
        self.changes = Changes()
        self._taken = 0
        self._names, self._ids = names, Ids()
        self._open: dict[str, list[str]] = {}
        """Ids that were given in the message at hand → those of the uses that have no result so far, in their order."""
        self._unanswered: dict[str, int] = {}
        self._results: list[dict[str, Any]] = []
        self._rest: list[dict[str, Any]] = []
        self._user: list[Message] = []
        self._tail: list[dict[str, Any]] | None = None
        self._asked_at = self._answered_at = 0
        """Which of those taken the user's message at hand begins with, and which the newest answer is."""

    def take(self, message: Message) -> None:
        if message["role"] == "user":
            self._take_user(message)
        elif message["role"] == "assistant":
            self._take_assistant(message)
        else:
            self._take_system(message)
        self._taken += 1

    def finish(self) -> None:
        self._close_user()
        self.starts[self._taken] = len(self.messages)

    def define(self, tools: Sequence[Any]) -> list[Any]:
        """Definitions of tools under the names that their uses have now."""
        defined = [self._names.renamed(tool) for tool in tools]
        self.changes.note_elsewhere("name", sum(tool is not given for tool, given in zip(defined, tools, strict=True)))
        return defined

    def _note(self, kind: str, at: int | None = None) -> None:
        """Count what was done, or is unknown, in the message at hand or in an earlier one."""
        self.changes.note(kind, self._taken if at is None else at)

    def _take_user(self, message: Message) -> None:
        if not self._user:
            self._asked_at = self._taken
        self._user.append(message)
        others = []
        for block in blocks_of(message["content"]):
            if block["type"] == "tool_result":
                self._take_result(block)
            else:
                others.append(block)
        self._rest += self._sifted(others, OUT_OF_PLACE["user"])

    def _take_system(self, message: Message) -> None:
        kept = self._sifted(blocks_of(message["content"]), OUT_OF_PLACE["system"])
        if kept:
            self._close_user()
            self._put(_same_or_new(message, kept), self._taken)

    def _take_result(self, block: dict[str, Any]) -> None:
        given = block.get("tool_use_id")
        waiting = self._open.get(_text_of(given))
        if waiting is None:
            self._note("orphan")
        elif not waiting:
            self._note("duplicate")
        else:
            use_id = waiting.pop(0)
            del self._unanswered[use_id]
            content: Any = block.get("content")
            kept = self._sifted(content, {}) if isinstance(content, list) else content
            same = use_id == given and (kept is content or _are_the_same(kept, content))
            told = {"tool_use_id": use_id, "content": kept} if "content" in block else {"tool_use_id": use_id}
            self._results.append(block if same else {**block, **told})

    def _take_assistant(self, message: Message) -> None:
        if not self.messages and not self._rest and not _is_compaction(message):
            self._note("leading")
            return
        kept = self._sifted(blocks_of(message["content"]), OUT_OF_PLACE["assistant"])
        if not kept:
            return
        follows = not self._results and not self._rest and self.messages and self.messages[-1]["role"] == "assistant"
        if not follows:
            self._close_user()
        blocks = [self._use(block) if block["type"] == "tool_use" else block for block in kept]
        if follows:
            self._join(blocks)
        else:
            self.starts[self._taken] = len(self.messages)
            self._put(_same_or_new(message, blocks), self._taken)
            self._tail = None
        self._answered_at = self._taken

    def _join(self, blocks: list[dict[str, Any]]) -> None:
        if self._tail is None:
            self._tail = list(blocks_of(self.messages[-1]["content"]))
            self.messages[-1] = {"role": "assistant", "content": self._tail}
        self._tail.extend(blocks)
        self._note("joined")

    def _close_user(self) -> None:
        self._end_answer()
        for asked_at in self._unanswered.values():
            self._note("interrupted", asked_at)
        self._results.extend(_error_result(use_id) for use_id in self._unanswered)
        blocks = self._results + self._rest
        if blocks:
            only = self._user[0] if len(self._user) == 1 else {"role": "user", "content": None}
            self._put(_same_or_new(only, blocks), self._asked_at if self._user else self._answered_at)
        self._user, self._results, self._rest = [], [], []
        self._open, self._unanswered = {}, {}

    def _put(self, message: Message, origin: int) -> None:
        self.messages.append(message)
        self.origins.append(origin)

    def _end_answer(self) -> None:
        """An answer that somebody cut off after its thinking: the API takes no thinking that nothing follows."""
        if not self.messages or self.messages[-1]["role"] != "assistant":
            return
        blocks = blocks_of(self.messages[-1]["content"])
        end = len(blocks)
        while end and blocks[end - 1]["type"] == "thinking":
            end -= 1
        if end < len(blocks):
            self._note("unsaid", self._answered_at)
            self.messages[-1] = {"role": "assistant", "content": blocks[:end] or [{"type": "text", "text": UNSAID}]}

    def _sifted(self, blocks: Sequence[dict[str, Any]], out_of_place: Mapping[str, str]) -> list[dict[str, Any]]:
        """The blocks that stay; of the others it is noted why they go."""
        kept = []
        for block in blocks:
            kind = block["type"]
            why = out_of_place.get(kind) or _emptiness(block, kind)
            if why:
                self._note(why)
            else:
                kept.append(block)
                if kind not in KNOWN:
                    self._note("unknown")
        return kept

    def _use(self, block: dict[str, Any]) -> dict[str, Any]:
        given, name, arguments = block.get("id"), block.get("name"), block.get("input")
        known = _text_of(given)
        use_id = self._ids.next(known or "toolu")
        self._open.setdefault(known, []).append(use_id)
        self._unanswered[use_id] = self._taken
        sound_name = self._names.of(name)
        if use_id is given and sound_name is name and isinstance(arguments, dict):
            return block
        sound = {"id": use_id, "name": sound_name, "input": _object(arguments)}
        changed = {key: value for key, value in sound.items() if value is not block.get(key)}
        for kind in changed:
            self._note(kind)
        return {**block, **changed}


def _emptiness(block: Mapping[str, Any], kind: str) -> str:
    """Why a block holds nothing that can be sent, "" where it does."""
    if kind == "text":
        return "" if block["text"].strip() else "blank"
    return "unsigned" if kind == "thinking" and not block.get("signature") else ""


def blocks_of(content: Any) -> list[dict[str, Any]]:
    """Message content as blocks."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return content or []


def tools_used(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """The least tool definitions these messages need, in the order of first use."""
    blocks = (block for message in messages for block in blocks_of(message["content"]))
    names = dict.fromkeys(block["name"] for block in blocks if block["type"] == "tool_use")
    return [{"name": name, "input_schema": {"type": "object"}} for name in names]


def _error_result(use_id: str) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": use_id, "content": INTERRUPTED, "is_error": True}


def _same_or_new(message: Message, blocks: list[dict[str, Any]]) -> Message:
    content = message["content"]
    if isinstance(content, str):
        same = len(blocks) == 1 and blocks[0].get("text") is content
    else:
        same = content is not None and _are_the_same(content, blocks)
    return message if same else {"role": message["role"], "content": blocks}


def _are_the_same(some: Sequence[Any], others: Sequence[Any]) -> bool:
    return len(some) == len(others) and all(map(is_, some, others))


def _text_of(id: Any) -> str:
    """An id as text; "" where there is none."""
    return "" if id is None else str(id)


def _is_compaction(message: Message) -> bool:
    return any(block["type"] == "compaction" for block in blocks_of(message["content"]))


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    return {} if value is None else {"value": value}
