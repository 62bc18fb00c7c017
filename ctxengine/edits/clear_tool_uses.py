"""``clear_tool_uses_20250919``: the API replaces the oldest tool results by a short placeholder."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ctxengine.edits.shared import BreakEven, Edit, InputTokens, Merge, ToolUses, Whole, WindowFraction


class ClearToolUses(Edit):
    """Replaces the oldest tool results by a short placeholder once the prompt exceeds the trigger."""

    type: Literal["clear_tool_uses_20250919"]
    trigger: Annotated[
        Annotated[InputTokens | ToolUses | WindowFraction, Field(discriminator="type")] | None, Merge("last")
    ] = None
    """Clearing starts above this many input tokens (default 100,000), tool uses, or share of the window."""
    keep: Annotated[ToolUses | None, Merge("last", plugins="most")] = None
    """The newest tool uses, which stay (default 3)."""
    clear_at_least: Annotated[Annotated[InputTokens | BreakEven, Field(discriminator="type")] | None, Merge("last")] = (
        None
    )
    """Tokens a clearing must free, else nothing is cleared (default: any amount). Each clearing rewrites the prompt
    cache from the cut on, so few large ones are cheaper than many small ones."""
    exclude_tools: Annotated[list[str] | Whole[str] | None, Merge("union", plugins="union")] = None
    """Names of tools whose uses and results are never cleared."""
    clear_tool_inputs: Annotated[bool | list[str] | None, Merge("last")] = None
    """Whether the tool's input goes with its result: for all tools, or for those named (default false)."""
