"""How long a compaction's summary is: a curve through the recorded ones."""

from __future__ import annotations

import math

SCALE, POWER = 26.6, 0.347
"""Fitted to recorded summaries of 828 to 169,000 tokens of conversation: least squares in logarithms."""
SHORTEST, LONGEST = 81, 2839
"""The recorded summaries lie between these, in tokens."""


def summary_tokens(read: int) -> int:
    """Tokens of the summary of so many tokens of conversation."""
    return max(SHORTEST, min(LONGEST, int(SCALE * math.pow(max(read, 1), POWER))))
