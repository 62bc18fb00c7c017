"""The cache model against what was billed: session logs request by request, and recorded requests.

Run ``python -m benchmarks.fidelity.cache_bills [FOLDER]``; the data lies outside the repository (``CTXENGINE_CORPUS``).

A log holds no system prompt and no tools, and its client sends requests that it does not log. So the token counts of
every prefix are taken from the bills themselves; what is predicted is which of them a request reads. The clients of
these logs mark the end of the system prompt and the end of the conversation. The head's size is what the first request
read of it; where it read nothing, the head is taken to have no mark of its own.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchmarks.fidelity.cache_recordings import print_recordings, rules_of
from benchmarks.token_pairs import corpus
from ctxengine.catalog.facts import Ttl
from ctxengine.conversation import blocks_of, field_of
from ctxengine.semantics import switches_of
from ctxengine.semantics.cache import CacheRequest, CacheUse, Mark, Prompt, PromptCache
from ctxengine.semantics.cache_prompt import RUNS, apart
from ctxengine.transcripts import Transcript, read_transcripts
from ctxengine.transcripts.transcript import Recorded

SWITCHES = switches_of()
MISS = 0.9
"""A request whose read is below this share of what the one before it left is a miss."""
SLACK = 10
"""Tokens by which what is read may be more than what was left, for what stands behind the last mark."""


@dataclass(frozen=True)
class Pair:
    """A request after another of the same log: what was predicted, and what was billed."""

    log: str
    messages: int
    seconds: float
    left: int
    """Tokens the request before had left in the cache."""
    predicted: CacheUse
    read: int
    written: int
    uncached: int
    total_before: int

    @property
    def reason(self) -> str:
        """Why the bill is what it is: in the model's terms, or by something the log does not show."""
        predicted_hit, hit = self.predicted.read >= MISS * self.left, self.read >= MISS * self.left
        more = self.read > self.left + SLACK
        if predicted_hit and hit:
            shorter = self.read < self.left - SLACK
            return "hit, and an unseen request wrote more" if more else "hit, but for the end" if shorter else "hit"
        if hit:
            return "miss predicted: an unseen request kept it alive" if more else "miss predicted: lived beyond its ttl"
        if not predicted_hit:
            return "miss: expired, another model, or other thinking"
        if self.read + self.written + self.uncached < self.total_before:
            return "hit predicted: the history was cut unseen"
        return f"hit predicted: {'only the head was' if self.read else 'nothing was'} read within the ttl"

    @property
    def agrees(self) -> bool:
        return "predicted" not in self.reason

    @property
    def unseen(self) -> bool:
        """Whether the bill shows a request, or a cut, that the log does not hold."""
        return "unseen" in self.reason


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else corpus()
    _print_sessions(sessions(folder))
    print_recordings(folder / "recordings")


def sessions(folder: Path) -> list[list[Pair]]:
    """The pairs of every context of every log; the first request of each is left out, as the log holds no head."""
    paths = sorted(path for kind in ("cc", "pi") for path in (folder / "transcripts").glob(f"{kind}_*.jsonl"))
    found = [list(replay(transcript)) for path in paths for transcript in read_transcripts(path, lenient=True)]
    return [pairs for pairs in found if pairs]


def replay(transcript: Transcript) -> Iterator[Pair]:
    """Each pair of consecutive requests of one context."""
    billed = [entry for entry in transcript.recorded if entry.timestamp and _cached(entry)]
    if not billed:
        return
    cache, head = PromptCache(), _tokens(billed[0], "cache_read_input_tokens")
    prompt, last_block = _prompt(transcript, billed, head)
    ttl = _ttl(billed[0]) or "5m"
    for index, entry in enumerate(billed):
        model, rules = rules_of(entry.model or "")
        ttl = _ttl(entry) or ttl
        marks = [Mark(0, ttl)] * bool(head) + [Mark(last_block[entry.messages], ttl)]
        scope = apart((hash(model),) * 3, "thinking", SWITCHES, entry.thinking)
        asked = CacheRequest(prompt, marks, _cached(entry) + _tokens(entry, "input_tokens"), scope)
        use = cache.take(asked, rules, _seconds(entry))
        if index:
            before = billed[index - 1]
            yield Pair(
                transcript.name,
                entry.messages,
                _seconds(entry) - _seconds(before),
                _cached(before),
                use,
                _tokens(entry, "cache_read_input_tokens"),
                _tokens(entry, "cache_creation_input_tokens"),
                _tokens(entry, "input_tokens"),
                _cached(before) + _tokens(before, "input_tokens"),
            )


