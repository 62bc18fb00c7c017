"""From sizes to tokens: weights per tokenizer with an error band, and what the API billed where that is known."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal, Protocol, TypeVar

from ctxengine.catalog.facts import ModelFact, TokenizerFact
from ctxengine.tokens.measure import measure, measure_messages
from ctxengine.tokens.size import SIZE_FIELDS, Size

T = TypeVar("T")

UNSEEN_MODEL = 1.25
"""How much wider the band is for a model whose tokenizer is not known."""
RECENT = 100
"""How many messages back the record goes that corrects an estimate: it bounds the work, and what is near is alike."""
CORRECTION = (0.5, 2.0)
"""Billed usage corrects an estimate by no more than this: beyond it, the record is of something else."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number of input tokens and the band it lies in; ``low == tokens == high`` where it is exact."""

    tokens: int
    low: int
    high: int
    source: Literal["recorded", "counted", "estimated"]


class TokenCounter(Protocol):
    """Whatever can tell how many input tokens a request has."""

    def count(self, system: object, tools: object, messages: Sequence[Any], model: ModelFact | None) -> Estimate: ...


@dataclass(frozen=True, slots=True)
class CalibratedCounter:
    """Estimates from sizes alone, with the weights fitted for each tokenizer.

    ``tokenizers`` are the catalog's rows. A model without one counts with that of the smallest tokens, in a wider band.
    """

    tokenizers: Mapping[str, TokenizerFact]

    def count(self, system: object, tools: object, messages: Sequence[Any], model: ModelFact | None) -> Estimate:
        return self.estimate(measure(system) + measure(tools) + measure_messages(messages), model)

    def estimate(self, size: Size, model: ModelFact | None) -> Estimate:
        """The tokens of a size. Sum sizes first and estimate once: the first tool brings its own instructions."""
        row = self.tokenizers.get(model.tokenizer or "") if model else None
        wider = 1.0 if row else UNSEEN_MODEL
        row = row or max(self.tokenizers.values(), key=lambda each: each.weights.get("text", 0.0))
        rough = sum(_tokens(row, name, size) for name in row.rough)
        fitted = sum(_tokens(row, name, size) for name in SIZE_FIELDS if name not in row.rough)
        fitted += row.weights.get("tool_system", 0.0) if size.tools else 0.0
        return Estimate(
            tokens=round(fitted + rough),
            low=max(0, int(fitted * row.low / wider + rough / 2 - row.slack)),
            high=int(fitted * row.high * wider + rough * 2 + row.slack) + 1,
            source="estimated",
        )

    def first_reaching(self, parts: Iterable[tuple[T, object]], tokens: int, model: ModelFact | None) -> T | None:
        """The name of the first part with which all parts so far may have so many tokens, by the upper end of the band.

        ``parts`` are pairs of name and content, read no further than needed; ``None`` where the sum is surely below.
        """
        size = Size()
        for name, part in parts:
            size += measure(part)
            if self.estimate(size, model).high >= tokens:
                return name
        return None


class RecordedCounter:
    """Exact where the API billed the very same prefix; what follows is estimated and corrected by what is on record.

    ``known`` holds pairs of messages sent and input tokens billed, cache reads and writes included, for the same
    system prompt and tools and without edits having been applied.
    """

    def __init__(self, base: CalibratedCounter, known: Sequence[tuple[int, int]]) -> None:
        self.base = base
        self.known = tuple(sorted(known))

    def count(self, system: object, tools: object, messages: Sequence[Any], model: ModelFact | None) -> Estimate:
        at = bisect_right(self.known, len(messages), key=itemgetter(0))
        if not at:
            return self.base.count(system, tools, messages, model)
        sent, billed = self.known[at - 1]
        if sent == len(messages):
            return Estimate(billed, billed, billed, "recorded")
        more = self.base.estimate(measure_messages(messages, sent), model)
        factor = self._correction(at, system, tools, messages, model)
        low, tokens, high = (billed + round(factor * part) for part in (more.low, more.tokens, more.high))
        return Estimate(tokens, low, high, "estimated")

    def _correction(
        self, at: int, system: object, tools: object, messages: Sequence[Any], model: ModelFact | None
    ) -> float:
        """Billed over estimated between two records, so that what both hide cancels out; else of the only one."""
        last, most = self.known[at - 1]
        first, least = self.known[min(bisect_left(self.known, last - RECENT, key=itemgetter(0)), max(at - 2, 0))]
        if first < last and least < most:
            guess = self.base.estimate(measure_messages(messages[first:last]), model).tokens
            billed = most - least
        else:
            guess = self.base.count(system, tools, messages[:last], model).tokens
            billed = most
        least_factor, most_factor = CORRECTION
        return min(max(billed / max(guess, 1), least_factor), most_factor)


def _tokens(row: TokenizerFact, name: str, size: Size) -> float:
    amount: float = row.weights.get(name, 0.0) * getattr(size, name)
    return min(amount, size.images * row.image_most) if name == "pixels" else amount
