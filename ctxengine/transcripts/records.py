"""What a record says of its responses, and cannot mean: such bills and times are left aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ctxengine.findings import Finding, Place
from ctxengine.transcripts.transcript import Recorded

CLOCK = "check the recording's clock"
MOST_TOKENS = 1 << 53
"""No response was ever billed more, and beyond it floats are not exact."""
TOKENS = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


def record_flaws(recorded: Sequence[Recorded], place: Callable[[int], Place]) -> Iterator[Finding]:
    """Warnings, each at the first response that it holds for.

    Args:
        place: where the i-th message stands; a response is the message behind those that were sent.
    """
    entries = sorted(recorded, key=lambda entry: entry.messages)
    unbilled = [entry for entry in entries if all(entry.usage.get(name) is None for name in TOKENS)]
    odd = [entry for entry in entries if not counts(entry.usage)]
    timed = [(entry, seconds_of(entry)) for entry in entries if entry.timestamp is not None]
    unread = [entry for entry, seconds in timed if seconds is None]
    late, now = [], float("-inf")
    for entry, seconds in timed:
        if seconds is not None:
            late += [entry] if seconds < now else []
            now = max(now, seconds)
    for flawed, rule, message, remedy in (
        (unbilled, "transcript-usage", "responses without a bill, whose sizes are estimates", "give the usage of each"),
        (odd, "transcript-usage", "bills that no response can have had, left aside", "correct the usage"),
        (unread, "transcript-times", "times that are no ISO 8601, left aside", "correct the timestamp"),
        (late, "transcript-times", "times before that of an earlier response, taken as the same moment", CLOCK),
    ):
        if flawed:
            first = ", the first of them here" if len(flawed) > 1 else ""
            yield Finding(rule, "warning", f"{message}: {len(flawed)}{first}", remedy, place(flawed[0].messages))


def seconds_of(entry: Recorded) -> float | None:
    """When a response came, in seconds since 1970; ``None`` where the record does not say, or not in ISO 8601."""
    try:
        return datetime.fromisoformat(entry.timestamp).timestamp() if entry.timestamp else None
    except (ValueError, OverflowError):
        return None


def counts(usage: Mapping[str, Any]) -> bool:
    """Whether what a bill says of tokens are numbers of them."""
    given = [usage[name] for name in TOKENS if usage.get(name) is not None]
    return all(map(is_count, given))


def is_count(value: Any) -> bool:
    """Whether a recorded value can be a number of tokens."""
    return type(value) is int and 0 <= value <= MOST_TOKENS