def _prompt(transcript: Transcript, billed: list[Recorded], head: int) -> tuple[Prompt, dict[int, int]]:
    """The conversation's blocks behind one for the head, sized by the bills, and the last block of each prefix sent."""
    ends = {entry.messages: _cached(entry) for entry in billed}
    tokens, places, last_block, kind = [head], [0], {}, ""
    for number, message in enumerate(transcript.request["messages"], start=1):
        for block in blocks_of(message):
            before, kind = kind, str(field_of(block, "type"))
            places.append(places[-1] + (kind != before or kind not in RUNS))
            tokens.append(tokens[-1])
        if number in ends:
            tokens[-1], last_block[number] = ends[number], len(tokens) - 1
    return Prompt(range(len(tokens)), tokens, places, messages_at=1), last_block


def _tokens(entry: Recorded, name: str) -> int:
    return int(entry.usage.get(name) or 0)


def _cached(entry: Recorded) -> int:
    return _tokens(entry, "cache_read_input_tokens") + _tokens(entry, "cache_creation_input_tokens")


def _ttl(entry: Recorded) -> Ttl | None:
    """The ttl a request wrote with; ``None`` where it wrote nothing."""
    split = entry.usage.get("cache_creation") or {}
    if split.get("ephemeral_1h_input_tokens"):
        return "1h"
    return "5m" if _tokens(entry, "cache_creation_input_tokens") else None


def _seconds(entry: Recorded) -> float:
    return datetime.fromisoformat(str(entry.timestamp)).timestamp()


def _print_sessions(sessions: list[list[Pair]]) -> None:
    billed = f"{'read billed':>12} {'model':>7} {'written':>9} {'model':>8}"
    print(f"{'log':34} {'pairs':>5} {'agree':>6} {'unseen':>6} {billed}")
    for pairs in sessions:
        print(f"{Path(pairs[0].log).name[:34]:34} {_row(pairs)}")
    every = [pair for pairs in sessions for pair in pairs]
    print(f"{'all':34} {_row(every)}")
    known = [pair for pair in every if not pair.unseen]
    print(f"{'pairs explained by the log':34} {_row(known)}")
    quiet = [pairs for pairs in sessions if not any(pair.unseen for pair in pairs)]
    print(f"{f'{len(quiet)} sessions without unseen requests':34} {_row([pair for pairs in quiet for pair in pairs])}")
    sound = [pair for pairs in quiet if all(pair.agrees for pair in pairs) for pair in pairs]
    print(f"{'  of them, without disagreement':34} {_row(sound)}\n")
    for reason, count in Counter(pair.reason for pair in every).most_common():
        print(f"{count:6} {reason}")
    print("\nevery disagreement:")
    for pair in every:
        if not pair.agrees:
            place = f"{Path(pair.log).name[:34]:34} {pair.messages:4} messages, {pair.seconds:7.0f} s later"
            print(f"  {place}, left {pair.left:7,}: read {pair.read:7,}, model {pair.predicted.read:7,}: {pair.reason}")


def _row(pairs: list[Pair]) -> str:
    agree = sum(pair.agrees for pair in pairs)
    unseen = sum(pair.unseen for pair in pairs)
    read, modelled = sum(pair.read for pair in pairs), sum(pair.predicted.read for pair in pairs)
    written, model_written = sum(pair.written for pair in pairs), sum(pair.predicted.written for pair in pairs)
    return (
        f"{len(pairs):5} {agree / max(len(pairs), 1):6.1%} {unseen:6} {read:12,} {modelled / max(read, 1) - 1:+7.2%} "
        f"{written:9,} {model_written / max(written, 1) - 1:+8.2%}"
    )


if __name__ == "__main__":
    main()
