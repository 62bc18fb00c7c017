"""What ``clear_tool_uses_20250919`` does to a history: finds the tool uses, and rewrites those that are cleared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ctxengine.catalog.facts import CALLS
from ctxengine.conversation import RESULTS, field_of
from ctxengine.edits.clear_tool_uses_choice import Clearing, Use
from ctxengine.edits.effect import START, At, Count, Effect, blocks_from, with_blocks, with_fields
from ctxengine.edits.switches import Switches


@dataclass(slots=True)
class _Found:
    """A tool use and its result by index of message and block."""

    call: At
    block: Any
    result: At | None = None
    answer: Any = None


def clear_tool_uses(
    messages: Sequence[Any],
    params: Mapping[str, Any],
    *,
    start: At = START,
    prompt_tokens: int,
    count: Count,
    switches: Switches,
) -> Effect:
    """The history with old tool results replaced by a placeholder.

    Args:
        params: the edit's fields with the API's defaults filled in.
        start: the first block that counts; what stands before it stays as it is.
    """
    clearing = Clearing(params, switches)
    found = _uses(messages, start)
    placeholder = switches["clear_tool_uses.placeholder"]
    for each in found:
        clearing.add(_measured(each, placeholder, count, switches, clearing))
    cut = clearing.cut(prompt_tokens)
    if not cut.uses:
        return Effect(messages)
    cleared = [found[index] for index in clearing.cleared(cut)]
    changed = dict(part for each in cleared for part in _rewritten(each, placeholder, clearing))
    applied = {"type": params["type"], "cleared_tool_uses": cut.uses, "cleared_input_tokens": max(cut.tokens, 0)}
    ids = tuple(str(field_of(each.block, "id")) for each in cleared)
    return Effect(with_blocks(messages, changed), applied, cut.tokens, ids)


def is_tiny(result: Any, most: int) -> bool:
    """Whether a result's content is text of 1 to ``most`` UTF-8 bytes; what is empty, or not only text, is not tiny."""
    if isinstance(result, str):
        return 0 < len(result) <= most and len(result.encode("utf-8", "surrogatepass")) <= most
    size = 0
    for part in result if isinstance(result, (list, tuple)) else ():
        text = field_of(part, "text")
        if field_of(part, "type") != "text" or not isinstance(text, str):
            return False
        size += len(text.encode("utf-8", "surrogatepass")) if len(text) <= most else most + 1
    return 0 < size <= most


def cleared_result(result: Any, placeholder: str) -> Any:
    """A result as clearing leaves it: the placeholder keeps the shape, text for a string, else one text block."""
    text = [{"type": "text", "text": placeholder}]
    content = field_of(result, "content")
    return with_fields(result, content=placeholder if content is None or isinstance(content, str) else text)


def _uses(messages: Sequence[Any], start: At) -> list[_Found]:
    """Every tool use from a place on, in prompt order."""
    found: list[_Found] = []
    newest: dict[Any, _Found] = {}
    for at, block in blocks_from(messages, start):
        kind = field_of(block, "type")
        if kind in CALLS:
            call = newest[field_of(block, "id")] = _Found(at, block)
            found.append(call)
        elif kind in RESULTS:
            answered = newest.get(field_of(block, "tool_use_id"))
            if answered is not None and answered.result is None:
                answered.result, answered.answer = at, block
    return found


def _measured(found: _Found, placeholder: str, count: Count, switches: Switches, clearing: Clearing) -> Use:
    name, frees, input_frees = str(field_of(found.block, "name")), 0, 0
    if found.result is not None:
        frees = count(found.answer) - count(cleared_result(found.answer, placeholder))
    if clearing.clears_input(name):
        input_frees = count(found.block) - count(with_fields(found.block, input={}))
    tiny = is_tiny(field_of(found.answer, "content"), switches.tiny_result)
    return Use(name, frees, input_frees, tiny, found.result is not None)


def _rewritten(found: _Found, placeholder: str, clearing: Clearing) -> Iterator[tuple[At, Any]]:
    if found.result is not None:
        yield found.result, cleared_result(found.answer, placeholder)
    if clearing.clears_input(str(field_of(found.block, "name"))):
        yield found.call, with_fields(found.block, input={})
