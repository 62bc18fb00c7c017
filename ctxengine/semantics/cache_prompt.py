"""Requests as the cache sees them: an id for each prefix, made in the order tools, system, messages.

A reader remembers what it has read: messages that are the same objects as last time are not hashed again, so a growing
conversation costs what is new.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from operator import is_
from typing import Any

from ctxengine.catalog.facts import Ttl
from ctxengine.conversation import blocks_of, field_of, markable
from ctxengine.edits.switches import Switches
from ctxengine.semantics.cache import CacheRequest, Mark, Prompt, Scope
from ctxengine.semantics.cache_rules import CacheRules

Count = Callable[[Any], int]

RUNS = ("tool_use", "tool_result")
WEB_SEARCH = "web_search_"
"""Server tools whose type starts so are written into the system prompt, not among the tools."""
REACH = ("tools", "system", "messages")
FEATURES = (
    "tool_choice", "images", "thinking", "effort", "output_format", "task_budget", "web_search", "citations", "speed",
)  # fmt: skip
"""What a stored prefix depends on beside its content: the switch ``cache.invalidates.NAME`` says from where on."""
IMAGES, CITATIONS = ("images",), ("citations",)
SHOWING = frozenset({"image", "tool_result", "document", "search_result"})
"""Types of blocks that may bring a feature along."""


class PromptReader:
    """Reads the requests of one conversation, or of many one after the other.

    Args:
        count: tokens of any JSON value.
        switches: those named ``cache.invalidates.…`` are read.
    """

    def __init__(self, count: Count, switches: Switches) -> None:
        self._count, self._switches = count, switches
        self._head: tuple[Any, ...] = ()
        self._messages: list[Any] = []
        self._rows = _Rows()

    def read(
        self, request: Mapping[str, Any], model: str, rules: CacheRules, *, key: Hashable = "", total: int | None = None
    ) -> CacheRequest:
        """A request, as it reaches the model, in the terms of the cache.

        Args:
            request: ``messages.create`` keyword arguments after server-side edits.
            model: the canonical id; models share nothing.
            key: the workspace or organisation; different keys share nothing.
            total: input tokens of the request where they were counted as a whole.
        """
        rows = self._rows_for(request, rules)
        for message in request["messages"][len(rows.ends) :]:
            rows.add_message(message, self._count, rules)
        self._messages = list(request["messages"])
        least = rows.tokens[-1] if rows.tokens else 0
        return CacheRequest(
            Prompt(rows.ids, rows.tokens, rows.places, rows.system_at, rows.messages_at),
            _with_automatic(rows, request.get("cache_control")),
            least + rules.opening_tokens if total is None else max(total, least),
            self._scope(request, rows, (key, model)),
        )

    def _rows_for(self, request: Mapping[str, Any], rules: CacheRules) -> _Rows:
        """What is known of the prompt already: as far as tools, system and messages are the objects of last time."""
        tools, system = request.get("tools") or (), request.get("system") or ()
        head = (rules.collapses_runs, rules.marks_inside, system, *tools)
        if len(head) != len(self._head) or not all(map(is_, head, self._head)):
            self._head, self._rows = head, _Rows()
            self._rows.add_head(tools, system, self._count)
            return self._rows
        kept = 0
        for old, new in zip(self._messages, request["messages"]):  # noqa: B905 the shorter one decides
            if old is not new:
                break
            kept += 1
        if kept < len(self._messages):
            self._rows = self._rows.first(kept)
        return self._rows

    def _scope(self, request: Mapping[str, Any], rows: _Rows, owner: tuple[Hashable, str]) -> Scope:
        alone = hash(owner)
        return apart((alone, alone, alone), _features(request, rows.shown[-1]), self._switches)


def apart(scope: Scope, features: Mapping[str, Hashable], switches: Switches) -> Scope:
    """The scope of a request in which some of ``FEATURES`` have a value of their own."""
    own = [(REACH.index(switches[f"cache.invalidates.{name}"]), name, value) for name, value in features.items()]
    tools, system, messages = (_joined(part, [each for each in own if each[0] <= at]) for at, part in enumerate(scope))
    return tools, system, messages


def _joined(part: int, own: Sequence[Hashable]) -> int:
    return hash((part, *own)) if own else part


@dataclass(slots=True)
class _Rows:
    """The rows of a prompt that is being read. Rows handed out only ever grow; ``first`` makes new ones."""

    ids: list[bytes] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    kinds: list[tuple[str, str]] = field(default_factory=list)
    """Role and type of each block."""
    markable: list[bool] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    system_at: int = 0
    messages_at: int = 0
    instructions: int = 0
    """Tokens of what the API says about tools in general: it comes behind the system prompt, as recorded bills show."""
    ends: list[int] = field(default_factory=list)
    """Blocks up to the end of each message."""
    shown: list[frozenset[str]] = field(default_factory=lambda: [frozenset()])
    """Those of ``FEATURES`` that blocks have brought along, before the first message and after each."""

    def add_head(self, tools: Sequence[Any], system: Any, count: Count) -> None:
        # beside a tool that has brought the instructions already, another tool shows its own size
        own = [tool for tool in tools if field_of(tool, "input_schema") is not None]
        plain = next(iter((*own, *tools)), None)
        once = count([plain]) if tools else 0
        sizes = [count([plain, tool]) - once for tool in tools]
        self.instructions = once - (count([plain, plain]) - once) if tools else 0
        for tool, size in zip(tools, sizes, strict=True):
            deferred = bool(field_of(tool, "defer_loading"))
            elsewhere = deferred or str(field_of(tool, "type")).startswith(WEB_SEARCH)
            self._add(("tool", ""), tool, 0 if deferred else size, in_prefix=not elsewhere)
        self.system_at = len(self.ids)
        for block in [{"type": "text", "text": system}] if isinstance(system, str) else system:
            self._add(("system", str(field_of(block, "type"))), block, count(block))
        self.messages_at = len(self.ids)

    def add_message(self, message: Any, count: Count, rules: CacheRules) -> None:
        role = str(field_of(message, "role"))
        tokens = count({"role": role, "content": []}) + (0 if self.ends else self.instructions)
        shown = self.shown[-1]
        for block in blocks_of(message):
            kind = str(field_of(block, "type"))
            collapsed = rules.collapses_runs and kind in RUNS and self.kinds[-1:] == [(role, kind)]
            self._add((role, kind), block, tokens + count(block), new_place=not collapsed)
            if inside := ttl_inside(block, kind, rules):
                self.marks.append(Mark(len(self.ids) - 1, inside))
            shown = shown.union(features_in(block, kind))
            tokens = 0
        self.ends.append(len(self.ids))
        self.shown.append(shown)

    def first(self, messages: int) -> _Rows:
        """The rows of the first messages alone."""
        size = self.ends[messages - 1] if messages else self.messages_at
        return _Rows(
            self.ids[:size],
            self.tokens[:size],
            self.places[:size],
            self.kinds[:size],
            self.markable[:size],
            [mark for mark in self.marks if mark.block < size],
            self.system_at,
            self.messages_at,
            self.instructions,
            self.ends[:messages],
            self.shown[: messages + 1],
        )

    def _add(
        self, kind: tuple[str, str], block: Any, tokens: int, *, in_prefix: bool = True, new_place: bool = True
    ) -> None:
        before = self.ids[-1] if self.ids else b""
        self.ids.append(_digest(before, kind[0], block) if in_prefix else before)
        self.tokens.append(tokens + (self.tokens[-1] if self.tokens else 0))
        self.places.append((self.places[-1] if self.places else -1) + new_place)
        self.markable.append(kind[0] in ("tool", "system") or markable(block))
        self.kinds.append(kind)
        control = field_of(block, "cache_control")
        if control is not None:
            self.marks.append(Mark(len(self.ids) - 1, ttl_of_mark(control)))


def _digest(before: bytes, role: str, block: Any) -> bytes:
    fields = _plain(block)
    read = {name: fields[name] for name in sorted(fields) if name != "cache_control"}
    if isinstance(read.get("content"), (list, tuple)):
        read["content"] = [_unmarked(part) for part in read["content"]]
    content = json.dumps((role, read), ensure_ascii=False, separators=(",", ":"), default=_plain)
    return blake2b(content.encode("utf-8", "surrogatepass"), key=before, digest_size=16).digest()


def _unmarked(part: Any) -> Any:
    return {name: value for name, value in part.items() if name != "cache_control"} if type(part) is dict else part


def _plain(block: Any) -> Mapping[str, Any]:
    """A block as a dict: the SDK's objects too."""
    to_dict = getattr(block, "to_dict", None)
    return block if isinstance(block, Mapping) else to_dict() if to_dict else {"type": "text", "text": str(block)}


