"""Usage as the API reports it: an entry for each sampling pass, and a top level that leaves some of them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ctxengine.semantics.cache import CacheUse

COUNTED = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
TTLS = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")


def iteration(kind: str, use: CacheUse, output_tokens: int, model: str | None = None) -> dict[str, Any]:
    """One entry of ``usage.iterations``.

    Args:
        kind: ``message``, ``compaction``, ``advisor_message`` or ``fallback_message``.
        model: named by entries that another model than the request's may have written.
    """
    entry = {
        "type": kind,
        "input_tokens": use.uncached,
        "output_tokens": output_tokens,
        "cache_creation_input_tokens": use.written,
        "cache_read_input_tokens": use.read,
        "cache_creation": dict(zip(TTLS, (use.write_5m, use.write_1h), strict=True)),
    }
    return entry if model is None else {**entry, "model": model}


def usage_of(iterations: Sequence[Mapping[str, Any]], *, listed: bool = True) -> dict[str, Any]:
    """The ``usage`` of a response; with ``listed`` false without the entries, as where no beta asks for them.

    The top level adds up the requested model's own messages: no compactions, which are billed nonetheless, and no
    advice. After a fallback it holds the fallback's messages alone.
    """
    fell_back = any(entry["type"] == "fallback_message" for entry in iterations)
    counted = [entry for entry in iterations if entry["type"] == ("fallback_message" if fell_back else "message")]
    usage: dict[str, Any] = {name: sum(entry[name] for entry in counted) for name in COUNTED}
    usage["cache_creation"] = {name: sum(entry["cache_creation"][name] for entry in counted) for name in TTLS}
    return {**usage, "iterations": [dict(entry) for entry in iterations]} if listed else usage
