"""Read-only questions about system, tools and messages, answered by one walk.

Messages are dicts; blocks are dicts or the SDK's model objects.
"""

from __future__ import annotations

from ctxengine.conversation.blocks import RESULTS, SERVER_RESULTS, THINKING, blocks_of, field_of, is_plain, markable
from ctxengine.conversation.facts import (
    AT_END,
    MESSAGES,
    SYSTEM,
    TOOLS,
    CompactionBlock,
    Conversation,
    Mark,
    Position,
    in_messages,
    in_system,
    in_tools,
)
from ctxengine.conversation.head import Head, last_tool, scan_head, tool_definitions
from ctxengine.conversation.looking_back import last_markable, positions_between, previous_tail
from ctxengine.conversation.scanner import Scanner

__all__ = [
    "AT_END",
    "MESSAGES",
    "RESULTS",
    "SERVER_RESULTS",
    "SYSTEM",
    "THINKING",
    "TOOLS",
    "CompactionBlock",
    "Conversation",
    "Head",
    "Mark",
    "Position",
    "Scanner",
    "blocks_of",
    "field_of",
    "in_messages",
    "in_system",
    "in_tools",
    "is_plain",
    "last_markable",
    "last_tool",
    "markable",
    "positions_between",
    "previous_tail",
    "scan_head",
    "tool_definitions",
]
