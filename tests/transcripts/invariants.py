"""What holds for every transcript that was read, whatever it was read from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ctxengine.transcripts import Transcript


def blocks_of(message: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    content = message["content"]
    yield from (block for block in content if block["type"] == kind) if isinstance(content, list) else ()


def tool_uses(transcript: Transcript) -> list[dict[str, Any]]:
    return [block for message in transcript.request["messages"] for block in blocks_of(message, "tool_use")]


def texts(transcript: Transcript) -> Iterator[str]:
    for message in transcript.request["messages"]:
        if isinstance(message["content"], str):
            yield message["content"]
        else:
            yield from (block["text"] for block in blocks_of(message, "text"))


def check(transcript: Transcript) -> None:
    """The API would take the whole conversation, and each of its boundaries."""
    messages = transcript.request["messages"]
    assert messages
    for before, message in zip([{"role": None, "content": []}, *messages], messages, strict=False):
        check_pair(before, message)
    assert not list(blocks_of(messages[-1], "tool_use"))
    assert all(text.strip() for text in texts(transcript))
    assert all(block.get("signature") for message in messages for block in blocks_of(message, "thinking"))
    assert not any(message["role"] == "assistant" and ends_in_thinking(message) for message in messages)
    check_tools(transcript)
    check_boundaries(transcript)


def ends_in_thinking(message: dict[str, Any]) -> bool:
    content = message["content"]
    return isinstance(content, list) and bool(content[-1]["type"] == "thinking")


def check_pair(before: dict[str, Any], message: dict[str, Any]) -> None:
    """A message answers all tool uses of the one before and nothing else, its results first; turns take turns."""
    assert message["content"]
    assert before["role"] != message["role"] or message["role"] == "system"
    results = list(blocks_of(message, "tool_result"))
    asked = [block["id"] for block in blocks_of(before, "tool_use")]
    assert sorted(asked) == sorted(block["tool_use_id"] for block in results)
    assert not results or (message["role"] == "user" and message["content"][: len(results)] == results)


def check_tools(transcript: Transcript) -> None:
    uses = tool_uses(transcript)
    ids = [block["id"] for block in uses]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]+", text) for block in uses for text in (block["id"], block["name"]))
    assert all(isinstance(block["input"], dict) for block in uses)
    assert not uses or transcript.request["tools"]


def check_boundaries(transcript: Transcript) -> None:
    messages = transcript.request["messages"]
    assert list(transcript.boundaries()) == [at for at, message in enumerate(messages, 1) if message["role"] == "user"]
    for entry in transcript.recorded:
        assert 1 <= entry.messages <= len(messages)
        assert messages[entry.messages - 1]["role"] != "assistant"
