"""What is known of a conversation: positions, marks, compaction blocks, problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ctxengine.conversation.blocks import blocks_of, field_of

Section = Literal["tools", "system", "messages", "request"]
BlockKind = Literal["signed", "unsigned", "null", "empty", "odd"]

SECTIONS: tuple[Section, ...] = ("tools", "system", "messages", "request")
"""In the order the prompt is put together; ``request`` is the automatic mark at the end."""
TOOLS, SYSTEM, MESSAGES, REQUEST = range(len(SECTIONS))
ANSWER = ("text", "thinking", "redacted_thinking")
"""What an answer holds that is not paused."""
COMPACTION_KEYS = frozenset({"type", "content", "encrypted_content", "signature", "tool_changes", "cache_control"})


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A block in the prompt; positions sort in prompt order. ``block`` is -1 where the whole entry is meant."""

    section: int
    index: int = -1
    block: int = -1

    @property
    def path(self) -> str:
        parts: list[str] = [SECTIONS[self.section]]
        if self.index >= 0:
            parts.append(str(self.index))
        if self.block >= 0:
            parts += ["content", str(self.block)]
        return ".".join(parts)


def in_tools(index: int) -> Position:
    return Position(TOOLS, index)


def in_system(index: int = -1) -> Position:
    return Position(SYSTEM, index)


def in_messages(index: int, block: int = -1) -> Position:
    return Position(MESSAGES, index, block)


AT_END = Position(REQUEST)


@dataclass(frozen=True, slots=True)
class Mark:
    """A ``cache_control`` the caller wrote."""

    at: Position
    ttl: str
    kind: str
    """Type of the marked block: ``text``, ``tool_result``, …; ``tool`` for a definition, ``auto`` at the top level."""
    empty: bool = False
    """On a text block without text."""


@dataclass(frozen=True, slots=True)
class CompactionBlock:
    at: Position
    kind: BlockKind
    extra_keys: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """A block with a summary; one whose content is null, empty or no string summarises nothing."""
        return self.kind in ("signed", "unsigned")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the prompt that a rule will report."""

    rule: str
    at: Position
    detail: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one walk over a request's system, tools and messages found."""

    system: Any
    tools: Sequence[Any]
    messages: Sequence[Any]
    tool_kinds: tuple[tuple[str, str], ...] = ()
    """(name, type) of every tool definition."""
    marks: tuple[Mark, ...] = ()
    compaction_blocks: tuple[CompactionBlock, ...] = ()
    problems: tuple[Problem, ...] = ()
    open_tool_uses: tuple[str, ...] = ()
    """Ids of client tool uses at the end that no result answers yet."""
    open_server_uses: tuple[str, ...] = ()
    """The same of the server's tools, where the model called them itself."""
    thinking_blocks: int = 0
    system_messages: tuple[int, ...] = ()
    """Indexes of messages with role ``system``."""
    adds_tools: bool = False
    """Whether a block in the messages brings tools along that are not among ``tools``."""
    memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    """Answers that stay true while the conversation only grows, kept by whoever worked them out."""

    @property
    def newest_block(self) -> CompactionBlock | None:
        """The newest compaction block that holds a summary."""
        return next((block for block in reversed(self.compaction_blocks) if block.counts), None)

    @property
    def ends_with(self) -> str:
        """Role of the last message, "" without messages."""
        return str(field_of(self.messages[-1], "role")) if self.messages else ""

    @property
    def begun_answer(self) -> str | None:
        """The last text of an answer that the model is to go on with; ``None`` where the last message is none.

        A paused answer, which holds the API's own tools or a compaction, is sent back to be gone on from.
        """
        if self.ends_with != "assistant":
            return None
        blocks = blocks_of(self.messages[-1])
        if any(field_of(block, "type") not in ANSWER for block in blocks):
            return None
        return str(field_of(blocks[-1], "text") or "") if blocks else ""

    def since(self, first: Position) -> Conversation:
        """The facts of what is left when all messages before a position are pruned; indexes stay the caller's."""
        return replace(
            self,
            marks=tuple(mark for mark in self.marks if mark.at.section != first.section or mark.at >= first),
            compaction_blocks=tuple(block for block in self.compaction_blocks if block.at >= first),
            problems=tuple(problem for problem in self.problems if _stays(problem.at, first)),
            system_messages=tuple(index for index in self.system_messages if index >= first.index),
            memo={},
        )


def _stays(at: Position, first: Position) -> bool:
    """Whether a place is left when the messages before a position go; a whole message is, while a block of it is."""
    return at.section != first.section or at >= first or (at.index == first.index and at.block < 0)
