"""Read-only questions about system, tools and messages, answered by one walk.

Messages are dicts; blocks are dicts or the SDK's model objects.
"""

from __future__ import annotations

from ctxengine.conversation.facts import (
    AT_END,
    SECTIONS,
    UNMARKABLE,
    CompactionBlock,
    Conversation,
    Mark,
    Position,
    Problem,
    blocks_of,
    field_of,
    in_messages,
    in_system,
    in_tools,
    markable,
    positions_between,
)
from ctxengine.conversation.scanner import Scanner, scan, scan_head, tool_definitions

__all__ = [
    "AT_END",
    "SECTIONS",
    "UNMARKABLE",
    "CompactionBlock",
    "Conversation",
    "Mark",
    "Position",
    "Problem",
    "Scanner",
    "blocks_of",
    "field_of",
    "in_messages",
    "in_system",
    "in_tools",
    "markable",
    "positions_between",
    "scan",
    "scan_head",
    "tool_definitions",
]
