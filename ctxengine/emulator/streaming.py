"""A message as the events that the API streams it in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ctxengine.catalog.facts import CALLS
from ctxengine.emulator.wire import utf8

Event = Mapping[str, Any]

CHUNK = 48
"""Characters of text or of a tool's input in one delta."""
ENDING = ("stop_reason", "stop_sequence", "stop_details", "container")
CUMULATIVE = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
ON_THE_LAST = ("iterations", "server_tool_use", "output_tokens_details")
"""What only the end of a stream says of the usage."""


def events_of(message: Mapping[str, Any]) -> Iterator[Event]:
    """The events of a whole message, the last one ``message_stop``."""
    yield {"type": "message_start", "message": _opened(message)}
    for index, block in enumerate(message["content"]):
        start, deltas = _block(block)
        yield {"type": "content_block_start", "index": index, "content_block": start}
        if index == 0:
            yield {"type": "ping"}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ending = {name: message[name] for name in ENDING if name in message}
    usage = {name: message["usage"][name] for name in (*CUMULATIVE, *ON_THE_LAST) if name in message["usage"]}
    edits = {name: message[name] for name in ("context_management",) if name in message}
    yield {"type": "message_delta", "delta": ending, "usage": usage, **edits}
    yield {"type": "message_stop"}


def sse(event: Event) -> bytes:
    """One event as it stands in a stream."""
    return b"event: %s\ndata: %s\n\n" % (event["type"].encode(), utf8(event))


def _opened(message: Mapping[str, Any]) -> dict[str, Any]:
    """The message as ``message_start`` has it: no content yet, and the usage of the first sampling pass."""
    usage = {name: value for name, value in message["usage"].items() if name not in ON_THE_LAST}
    first = (message["usage"].get("iterations") or [usage])[0]
    begun = {**usage, **{name: first[name] for name in (*CUMULATIVE, "cache_creation")}, "output_tokens": 1}
    empty: dict[str, Any] = {
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "usage": begun,
    }
    later = {name: None for name in ("container", "context_management") if name in message}
    return {**message, **empty, **later}


def _block(block: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
    """How a block starts, and the deltas that complete it; what the API sends whole has none."""
    kind = block["type"]
    if kind == "text":
        cited = [{"type": "citations_delta", "citation": each} for each in block.get("citations") or ()]
        start = {**block, "text": "", **({"citations": []} if cited else {})}
        return start, [*cited, *({"type": "text_delta", "text": part} for part in _chunks(block["text"]))]
    if kind == "thinking":
        said = [{"type": "thinking_delta", "thinking": part} for part in _chunks(block["thinking"])]
        signed = {"type": "signature_delta", "signature": block.get("signature", "")}
        return {**block, "thinking": "", "signature": ""}, [*said, signed]
    if kind in CALLS:
        given = json.dumps(block["input"], ensure_ascii=False) if block["input"] else ""
        deltas = [{"type": "input_json_delta", "partial_json": part} for part in ("", *_chunks(given))]
        return {**block, "input": {}}, deltas
    if kind == "compaction" and "signature" not in block:
        return {"type": kind, "content": None}, [{"type": "compaction_delta", "content": block["content"]}]
    return block, []


def _chunks(text: str) -> list[str]:
    return [text[at : at + CHUNK] for at in range(0, len(text), CHUNK)]
