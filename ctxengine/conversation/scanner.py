"""The one walk over tools, system and messages. It can go on where it stopped, so growth costs only what is new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ctxengine.conversation.blocks import SERVER_RESULTS, field_of, is_plain
from ctxengine.conversation.facts import (
    COMPACTION_KEYS,
    BlockKind,
    CompactionBlock,
    Conversation,
    Mark,
    Problem,
    in_messages,
)
from ctxengine.conversation.head import Head, ttl_of
from ctxengine.conversation.pairs import Pairs
from ctxengine.conversation.thoughts import UNSAID, Thoughts

REMOTE_SOURCES = ("url", "file")
"""Where images and documents come from that count_tokens does not fetch."""

LOOKED_AT = (
    "type", "id", "tool_use_id", "text", "content", "citations", "signature", "source", "cache_control", "caller",
)  # fmt: skip


class Scanner:
    """Walks messages once, remembering enough to go on from where it stopped."""

    __slots__ = (
        "_adds_tools",
        "_blocks",
        "_marks",
        "_pairs",
        "_problems",
        "_system_messages",
        "_thoughts",
        "generators",
        "seen",
    )

    def __init__(self) -> None:
        self.seen = 0
        self.generators = False
        """Set where a message's content is a generator, which can be read only once: make lists first."""
        self._marks: list[Mark] = []
        self._blocks: list[CompactionBlock] = []
        self._problems: list[Problem] = []
        self._pairs = Pairs(self._problem)
        self._thoughts = Thoughts(self._problem)
        self._system_messages: list[int] = []
        self._adds_tools = False

    def feed(self, messages: Sequence[Any]) -> None:
        """Read the messages from ``seen`` on. The hot loop: the common block types are told apart inline."""
        pairs, thoughts = self._pairs, self._thoughts
        pending, answered = pairs.pending, pairs.answered
        for index in range(self.seen, len(messages)):
            message = messages[index]
            try:
                role, content = message["role"], message["content"]
            except (TypeError, KeyError):
                role, content = field_of(message, "role"), field_of(message, "content")
            from_user = role == "user"
            if thoughts.unsaid is not None:
                thoughts.followed(role)
            if not from_user:
                if role == "assistant":
                    if pending:
                        pairs.unanswered(index)
                    if answered:
                        answered.clear()
                else:
                    self._other_role(index, role)
            elif pairs.server_open:
                pairs.ends_turn(content)
            if content.__class__ is str:
                if pending and from_user:
                    pairs.text_alone(index)
                if not content or content.isspace():
                    self._empty_content(index, content, from_user)
                continue
            if content.__class__ is not list and not self._readable(index, content):
                continue
            if not content:
                self._empty_content(index, content, from_user)
            for at, block in enumerate(content):
                if block.__class__ is not dict:
                    block = _as_dict(block)
                kind = block.get("type")
                if "cache_control" in block:
                    self._mark(index, at, block, kind)
                if kind == "text":
                    text = block.get("text")
                    if text.__class__ is str and (not text or text.isspace()):
                        self._empty_text(index, at, content)
                    if from_user and (pending or "citations" in block):
                        self._user_text(index, at, block)
                elif kind == "tool_use":
                    use = block.get("id")
                    if use.__class__ is str and not from_user and use not in pending:
                        pending.add(use)
                        if not is_plain(use):
                            pairs.odd_id(index, at)
                        if "caller" in block and block["caller"] is None:
                            pairs.null_caller(index, at)
                    else:
                        pairs.odd_use(index, at, use, from_user)
                elif kind == "tool_result":
                    use = block.get("tool_use_id")
                    if from_user and use.__class__ is str and use in pending:
                        pending.discard(use)
                        answered.add(use)
                    else:
                        pairs.orphan(index, at, use)
                    if block.get("content").__class__ is list:
                        self._inside(index, at, block["content"])
                elif kind == "thinking" or kind == "redacted_thinking":
                    thoughts.block(index, at, block, kind)
                    if at + 1 == len(content) and kind == "thinking" and role == "assistant":
                        thoughts.unsaid = index, at
                else:
                    self._rare(index, at, block, kind, role)
        self.seen = len(messages)

    def found(
        self,
        system: Any,
        tools: Sequence[Any],
        messages: Sequence[Any],
        head: Head,
        memo: dict[Any, Any] | None = None,
    ) -> Conversation:
        """The facts so far, with what was found outside the messages."""
        problems = (*head.problems, *self._problems)
        pairs = self._pairs
        if pairs.pending and messages and field_of(messages[-1], "role") == "user":
            problems += (Problem("pair-orphan", in_messages(len(messages) - 1), pairs.lacking()),)
        if self._thoughts.unsaid is not None:
            problems += (Problem("thinking-last", in_messages(*self._thoughts.unsaid), UNSAID),)
        return Conversation(
            system,
            tools,
            messages,
            head.tool_kinds,
            (*head.marks, *self._marks),
            tuple(self._blocks),
            problems,
            tuple(sorted(map(str, pairs.pending))),
            tuple(sorted(pairs.server_open)),
            self._thoughts.count,
            tuple(self._system_messages),
            self._adds_tools,
            {} if memo is None else memo,
        )

    def _problem(self, rule: str, index: int, at: int, detail: str) -> None:
        self._problems.append(Problem(rule, in_messages(index, at), detail))

    def _other_role(self, index: int, role: Any) -> None:
        if role == "system":
            self._system_messages.append(index)
        else:
            self._problem("request-shape", index, -1, "the role is none of user, assistant and system")

    def _readable(self, index: int, content: Any) -> bool:
        if isinstance(content, Sequence) and not isinstance(content, (bytes, bytearray)):
            return not isinstance(content, str)
        if isinstance(content, Iterator):
            self.generators = True
            return False
        self._problem("request-shape", index, -1, "the content is neither a string nor a list of blocks")
        return False

    def _empty_content(self, index: int, content: Any, from_user: bool) -> None:
        """Content that is nothing, or white space: an assistant may say nothing."""
        if content:
            self._problem("text-blank", index, -1, "the message is nothing but white space")
        elif from_user:
            self._problem("content-empty", index, -1, "a user message without content")

    def _empty_text(self, index: int, at: int, blocks: Sequence[Any]) -> None:
        """An empty text is refused anywhere; white space is where there is nothing else."""
        if not field_of(blocks[at], "text"):
            self._problem("text-empty", index, at, "a text block without text")
        elif at == 0 and all(_is_blank(block) for block in blocks):
            self._problem("text-blank", index, -1, "the message is nothing but white space")

    def _mark(self, index: int, at: int, block: Any, kind: Any) -> None:
        ttl = ttl_of(field_of(block, "cache_control"))
        if ttl is not None:
            empty = kind == "text" and not field_of(block, "text")
            self._marks.append(Mark(in_messages(index, at), ttl, str(kind), empty))

    def _user_text(self, index: int, at: int, block: Any) -> None:
        if self._pairs.pending:
            self._pairs.text_first(index, at)
        if field_of(block, "citations"):
            self._problem("version-blocks", index, at, "a non-empty citations list on user text")

    def _inside(self, index: int, at: int, blocks: Sequence[Any]) -> None:
        """The blocks within a tool_result or search_result: the SDK's types give them marks and sources too."""
        for block in blocks:
            kind = field_of(block, "type")
            if field_of(block, "cache_control") is not None:
                self._mark(index, at, block, kind)
            if kind == "text" and field_of(block, "citations"):
                self._problem("version-blocks", index, at, "a non-empty citations list on text within it")
            elif kind in ("image", "document"):
                self._medium(index, at, block, kind, "user")
            elif kind == "search_result":
                self._search_result(index, at, block)

    def _search_result(self, index: int, at: int, block: Any) -> None:
        content = field_of(block, "content")
        for text in content if isinstance(content, list) else ():
            if field_of(text, "citations"):
                self._problem("version-blocks", index, at, "a non-empty citations list within a search_result")

    def _rare(self, index: int, at: int, block: Any, kind: Any, role: Any) -> None:
        if kind == "compaction":
            self._compaction(index, at, block)
        elif kind == "document" or kind == "image":
            self._medium(index, at, block, kind, role)
        elif kind == "search_result":
            self._search_result(index, at, block)
        elif kind == "tool_addition":
            self._adds_tools = True
        elif kind in ("server_tool_use", "mcp_tool_use"):
            self._pairs.server_use(index, at, block, kind)
        elif isinstance(kind, str) and kind in SERVER_RESULTS:
            self._pairs.server_result(index, at, block, kind)
        elif not isinstance(kind, str):
            self._problem("request-shape", index, at, "a content block without a type")

    def _medium(self, index: int, at: int, block: Any, kind: str, role: Any) -> None:
        if kind == "document" and role == "assistant":
            self._problem("version-blocks", index, at, "a document block directly in an assistant message")
        source = field_of(field_of(block, "source"), "type")
        if source in REMOTE_SOURCES:
            self._problem("count-unsupported", index, at, f"{kind} content by {source}")

    def _compaction(self, index: int, at: int, block: Any) -> None:
        content, signature = field_of(block, "content"), field_of(block, "signature")
        extra = tuple(str(key) for key in block if key not in COMPACTION_KEYS) if isinstance(block, Mapping) else ()
        found = CompactionBlock(in_messages(index, at), _block_kind(content, signature), extra)
        self._blocks.append(found)
        if found.counts:
            self._pairs.forget()
            self._thoughts.forget()
        sealed = found.kind == "empty" or (found.counts and signature and isinstance(signature, str))
        if signature is not None and not sealed:
            self._problem("odc-tamper", index, at, "its content or its signature is not a non-empty string")
        elif found.kind == "odd":
            self._problem("request-shape", index, at, "a compaction block whose content is neither a string nor null")


def _is_blank(block: Any) -> bool:
    text = field_of(block, "text")
    return field_of(block, "type") == "text" and isinstance(text, str) and text.isspace()


def _as_dict(block: Any) -> dict[str, Any]:
    """What the walk looks at of a block that is no dict: another mapping, or an object of the SDK."""
    if isinstance(block, Mapping):
        return dict(block)
    return {name: value for name in LOOKED_AT if (value := getattr(block, name, None)) is not None}


def _block_kind(content: Any, signature: Any) -> BlockKind:
    if content is None:
        return "null"
    if not isinstance(content, str):
        return "odd"
    return "empty" if not content else "unsigned" if signature is None else "signed"
