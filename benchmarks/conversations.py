"""Seeded conversations for the benchmarks: thinking, text and tool_use against tool_results of Python source."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

SOURCES = sorted(Path(random.__file__).parent.glob("*.py"))


def conversation(messages: int, seed: int = 7) -> dict[str, Any]:
    """``messages.create`` kwargs with so many messages; about 3.7 MB and 1,724 blocks at 1,000."""
    draw = random.Random(seed)
    text = (
        "".join(path.read_text(encoding="utf-8", errors="replace") for path in SOURCES[:60])
        .encode("ascii", "replace")
        .decode()
    )
    made: list[dict[str, Any]] = [{"role": "user", "content": "Please review the standard library."}]
    calls = 0
    while len(made) < messages - 1:
        uses = []
        for _ in range(draw.choice((1, 1, 1, 2))):
            calls += 1
            path = SOURCES[calls % len(SOURCES)].name
            uses.append({"type": "tool_use", "id": f"toolu_{calls:06}", "name": "read_file", "input": {"path": path}})
        said: list[dict[str, Any]] = (
            [{"type": "text", "text": "Next I read more of it. " * draw.randint(1, 6)}] if draw.random() < 0.7 else []
        )
        if draw.random() < 0.25:
            said.insert(
                0, {"type": "thinking", "thinking": "What is left to read? " * 20, "signature": "c2lnbmVk" * 20}
            )
        made.append({"role": "assistant", "content": said + uses})
        made.append({"role": "user", "content": [_result(use["id"], text, draw) for use in uses]})
    return {
        "model": "claude-opus-4-6",
        "max_tokens": 4096,
        "thinking": {"type": "adaptive"},
        "system": "You review source code. " * 800,
        "tools": [_tool(name) for name in ("read_file", "search", "edit_file", "memory")],
        "messages": made,
    }


def _result(use: str, text: str, draw: random.Random) -> dict[str, Any]:
    start, length = draw.randrange(len(text) - 12_000), draw.randint(1_000, 10_500)
    return {"type": "tool_result", "tool_use_id": use, "content": text[start : start + length]}


def _tool(name: str) -> dict[str, Any]:
    properties = {"path": {"type": "string", "description": "The file. " * 10}}
    return {"name": name, "description": "Does it. " * 40, "input_schema": {"type": "object", "properties": properties}}
