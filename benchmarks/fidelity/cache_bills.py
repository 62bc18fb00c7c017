"""The cache model against what was billed: session logs, request by request.

Run ``python -m benchmarks.fidelity.cache_bills [FOLDER]``; the data lies outside the repository (``CTXENGINE_CORPUS``).

A log holds no system prompt and no tools, and its client sends requests that it does not log. So the token counts of
every prefix are taken from the bills themselves; what is predicted is which of them a request reads. The clients of
these logs mark the end of the system prompt and the end of the conversation. The head's size is what the first request
read of it; where it read nothing, the head is taken to have no mark of its own. A request that reads less than
the first prompt was reads the head alone; where that is of another size than the last one that was read so, by the same
model and with the same thinking, the client has changed it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.token_pairs import corpus
from ctxengine.catalog import default_catalog
from ctxengine.catalog.facts import Price, Ttl
from ctxengine.conversation import blocks_of, field_of
from ctxengine.semantics import switches_of
from ctxengine.semantics.cache import CacheRequest, CacheUse, Mark, Prompt, PromptCache
from ctxengine.semantics.cache_prompt import RUNS, apart
from ctxengine.semantics.cache_rules import cache_rules
from ctxengine.simulate.bills import dollars, price_of
from ctxengine.target import target_of
from ctxengine.transcripts import Transcript, read_transcripts
from ctxengine.transcripts.transcript import Recorded

SWITCHES = switches_of()
MISS = 0.9
"""A request whose read is below this share of what the one before it left is a miss."""
INTERRUPTED = "[Request interrupted by user]"
"""What stands in a log in place of an answer that the user did not wait for; it has no bill."""
SLACK = 10
"""Tokens by which what is read may be more than what was left, for what stands behind the last mark."""


class Reason(NamedTuple):
    """Why a bill is what it is."""

    words: str
    agrees: bool = True
    """Whether hit or miss is as predicted."""
    unseen: bool = False
    """Whether the bill shows a request, a cut or a change that the log does not hold."""


HIT = Reason("hit")
HIT_AND_MORE = Reason("hit, and an unseen request wrote more", unseen=True)
HIT_BUT_END = Reason("hit, but for the end")
MISSED = Reason("miss: expired, another model, or other thinking")
KEPT_ALIVE = Reason("miss predicted: an unseen request kept it alive", agrees=False, unseen=True)
LIVED_ON = Reason("miss predicted: lived beyond its ttl", agrees=False)
CUT = Reason("hit predicted: the history was cut unseen", agrees=False, unseen=True)
OTHER_HEAD = Reason("hit predicted: tools or system prompt changed unseen", agrees=False)
ONLY_HEAD = Reason("hit predicted: only the head was read within the ttl", agrees=False)
NO_READ = Reason("hit predicted: nothing was read within the ttl", agrees=False)


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
    interrupted: bool
    """Whether a request in between was interrupted."""
    other_head: bool
    """Whether it read the head alone, and at another size than the last time."""
    price: Price | None
    ttl: Ttl

    @property
    def billed(self) -> CacheUse:
        long = self.written if self.ttl == "1h" else 0
        return CacheUse(self.read, self.written - long, long, self.uncached)

    @property
    def reason(self) -> Reason:
        """Why the bill is what it is: in the model's terms, or by something the log does not show."""
        predicted_hit, hit = self.predicted.read >= MISS * self.left, self.read >= MISS * self.left
        more = self.read > self.left + SLACK
        if predicted_hit and hit:
            return HIT_AND_MORE if more else HIT_BUT_END if self.read < self.left - SLACK else HIT
        if hit:
            return KEPT_ALIVE if more else LIVED_ON
        if not predicted_hit:
            return MISSED
        if self.read + self.written + self.uncached < self.total_before:
            return CUT
        if not self.read:
            return NO_READ
        return OTHER_HEAD if self.other_head else ONLY_HEAD

    @property
    def agrees(self) -> bool:
        return self.reason.agrees

    @property
    def unseen(self) -> bool:
        """Whether the log lacks the bill of a request in between, a cut, or a change of the head."""
        return self.reason.unseen or self.interrupted or self.other_head


@dataclass(frozen=True)
class Sums:
    """Pairs added up, billed and predicted."""

    pairs: int
    agree: float
    """Share of the pairs that agree in hit or miss."""
    read: int
    written: int
    more_read: float
    """Tokens predicted over tokens billed, less one."""
    more_written: float
    dearer: float
    """The same of what all prompts cost."""
    otherwise: float
    """Share of the input tokens that were read, written or neither, and predicted to be another of the three."""

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> Sums:
        read, written = sum(pair.read for pair in pairs), sum(pair.written for pair in pairs)
        billed = sum(dollars(pair.price, pair.billed, 0) or 0.0 for pair in pairs)
        predicted = sum(dollars(pair.price, pair.predicted, 0) or 0.0 for pair in pairs)
        otherwise = sum(_apart(pair.billed, pair.predicted) for pair in pairs)
        return cls(
            len(pairs),
            sum(pair.agrees for pair in pairs) / max(len(pairs), 1),
            read,
            written,
            sum(pair.predicted.read for pair in pairs) / max(read, 1) - 1,
            sum(pair.predicted.written for pair in pairs) / max(written, 1) - 1,
            predicted / billed - 1 if billed else 0.0,
            otherwise / max(sum(pair.billed.total for pair in pairs), 1),
        )


