"""How published tables show numbers, and edits with all their fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

Row = Sequence[object]
SMALL = 0.995
"""Shares below this are shown with a decimal."""


def table(head: Sequence[str], rows: Iterator[Row]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    shown = ([f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in shown)


def percent(share: float) -> str:
    return f"{share:+.1%}" if abs(share) < SMALL else f"{share:+.0%}"


def clear(trigger: int, keep: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "clear_tool_uses_20250919",
        "trigger": {"type": "input_tokens", "value": trigger},
        "keep": {"type": "tool_uses", "value": keep},
        **more,
    }


def compact(trigger: int) -> dict[str, Any]:
    return {"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": trigger}}