def ttl_of_mark(control: Any) -> Ttl:
    """How long a mark lets its prefix live."""
    return "1h" if field_of(control, "ttl") == "1h" else "5m"


def ttl_inside(block: Any, kind: str, rules: CacheRules) -> Ttl | None:
    """Of the last mark on the parts of a result that has none of its own, where such marks count."""
    if kind != "tool_result" or not rules.marks_inside or field_of(block, "cache_control") is not None:
        return None
    parts = field_of(block, "content")
    controls = [field_of(part, "cache_control") for part in parts] if isinstance(parts, (list, tuple)) else ()
    return next((ttl_of_mark(control) for control in reversed(controls) if control is not None), None)


def _with_automatic(rows: _Rows, control: Any) -> list[Mark]:
    """The marks in prompt order; the automatic one on the last block that may have one, if it has none yet."""
    if control is None or True not in rows.markable:
        return rows.marks[:]
    last = len(rows.markable) - 1 - rows.markable[::-1].index(True)
    if rows.marks and rows.marks[-1].block == last:
        return rows.marks[:]
    return [*rows.marks, Mark(last, ttl_of_mark(control))]


def features_in(block: Any, kind: str) -> Sequence[str]:
    """Those of ``FEATURES`` that a block brings along."""
    if kind == "image":
        return IMAGES
    if kind == "tool_result":
        parts = field_of(block, "content")
        images = isinstance(parts, (list, tuple)) and any(field_of(part, "type") == "image" for part in parts)
        return IMAGES if images else ()
    cites = kind in ("document", "search_result") and field_of(field_of(block, "citations"), "enabled")
    return CITATIONS if cites else ()


def _features(request: Mapping[str, Any], shown: Iterable[str]) -> dict[str, Hashable]:
    """Those of ``FEATURES`` that a request has, with their values."""
    output = request.get("output_config") or {}
    searches = [tool for tool in request.get("tools") or () if str(field_of(tool, "type")).startswith(WEB_SEARCH)]
    values = {
        "tool_choice": request.get("tool_choice"),
        "thinking": request.get("thinking"),
        "effort": output.get("effort"),
        "output_format": output.get("format"),
        "task_budget": output.get("task_budget"),
        "web_search": [_unmarked(tool) for tool in searches],
        "speed": request.get("speed"),
    }
    texts = {name: json.dumps(value, sort_keys=True, default=_plain) for name, value in values.items() if value}
    return {**texts, **dict.fromkeys(sorted(shown), True)}
