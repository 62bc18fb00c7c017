"""``clear_thinking_20251015``: the API removes the thinking of earlier turns before the prompt reaches the model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ctxengine.edits.shared import All, Edit, Merge, ThinkingTurns


class ClearThinking(Edit):
    """Removes the thinking of earlier assistant turns. It acts on every request and needs thinking to be on."""

    type: Literal["clear_thinking_20251015"]
    keep: Annotated[
        Literal["all"] | Annotated[ThinkingTurns | All, Field(discriminator="type")] | None, Merge(plugins="most")
    ] = None
    """Turns whose thinking stays: the newest ones in `thinking_turns`, or `all`. The default differs from model to
    model (all of them, or the last turn only): say it. Keeping fewer than all loses the prompt cache from the first
    cleared turn on."""
