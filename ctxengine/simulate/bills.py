"""What the record says of sizes and cost: the bills of the responses, where it has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ctxengine.catalog import Catalog
from ctxengine.catalog.facts import ModelFact, Price, Ttl
from ctxengine.semantics.cache import CacheUse
from ctxengine.target import Target
from ctxengine.transcripts import Recorded, is_count

WRITTEN = "cache_creation_input_tokens"
BILLED = ("input_tokens", WRITTEN, "cache_read_input_tokens")
CORRECTION = (0.5, 2.0)
"""Bills correct an estimate by no more than this: beyond it, they are of something else."""


class Fit(NamedTuple):
    """How estimates become what was billed."""

    hidden: int = 0
    """Tokens in front of the messages that the recording does not show, such as a log's missing system prompt."""
    factor: float = 1.0
    bills: int = 0
    """Bills it rests on; 0 is an estimate alone."""


def billed_tokens(entry: Recorded, target: Target, catalog: Catalog) -> int:
    """Input tokens of one bill; 0 where there is none, or another tokenizer counted."""
    facts = catalog.find_model(entry.model).facts if entry.model else target.facts
    if facts is None or target.facts is None or facts.tokenizer != target.facts.tokenizer:
        return 0
    return sum(_count(entry.usage.get(name)) for name in BILLED)


def fit(known: Sequence[tuple[int, int]], head: int) -> Fit:
    """From pairs of estimated tokens of the messages and billed tokens of the whole prompt.

    The slope between the first bill and the largest is the factor; what is then left of the first is hidden.
    """
    if not known:
        return Fit()
    first_size, first_bill = known[0]
    most_size, most_bill = max(known, key=lambda pair: pair[1])
    factor = 1.0
    if most_size > first_size and most_bill > first_bill:
        least, most = CORRECTION
        factor = min(max((most_bill - first_bill) / (most_size - first_size), least), most)
    return Fit(max(0, round(first_bill - head - factor * first_size)), factor, len(known))


def price_of(facts: ModelFact | None, prompt_tokens: int) -> Price | None:
    """The row for a prompt of that size, cache tokens included; the rate holds for every token of the request."""
    for price in facts.prices if facts else ():
        if price.up_to is None or prompt_tokens <= price.up_to:
            return price
    return None


def dollars(price: Price | None, use: CacheUse, output_tokens: int) -> float | None:
    """What one iteration costs."""
    if price is None:
        return None
    return (
        use.uncached * price.input
        + use.read * price.cache_read
        + use.write_5m * price.cache_write_5m
        + use.write_1h * price.cache_write_1h
        + output_tokens * price.output
    ) / 1e6


def recorded_dollars(recorded: Sequence[Recorded], target: Target, catalog: Catalog) -> float | None:
    """What recorded responses cost, each at its own model's price; ``None`` where one is unknown."""
    costs = [_dollars(entry, target, catalog) for entry in recorded]
    return None if None in costs else sum(cost for cost in costs if cost is not None)


def recorded_ttl(recorded: Sequence[Recorded]) -> Ttl | None:
    """How long the record's cache writes lived; ``None`` where nothing was written."""
    long = sum(_long_write(entry) for entry in recorded)
    written = sum(_count(entry.usage.get(WRITTEN)) for entry in recorded)
    return None if not written else "1h" if long > written / 2 else "5m"


def _dollars(entry: Recorded, target: Target, catalog: Catalog) -> float | None:
    facts = catalog.find_model(entry.model).facts if entry.model else target.facts
    uncached, written, read = (_count(entry.usage.get(name)) for name in BILLED)
    long = _long_write(entry)
    use = CacheUse(read, max(written - long, 0), long, uncached)
    if not use.total:
        return None  # no request is free: the bill is missing, or is none
    return dollars(price_of(facts, use.total), use, _count(entry.usage.get("output_tokens")))


def _long_write(entry: Recorded) -> int:
    split = entry.usage.get("cache_creation")
    return _count(split.get("ephemeral_1h_input_tokens")) if isinstance(split, dict) else 0


def _count(value: Any) -> int:
    return counted(value) or 0


def counted(value: Any) -> int | None:
    """A recorded number of tokens, ``None`` where there is none."""
    return value if is_count(value) else None
