"""What stands before the messages: marks on tools and system, the system prompt's texts, and the tools as the API sees
them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ctxengine.conversation.blocks import field_of
from ctxengine.conversation.facts import AT_END, Mark, Problem, in_system, in_tools


class Head(NamedTuple):
    """What was found outside the messages."""

    marks: tuple[Mark, ...] = ()
    """In prompt order."""
    tool_kinds: tuple[tuple[str, str], ...] = ()
    """(name, type) of each tool."""
    problems: tuple[Problem, ...] = ()


def scan_head(system: Any, tools: Sequence[Any], cache_control: Any = None) -> Head:
    """Reads tools, system prompt and automatic mark."""
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
    return Head(tuple(marks), tuple(kinds), tuple(_text_problems(system)))


def _text_problems(system: Any) -> Iterator[Problem]:
    """A system prompt of empty texts, or of white space alone; an empty string is no prompt at all."""
    if isinstance(system, str):
        if system.isspace():
            yield Problem("text-blank", in_system(), "the system prompt is nothing but white space")
        return
    texts = [field_of(block, "text") for block in (system if isinstance(system, Sequence) else ())]
    for index, text in enumerate(texts):
        if text == "":
            yield Problem("text-empty", in_system(index), "a text block without text")
    if texts and all(isinstance(text, str) and text.isspace() for text in texts):
        yield Problem("text-blank", in_system(), "the system prompt is nothing but white space")


def tool_definitions(tools: Sequence[Any]) -> Sequence[Any]:
    """The tools as the API sees them: the SDK's runnable tools are objects that know their definition."""
    if all(isinstance(tool, Mapping) for tool in tools):
        return tools
    return [tool.to_dict() if hasattr(tool, "to_dict") else tool for tool in tools]


def last_tool(tools: Sequence[Any]) -> int | None:
    """The last tool that is in the prompt from the start."""
    return next((at for at in range(len(tools) - 1, -1, -1) if not field_of(tools[at], "defer_loading")), None)


def ttl_of(cache_control: Any) -> str | None:
    """The ttl of a mark, ``5m`` where it names none; ``None`` where there is no mark."""
    if cache_control is None:
        return None
    return str(field_of(cache_control, "ttl") or "5m")
