"""What stands before the messages: marks on tools and system, and the tools as the API sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ctxengine.conversation.blocks import field_of
from ctxengine.conversation.facts import AT_END, Mark, in_system, in_tools


def scan_head(
    system: Any, tools: Sequence[Any], cache_control: Any = None
) -> tuple[tuple[Mark, ...], tuple[tuple[str, str], ...]]:
    """Marks outside the messages, in prompt order, and (name, type) of each tool."""
    marks: list[Mark] = []
    kinds: list[tuple[str, str]] = []
    for index, tool in enumerate(tools):
        kinds.append((str(field_of(tool, "name") or ""), str(field_of(tool, "type") or "custom")))
        ttl = ttl_of(field_of(tool, "cache_control"))
        if ttl is not None:
            marks.append(Mark(in_tools(index), ttl, "tool"))
    if not isinstance(system, str):
        for index, block in enumerate(system if isinstance(system, Sequence) else ()):
            ttl = ttl_of(field_of(block, "cache_control"))
            if ttl is not None:
                marks.append(Mark(in_system(index), ttl, "text", not field_of(block, "text")))
    ttl = ttl_of(cache_control)
    if ttl is not None:
        marks.append(Mark(AT_END, ttl, "auto"))
    return tuple(marks), tuple(kinds)


def tool_definitions(tools: Sequence[Any]) -> Sequence[Any]:
    """The tools as the API sees them: the SDK's runnable tools are objects that know their definition."""
    if all(isinstance(tool, Mapping) for tool in tools):
        return tools
    return [tool.to_dict() if hasattr(tool, "to_dict") else tool for tool in tools]


def ttl_of(cache_control: Any) -> str | None:
    """The ttl of a mark, ``5m`` where it names none; ``None`` where there is no mark."""
    if cache_control is None:
        return None
    return str(field_of(cache_control, "ttl") or "5m")
