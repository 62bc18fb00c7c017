"""What ``clear_thinking_20251015`` does to a history. A turn is an assistant message that holds thinking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ctxengine.conversation import THINKING, field_of
from ctxengine.edits.effect import START, At, Count, Effect, blocks_from, without_blocks
from ctxengine.edits.switches import Switches

LAST_TURN = "last_turn"


def kept_turns(params: Mapping[str, Any], default: str | None) -> int | None:
    """How many turns keep their thinking; ``None`` is all.

    Args:
        default: ``keeps_thinking`` of the model, for an edit without ``keep``: "all" or "last_turn".
    """
    keep = params.get("keep")
    if isinstance(keep, Mapping) and keep.get("type") != "all":
        return int(keep["value"])
    return 1 if keep is None and default == LAST_TURN else None


def cleared_turns(turns: int, keep: int | None, switches: Switches) -> int:
    """How many of the thinking turns of a history are cleared, oldest first.

    The turn about to be written takes one of the places: ``keep`` 1 at a new question clears them all.
    """
    if keep is None:
        return 0
    own = 1 if switches["clear_thinking.open_turn"] == "takes_a_slot" else 0
    return max(turns - max(keep - own, 0), 0)


def clear_thinking(
    messages: Sequence[Any],
    params: Mapping[str, Any],
    *,
    start: At = START,
    default: str | None,
    count: Count,
    switches: Switches,
) -> Effect:
    """The history without the thinking of its older turns, counted from the block at ``start`` on."""
    thinking: dict[int, dict[At, Any]] = {}
    for at, block in blocks_from(messages, start):
        if field_of(block, "type") in THINKING and field_of(messages[at[0]], "role") == "assistant":
            thinking.setdefault(at[0], {})[at] = block
    turns = cleared_turns(len(thinking), kept_turns(params, default), switches)
    if not turns:
        return Effect(messages)
    gone = {at: block for blocks in list(thinking.values())[:turns] for at, block in blocks.items()}
    freed = sum(map(count, gone.values()))
    applied = {"type": params["type"], "cleared_thinking_turns": turns, "cleared_input_tokens": freed}
    return Effect(without_blocks(messages, gone), applied, freed)
