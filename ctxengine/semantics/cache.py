"""The prompt cache as arithmetic: what a request reads, what it writes and for how long, and what is uncached.

A prompt is a row of blocks in the order tools, system, messages; each knows the id of the prefix that ends with it, the
tokens up to its end and its place in the look-back. Prefixes are stored at marks alone; a mark reads the longest stored
prefix within its look-back. Nothing here knows what a block holds: ``cache_prompt`` reads requests into prompts, and a
simulation grows its own from sizes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from ctxengine.catalog.facts import Ttl
from ctxengine.semantics.cache_rules import CacheRules

LIFE: Mapping[Ttl, float] = {"5m": 300.0, "1h": 3600.0}
"""Seconds that a prefix stays without being read."""
SWEEP = 1000
"""Entries added before those that have expired are thrown out."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Three parallel rows, one entry a block. They may go on beyond what is sent: only what marks reach is read."""

    ids: Sequence[Hashable]
    """Id of everything up to and including the block; marks leave it as it is."""
    tokens: Sequence[int]
    """Tokens of everything up to and including the block."""
    places: Sequence[int]
    """Place in the look-back, growing from left to right; the blocks of a collapsed run share one."""
    system_at: int = 0
    """The first block of the system prompt."""
    messages_at: int = 0
    """The first block of the messages."""

    @classmethod
    def of(
        cls,
        contents: Iterable[Hashable],
        sizes: Iterable[int],
        places: Sequence[int] | None = None,
        *,
        system_at: int = 0,
        messages_at: int = 0,
    ) -> Prompt:
        """A prompt from the identity and the tokens of each block; without ``places`` every block has its own."""
        ids, tokens = list(_chained("", contents)), list(accumulate(sizes))
        return cls(ids, tokens, range(len(ids)) if places is None else places, system_at, messages_at)


def _chained(prefix: Hashable, contents: Iterable[Hashable]) -> Iterator[Hashable]:
    for content in contents:
        prefix = hash((prefix, content))
        yield prefix


Scope = tuple[int, int, int]
"""Digests of what tools, system prompt and messages are stored under: whole numbers, which cost nothing to look up."""


class Mark(NamedTuple):
    """A cache mark on a block of a prompt."""

    block: int
    ttl: Ttl


class CacheRequest(NamedTuple):
    """A request as the cache sees it."""

    prompt: Prompt
    marks: Sequence[Mark]
    """In prompt order."""
    total: int
    """Input tokens of the whole request."""
    scope: Scope = (0, 0, 0)
    """Who can read the tools, the system prompt and the messages: key, model and the parameters that count."""


Entry = tuple[float, Ttl]
"""When a stored prefix expires; a read lets it live on for the ttl it was written with."""
Table = Mapping[Hashable, Entry]
"""Stored prefixes of one scope."""
NONE: Table = {}
Kept = tuple[int, Hashable, Entry]
"""Scope, prefix and entry."""


class CacheUse(NamedTuple):
    """What one request does with the cache, in input tokens; the four add up to the request's total."""

    read: int
    write_5m: int
    write_1h: int
    uncached: int
    refreshed: tuple[Kept, ...] = ()
    """Stored prefixes that live on."""
    stored: tuple[Kept, ...] = ()
    """Those that are new."""

    @property
    def written(self) -> int:
        return self.write_5m + self.write_1h

    @property
    def total(self) -> int:
        return self.read + self.write_5m + self.write_1h + self.uncached


class PromptCache:
    """The prefixes that are stored. ``use`` looks, ``keep`` remembers; times are seconds on the caller's clock."""

    def __init__(self) -> None:
        self._scopes: defaultdict[int, dict[Hashable, Entry]] = defaultdict(dict)
        self._added = 0

    def __len__(self) -> int:
        return sum(map(len, self._scopes.values()))

    def use(self, asked: CacheRequest, rules: CacheRules, now: float) -> CacheUse:
        """What a request reads and would write; changes nothing."""
        prompt, marks, total, scope = asked
        ids, tokens, system_at, messages_at = prompt.ids, prompt.tokens, prompt.system_at, prompt.messages_at
        tables = [self._scopes.get(each, NONE) for each in scope]
        hit = _longest_read(asked, tables, rules.lookback, now)
        read = long = short = tokens[hit] if hit >= 0 else 0
        refreshed: list[Kept] = []
        stored: list[Kept] = []
        if hit >= 0 and hit not in [mark.block for mark in marks]:
            marks = [*marks, Mark(hit, "5m")]
        for block, ttl in marks:
            size = tokens[block]
            if size < rules.minimum:
                continue
            if block > hit:
                short = size
                if ttl == "1h":
                    long = size
            section = (block >= system_at) + (block >= messages_at)
            prefix = ids[block]
            known = tables[section].get(prefix)
            if known is not None and known[0] > now:
                refreshed.append((scope[section], prefix, (now + LIFE[known[1]], known[1])))
            elif block > hit or rules.stores_inside_reads:
                stored.append((scope[section], prefix, (now + LIFE[ttl], ttl)))
        return CacheUse(read, short - long, long - read, total - short, tuple(refreshed), tuple(stored))

    def keep(self, use: CacheUse, now: float, *, readable: bool = True) -> None:
        """Remember what a request did; what is not ``readable``, as of a refused one, is billed and lost."""
        for scope, prefix, entry in use.refreshed + use.stored if readable else use.refreshed:
            self._scopes[scope][prefix] = entry
        self._added += len(use.stored)
        if self._added > SWEEP:
            self._sweep(now)

    def take(self, asked: CacheRequest, rules: CacheRules, now: float) -> CacheUse:
        """``use`` and ``keep`` in one."""
        use = self.use(asked, rules, now)
        self.keep(use, now)
        return use

    def _sweep(self, now: float) -> None:
        """Throw out what has expired."""
        live = {
            scope: {prefix: entry for prefix, entry in table.items() if entry[0] > now}
            for scope, table in self._scopes.items()
        }
        self._scopes = defaultdict(dict, {scope: table for scope, table in live.items() if table})
        self._added = -len(self)


def _longest_read(asked: CacheRequest, tables: Sequence[Table], lookback: int, now: float) -> int:
    """The last block of the longest stored prefix that a mark reaches; -1 where there is none."""
    prompt = asked.prompt
    ids, places, system_at, messages_at = prompt.ids, prompt.places, prompt.system_at, prompt.messages_at
    block = len(ids) - 1
    for mark, _ in reversed(asked.marks):
        if mark < block:
            block = mark
        last_place = places[mark] - lookback
        while block >= 0 and places[block] > last_place:
            entry = tables[(block >= system_at) + (block >= messages_at)].get(ids[block])
            if entry is not None and entry[0] > now:
                return block
            block -= 1
    return -1