class Group(NamedTuple):
    """Pairs that are told together."""

    name: str
    pairs: list[Pair]
    chosen: bool = False
    """For how they agree, which says nothing then."""


def groups(found: Sequence[Sequence[Pair]]) -> Iterator[Group]:
    """The sessions together, by what their logs show."""
    every = list(chain(*found))
    whole = [pairs for pairs in found if not any(pair.reason.unseen or pair.interrupted for pair in pairs)]
    same = [pairs for pairs in whole if not any(pair.other_head for pair in pairs)]
    seen = list(chain(*same))
    rest = [pair for pair in seen if pair.reason is not ONLY_HEAD]
    yield Group(f"all of {len(found)} sessions", every)
    yield Group("explained by the log", [pair for pair in every if not pair.unseen])
    yield Group(f"{len(whole)} sessions without unseen requests or cuts", list(chain(*whole)))
    yield Group(f"{len(same)} of these whose head stays the same", seen)
    only_head = f"the same, without {len(seen) - len(rest)} requests that read only the head within the ttl"
    yield Group(only_head, rest, chosen=True)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else corpus()
    _print_sessions(sessions(folder))


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
    heads: dict[tuple[str | None, str], int] = {}
    """Size of the head that was last read alone, by model and thinking."""
    prompt, last_block = _prompt(transcript, billed, head)
    ttl = _ttl(billed[0]) or "5m"
    for index, entry in enumerate(billed):
        target = target_of(default_catalog(), model=entry.model or "")
        model, rules = target.model, cache_rules(default_catalog(), target, SWITCHES)
        ttl = _ttl(entry) or ttl
        marks = [Mark(0, ttl)] * bool(head) + [Mark(last_block[entry.messages], ttl)]
        scope = apart((hash(model),) * 3, {"thinking": entry.thinking}, SWITCHES)
        asked = CacheRequest(prompt, marks, _cached(entry) + _tokens(entry, "input_tokens"), scope)
        use = cache.take(asked, rules, _seconds(entry))
        if index:
            before, read = billed[index - 1], _tokens(entry, "cache_read_input_tokens")
            head_alone = 0 < read < min(MISS * _cached(before), _cached(billed[0]))
            kind = entry.model, entry.thinking
            yield Pair(
                log=transcript.name,
                messages=entry.messages,
                seconds=_seconds(entry) - _seconds(before),
                left=_cached(before),
                predicted=use,
                read=read,
                written=_tokens(entry, "cache_creation_input_tokens"),
                uncached=_tokens(entry, "input_tokens"),
                total_before=_cached(before) + _tokens(before, "input_tokens"),
                interrupted=_interrupted(transcript.request["messages"][before.messages : entry.messages]),
                other_head=head_alone and heads.get(kind, read) != read,
                price=price_of(default_catalog().find_model(entry.model or "").facts, _cached(entry)),
                ttl=ttl,
            )
            if head_alone:
                heads[kind] = read


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


def _interrupted(messages: Sequence[Mapping[str, Any]]) -> bool:
    blocks = (block for message in messages for block in blocks_of(message))
    return any(field_of(block, "text") == INTERRUPTED for block in blocks)


def _tokens(entry: Recorded, name: str) -> int:
    return int(entry.usage.get(name) or 0)


def _cached(entry: Recorded) -> int:
    return _tokens(entry, "cache_read_input_tokens") + _tokens(entry, "cache_creation_input_tokens")


def _apart(one: CacheUse, other: CacheUse) -> float:
    """Tokens that two uses of one prompt differ in."""
    return (abs(one.read - other.read) + abs(one.written - other.written) + abs(one.uncached - other.uncached)) / 2


def _ttl(entry: Recorded) -> Ttl | None:
    """The ttl a request wrote with; ``None`` where it wrote nothing."""
    split = entry.usage.get("cache_creation") or {}
    if split.get("ephemeral_1h_input_tokens"):
        return "1h"
    return "5m" if _tokens(entry, "cache_creation_input_tokens") else None


def _seconds(entry: Recorded) -> float:
    return datetime.fromisoformat(str(entry.timestamp)).timestamp()


def _print_sessions(found: list[list[Pair]]) -> None:
    heads = f"{'read billed':>12} {'model':>7} {'written':>9} {'model':>8} {'cost':>7} {'otherwise':>9}"
    print(f"{'':60} {'pairs':>5} {'agree':>6} {heads}")
    by_log = [Group(Path(pairs[0].log).name, pairs) for pairs in found]
    for name, pairs, _ in (*by_log, *groups(found)):
        sums = Sums.of(pairs)
        read, written = f"{sums.read:12,} {sums.more_read:+7.2%}", f"{sums.written:9,} {sums.more_written:+8.2%}"
        whole = f"{sums.dearer:+7.2%} {sums.otherwise:9.2%}"
        print(f"{name[:60]:60} {sums.pairs:5} {sums.agree:6.1%} {read} {written} {whole}")
    every = list(chain(*found))
    print()
    for reason, count in Counter(pair.reason for pair in every).most_common():
        print(f"{count:6} {reason.words}")
    print("\nevery disagreement:")
    for pair in every:
        if not pair.agrees:
            place = f"{Path(pair.log).name[:34]:34} {pair.messages:4} messages, {pair.seconds:7.0f} s later"
            told = f"left {pair.left:7,}: read {pair.read:7,}, model {pair.predicted.read:7,}: {pair.reason.words}"
            print(f"  {place}, {told}")


if __name__ == "__main__":
    main()
