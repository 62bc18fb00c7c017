"""Requests for cache cases, written short: ``"use b#10 x3 @5m"`` is three tool_use blocks, the last one marked.

``#10`` is the size in tokens: ``count`` adds up the sizes in a value and knows no others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

BLOCK = re.compile(r"(?:(?P<kind>\w+) )?(?P<name>\w+)(?P<size>#\d+)?(?: x(?P<times>\d+))?(?: @(?P<ttl>5m|1h))?")


def count(value: Any) -> int:
    return sum(int(size) for size in re.findall(r"#(\d+)", json.dumps(value)))


def request_of(step: Mapping[str, Any]) -> dict[str, Any]:
    """``messages.create`` keyword arguments of one step."""
    messages = [
        {"role": role, "content": [block for written in blocks for block in expanded(written)]}
        for role, *blocks in step["messages"]
    ]
    tools = [tool for written in step.get("tools", ()) for tool in expanded(written, "tool")]
    system = list(expanded(step["system"])) if "system" in step else []
    return {"tools": tools, "system": system, "messages": messages, **step.get("more", {})}


def expanded(written: str, kind: str = "text") -> Iterator[dict[str, Any]]:
    match = BLOCK.fullmatch(written)
    assert match, f"{written!r} is no block"
    times = int(match["times"] or 1)
    for number in range(times):
        name = f"{match['name']}{number if times > 1 else ''}"
        block = _block(match["kind"] or kind if match["name"] != "empty" else "empty", name, match["size"] or "")
        if match["ttl"] and number == times - 1:
            block["cache_control"] = {"type": "ephemeral", "ttl": match["ttl"]}
        yield block


def _block(kind: str, name: str, size: str) -> dict[str, Any]:
    text = {"type": "text", "text": f"{name} {size}"}
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": f"{name} {size}"}}
    document = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": f"{name} {size}"}}
    return {
        "text": text,
        "empty": {"type": "text", "text": ""},
        "think": {"type": "thinking", "thinking": f"{name} {size}", "signature": "signed"},
        "use": {"type": "tool_use", "id": name, "name": "t", "input": {"given": size}},
        "result": {"type": "tool_result", "tool_use_id": name, "content": f"{name} {size}"},
        "pictured": {"type": "tool_result", "tool_use_id": name, "content": [image]},
        "compaction": {"type": "compaction", "content": f"{name} {size}"},
        "image": image,
        "document": document,
        "cited": {**document, "citations": {"enabled": True}},
        "tool": {"name": name, "description": size, "input_schema": {"type": "object"}},
        "later": {"name": name, "description": size, "input_schema": {"type": "object"}, "defer_loading": True},
        "web_search": {"type": "web_search_20260209", "name": "web_search"},
    }[kind]
