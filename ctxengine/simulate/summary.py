"""How long a compaction's summary is: a curve through the recorded ones."""

from __future__ import annotations

import math

FACTOR, EXPONENT = 17.6, 0.42
"""Fitted to recorded pairs of tokens read and written: 828 → 294, 5,000 → 700, 180,000 → 2,783 and 2,839. A recorded
51,924 → 602 lies below it: a summary is as long as its model makes it."""


def summary_tokens(read: int) -> int:
    """Tokens of the summary of a conversation of so many tokens; never longer than the conversation."""
    return min(round(FACTOR * math.pow(max(read, 1), EXPONENT)), max(read, 1))
