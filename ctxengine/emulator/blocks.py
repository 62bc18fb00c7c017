"""What a script may let the model write: the blocks of a reply with their fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ctxengine.conversation import SERVER_RESULTS, is_plain

Kinds = type | tuple[type, ...]

CALL: Mapping[str, Kinds] = {"name": str, "input": Mapping}
SERVER_CALL: Mapping[str, Kinds] = {"id": str, **CALL}
SERVER_RESULT: Mapping[str, Kinds] = {"tool_use_id": str, "content": (str, list, tuple, Mapping)}
FIELDS: Mapping[str, Mapping[str, Kinds]] = {
    "compaction": {"content": (str, type(None))},
    "mcp_tool_use": SERVER_CALL,
    "redacted_thinking": {"data": str},
    "server_tool_use": SERVER_CALL,
    "text": {"text": str},
    "thinking": {"thinking": str},
    "tool_use": CALL,
}
"""The fields that a block must have; ids and signatures that are not here are made where they are missing."""
OPTIONAL: Mapping[str, Kinds] = {"citations": (list, tuple, type(None)), "id": str, "signature": str}


def mistakes(block: Any) -> Iterator[tuple[str, str]]:
    """What keeps a block out of a reply: the field, ``""`` for the block itself, and why."""
    kind = block.get("type") if isinstance(block, Mapping) else None
    if not isinstance(kind, str):
        yield "", "a reply is a text, a block or a list of blocks with a type"
        return
    fields = SERVER_RESULT if kind in SERVER_RESULTS else FIELDS.get(kind)
    if fields is None:
        yield "type", "this is no block that a model writes"
        return
    for name, kinds in fields.items():
        if name not in block:
            yield name, "the block needs this field"
        elif not isinstance(block[name], kinds):
            yield name, "this is not what the field holds"
    if kind == "tool_use" and isinstance(block.get("id"), str) and not is_plain(block["id"]):
        yield "id", "the API makes ids of letters, digits, _ and -, and takes no others back"
    for name, kinds in OPTIONAL.items():
        if name not in fields and name in block and not isinstance(block[name], kinds):
            yield name, "this is not what the field holds"
