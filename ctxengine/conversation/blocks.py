"""Small questions about messages and their blocks, which are dicts or the SDK's model objects."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

THINKING = frozenset({"thinking", "redacted_thinking"})
"""Types of blocks that cannot carry a mark."""
MARKABLE = frozenset(
    {
        *("text", "image", "document", "search_result", "container_upload", "compaction"),
        *("tool_use", "tool_result", "tool_addition", "tool_removal", "mcp_tool_use", "mcp_tool_result"),
        *("server_tool_use", "web_search_tool_result", "web_fetch_tool_result", "tool_search_tool_result"),
        *("code_execution_tool_result", "bash_code_execution_tool_result", "text_editor_code_execution_tool_result"),
        "advisor_tool_result",
    }
)
"""Types of content blocks that have a ``cache_control`` field; source: the SDK's ``*_block_param.py``."""

SERVER_RESULTS = frozenset(kind for kind in MARKABLE if kind.endswith("_tool_result"))
"""Types of blocks that answer a server_tool_use or mcp_tool_use."""
RESULTS = SERVER_RESULTS | {"tool_result"}


def field_of(item: Any, name: str) -> Any:
    """A field of a dict or of an SDK model object; None where it is missing."""
    if item.__class__ is dict or isinstance(item, Mapping):  # the first test spares the abstract class's slow one
        return item.get(name)
    return getattr(item, name, None)


def blocks_of(message: Any) -> Sequence[Any]:
    """The content blocks of a message; a string counts as one text block."""
    content = field_of(message, "content")
    if isinstance(content, str):
        return ({"type": "text", "text": content},)
    return content if isinstance(content, Sequence) else ()


def markable(block: Any) -> bool:
    """Whether a content block may carry ``cache_control``: not thinking, not empty text or a null compaction block, and
    nothing unknown, which goes as it came."""
    kind = field_of(block, "type")
    if not isinstance(kind, str) or kind not in MARKABLE:
        return False
    if block.__class__ is not dict and not isinstance(block, Mapping) and not hasattr(block, "to_dict"):
        return False  # neither a mapping nor an object of the SDK: nothing to write a mark into
    field = _MUST_HOLD.get(kind)
    return field is None or bool(field_of(block, field))


def is_plain(name: str) -> bool:
    """Whether the API takes these letters in a tool's name, or in the id of its use."""
    return (name.isidentifier() and name.isascii()) or _PLAIN.fullmatch(name) is not None


_PLAIN = re.compile(r"[a-zA-Z0-9_-]+")
_MUST_HOLD = {"text": "text", "compaction": "content"}
"""Type of block → the field that must not be empty for the block to carry a mark."""
