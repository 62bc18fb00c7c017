"""The turns of a recorded conversation: when each request was sent, and what came back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ctxengine.simulate.bills import counted
from ctxengine.transcripts import Transcript
from ctxengine.transcripts.records import seconds_of


@dataclass(frozen=True, slots=True)
class Turn:
    """One request of the recorded conversation, and what came back."""

    messages: int
    """How many messages were sent; the answer is the next."""
    seconds: float
    """When, on the recording's own clock from its first turn."""
    output_tokens: int
    thinking: str = ""
    """What the record tells of the request's ``thinking``; where it differs, cached messages are not shared."""


def turns_of(transcript: Transcript, sums: Sequence[int], gap: float) -> list[Turn]:
    """The turns; times that run backwards count as the same moment.

    Args:
        sums: tokens of all messages before each message, and after the last one.
        gap: seconds between two requests where the recording has no times.
    """
    recorded = {entry.messages: entry for entry in transcript.recorded}
    turns: list[Turn] = []
    start: float | None = None
    now, thinking = 0.0, ""
    for index, message in enumerate(transcript.request["messages"]):
        if not index or message["role"] != "assistant":
            continue
        entry = recorded.get(index)
        at = seconds_of(entry) if entry else None
        if at is not None and start is None:
            start = at - (now + gap if turns else 0.0)
        told = at - start if at is not None and start is not None else now + gap if turns else 0.0
        now = max(told, now)
        billed = counted(entry.usage.get("output_tokens")) if entry else None
        thinking = entry.thinking if entry else thinking
        turns.append(Turn(index, now, sums[index + 1] - sums[index] if billed is None else billed, thinking))
    return turns
