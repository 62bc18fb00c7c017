"""From plan to keyword arguments: the only place that writes wire dicts. Copies only what changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ctxengine.catalog.facts import Ttl
from ctxengine.conversation import MESSAGES, SYSTEM, TOOLS, blocks_of, field_of
from ctxengine.plan.plan import Plan
from ctxengine.request import Request

Marks = Mapping[tuple[int, int], Ttl]
"""(index, block) → ttl within one section."""


def render(plan: Plan, request: Request) -> dict[str, Any]:
    """Keyword arguments for ``client.beta.messages``."""
    kwargs = dict(request.kwargs)
    for name, read in (("messages", request.messages), ("tools", request.tools), ("system", request.system)):
        if name in kwargs and request.get(name) is not None:
            kwargs[name] = read
    if plan.mode == "enforce":
        _write_prompt(kwargs, plan, request)
        _write_context_management(kwargs, plan, request)
        _write_betas(kwargs, plan, request)
    return kwargs


def _write_prompt(kwargs: dict[str, Any], plan: Plan, request: Request) -> None:
    marks: list[dict[tuple[int, int], Ttl]] = [{}, {}, {}]
    for mark in plan.breakpoints:
        marks[mark.at.section][mark.at.index, mark.at.block] = mark.ttl
    if marks[TOOLS] and "tools" in kwargs:
        kwargs["tools"] = [_marked(tool, marks[TOOLS].get((i, -1))) for i, tool in enumerate(request.tools)]
    if marks[SYSTEM] and "system" in kwargs:
        blocks = [{"type": "text", "text": request.system}] if isinstance(request.system, str) else request.system
        kwargs["system"] = [_marked(block, marks[SYSTEM].get((i, -1))) for i, block in enumerate(blocks)]
    if marks[MESSAGES] or plan.pruned:
        kwargs["messages"] = _messages(plan, request.messages, marks[MESSAGES])


def _messages(plan: Plan, messages: Sequence[Any], marks: Marks) -> list[Any]:
    first = plan.first.index
    sent = list(messages[first:])
    changed = {index for index, _ in marks} | ({first} if plan.pruned and plan.pruned.blocks else set())
    for index in changed:
        skip = plan.pruned.blocks if plan.pruned and index == first else 0
        message = messages[index]
        blocks = [_marked(block, marks.get((index, at))) for at, block in enumerate(blocks_of(message)) if at >= skip]
        head = message if isinstance(message, Mapping) else {"role": field_of(message, "role")}
        sent[index - first] = {**head, "content": blocks}
    return sent


def _marked(block: Any, ttl: Ttl | None) -> Any:
    if ttl is None:
        return block
    # to_dict leaves out what the API never sent; model_dump would add null keys that it refuses
    fields = block if isinstance(block, Mapping) else block.to_dict()
    return {**fields, "cache_control": {"type": "ephemeral", "ttl": "1h"} if ttl == "1h" else {"type": "ephemeral"}}


def _write_context_management(kwargs: dict[str, Any], plan: Plan, request: Request) -> None:
    if plan.edits:
        kwargs["context_management"] = {**request.context_management, "edits": [edit.wire() for edit in plan.edits]}
    elif request.edits and plan.compaction is None:
        kwargs.pop("context_management", None)


def _write_betas(kwargs: dict[str, Any], plan: Plan, request: Request) -> None:
    if plan.betas:
        kwargs["betas"] = list(plan.beta_names)
    elif request.get("betas") is not None:
        kwargs.pop("betas", None)
    if request.header_keys:
        headers = {
            key: value for key, value in request.kwargs["extra_headers"].items() if key not in request.header_keys
        }
        kwargs["extra_headers"] = headers
        if not headers:
            del kwargs["extra_headers"]
