"""What stands before a block, as one short digest: the same for prompts that the model could not tell apart.

Cache marks, thinking, deferred tools, and the difference between a string and one text block are left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ctxengine.conversation import field_of

WIDTH = 16
"""Bytes of a digest."""


def digest(*parts: bytes) -> bytes:
    made = hashlib.sha256()
    for part in parts:
        made.update(len(part).to_bytes(8, "big") + part)
    return made.digest()[:WIDTH]


def digest_text(text: str) -> bytes:
    """Of any text, as it is sent: half a surrogate pair too."""
    return digest(text.encode("utf-8", "surrogatepass"))


def canonical(value: Any) -> bytes:
    """JSON of any value with sorted keys and without cache marks."""
    return json.dumps(as_read(value), sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str).encode()


def as_read(value: Any) -> Any:
    """Plain JSON of any value, the SDK's objects too, without cache marks: those are no part of what a model reads."""
    if isinstance(value, Mapping):
        return {str(key): as_read(part) for key, part in value.items() if key != "cache_control"}
    if isinstance(value, (list, tuple)):
        return [as_read(part) for part in value]
    to_dict = getattr(value, "to_dict", None)
    return as_read(to_dict(mode="json")) if callable(to_dict) else value


def head_of(request: Mapping[str, Any]) -> bytes:
    """System prompt and tools; a deferred tool is not read until it is asked for."""
    system = request.get("system") or []
    blocks = [{"type": "text", "text": system}] if isinstance(system, str) else list(system)
    tools = [tool for tool in request.get("tools") or () if not field_of(tool, "defer_loading")]
    return digest(canonical(blocks), canonical(tools))


def extended(chain: bytes, role: Any, block: Any) -> bytes:
    """The chain with one more block; how blocks are spread over messages of one role does not matter."""
    return digest(chain, str(role).encode(), canonical(block))
