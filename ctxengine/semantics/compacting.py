"""What becomes of a request when its conversation is summarised, or when that fails."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ctxengine.catalog import Catalog
from ctxengine.edits.compact_effect import replaced_by
from ctxengine.edits.effect import Count
from ctxengine.semantics.binding import chain_of
from ctxengine.semantics.signatures import Signer

SCALE, POWER = 26.6, 0.347
"""Fitted to six recorded summaries of 828 to 169,000 tokens of conversation: least squares in logarithms."""
SHORTEST, LONGEST = 81, 2839
"""The recorded summaries lie between these, in tokens."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """One compaction of a request."""

    block: Mapping[str, Any] | None
    """What the response's content starts with; ``None`` where there is none."""
    request: Mapping[str, Any] | None
    """What the model reads next; ``None`` where the response ends here."""
    stop_reason: str | None


def asking_tokens(instructions: Any, count: Count, catalog: Catalog) -> int:
    """Tokens of what asks for a summary: the instructions, or the API's own words where there are none."""
    if isinstance(instructions, str) and instructions.strip():
        return count(instructions)
    return int(catalog.limit("compaction.own_prompt").at_most or 0)


def summary_size(tokens: int) -> int:
    """How long a summary of so many tokens of conversation comes out."""
    return max(SHORTEST, min(LONGEST, int(SCALE * math.pow(tokens, POWER))))


def compacted(
    request: Mapping[str, Any], content: str | None, *, pause: bool = False, refused: bool = False
) -> Compacted:
    """A threshold compaction with its summary; with ``None`` it failed, and the model reads on as before."""
    block = {"type": "compaction", "content": None if refused else content}
    if refused:
        return Compacted(block, None, "refusal")
    if pause:
        return Compacted(block, None, "compaction")
    return Compacted(block, request if content is None else {**request, "messages": replaced_by(block)}, None)


def summarised(
    request: Mapping[str, Any],
    content: str | None,
    signer: Signer,
    *,
    because: Literal["max_tokens", "model_context_window_exceeded", "tool_use", "refusal", "end_turn"] = "end_turn",
) -> Compacted:
    """An on-demand compaction: one signed block, or an empty answer with the reason there is none."""
    if not content:
        return Compacted(None, None, because)
    chain = chain_of(request.get("messages") or (), signer)
    block = {"type": "compaction", "content": content, "signature": signer.summary(content, chain)}
    return Compacted(block, None, "compaction")
