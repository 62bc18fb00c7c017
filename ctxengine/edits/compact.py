"""``compact_20260112``: the API summarises the conversation once it reaches the trigger."""

from __future__ import annotations

from typing import Annotated, Literal

from ctxengine.edits.shared import Edit, Merge, Tokens

AS_COMPACTION = {"trigger": "trigger", "instructions": "instructions", "pause_after_compaction": "pause"}
"""The edit's fields by the names they have in the policy's ``compaction``, its one home there."""


class Compact(Edit):
    """Summarises the conversation once it reaches the trigger. The same as `compaction` with `mode: threshold`."""

    type: Literal["compact_20260112"]
    trigger: Annotated[Tokens | None, Merge("last")] = None
    """Input tokens, or share of the window, at which the API compacts (default 150,000 tokens)."""
    instructions: Annotated[str | None, Merge("last")] = None
    """Prompt of the summary; replaces the API's own."""
    pause_after_compaction: Annotated[bool | None, Merge("last")] = None
    """Whether the response stops after the summary, so that the caller may restore something (default false)."""
