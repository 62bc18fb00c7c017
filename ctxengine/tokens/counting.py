"""From sizes to tokens: weights per tokenizer with an error band, and what the API billed where that is known."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter, mul
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from ctxengine.catalog.facts import ModelFact, TokenizerFact
from ctxengine.tokens.measure import measure, measure_messages
from ctxengine.tokens.size import SIZE_FIELDS, Size

T = TypeVar("T")

UNSEEN_MODEL = 1.25
"""How much wider the band is for a model whose tokenizer is not known."""
RECENT = 100
"""How many messages back the record goes that corrects an estimate: it bounds the work, and what is near is alike."""
PIXELS = "pixels"
"""Weighed apart, as there is a most that one image comes to; always a guess."""
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


class CalibratedCounter:
    """Estimates from sizes alone, with the weights fitted for each tokenizer.

    Args:
        tokenizers: the catalog's rows. A model without one counts with that of the smallest tokens, in a wider band.
    """

    def __init__(self, tokenizers: Mapping[str, TokenizerFact]) -> None:
        self._scales = {name: _scale(row, 1.0) for name, row in tokenizers.items()}
        smallest = max(tokenizers.values(), key=lambda row: row.weights.get("text", 0.0))
        self._unseen = _scale(smallest, UNSEEN_MODEL)

    def count(self, system: object, tools: object, messages: Sequence[Any], model: ModelFact | None) -> Estimate:
        return self.estimate(measure(system) + measure(tools) + measure_messages(messages), model)

    def estimate(self, size: Size, model: ModelFact | None) -> Estimate:
        """The tokens of a size. Sum sizes first and estimate once: the first tool brings its own instructions."""
        scale = self._scale_of(model)
        fitted, rough = scale.weigh(size)
        return Estimate(
            tokens=round(fitted + rough),
            low=max(0, int(fitted * scale.low + rough / 2 - scale.slack)),
            high=scale.most(fitted, rough),
            source="estimated",
        )

    def first_reaching(self, parts: Iterable[tuple[T, object]], tokens: int, model: ModelFact | None) -> T | None:
        """The name of the first part with which all parts so far may have so many tokens, by the upper end of the band.

        ``parts`` are pairs of name and content, read no further than needed; ``None`` where the sum is surely below.
        """
        scale, size = self._scale_of(model), Size()
        for name, part in parts:
            size += measure(part)
            if scale.most(*scale.weigh(size)) >= tokens:
                return name
        return None

    def _scale_of(self, model: ModelFact | None) -> _Scale:
        return self._scales.get(model.tokenizer or "", self._unseen) if model else self._unseen


class _Scale(NamedTuple):
    """A tokenizer's row, laid out for multiplying with the amounts of a size."""

    fitted: tuple[float, ...]
    rough: tuple[float, ...]
    tool_system: float
    pixel: float
    image_most: float
    low: float
    high: float
    slack: int

    def weigh(self, size: Size) -> tuple[float, float]:
        """Tokens of the classes that were fitted, and of those that are a guess."""
        amounts = _amounts(size)
        fitted = sum(map(mul, self.fitted, amounts)) + (self.tool_system if size.tools else 0.0)
        rough = sum(map(mul, self.rough, amounts))
        if size.images:
            rough += min(size.pixels * self.pixel, size.images * self.image_most)
        return fitted, rough

    def most(self, fitted: float, rough: float) -> int:
        return int(fitted * self.high + rough * 2 + self.slack) + 1


_amounts = attrgetter(*SIZE_FIELDS)


def _scale(row: TokenizerFact, wider: float) -> _Scale:
    weights = {name: row.weights.get(name, 0.0) for name in SIZE_FIELDS if name != PIXELS}
    return _Scale(
        tuple(0.0 if name in row.rough else weights.get(name, 0.0) for name in SIZE_FIELDS),
        tuple(weights.get(name, 0.0) if name in row.rough else 0.0 for name in SIZE_FIELDS),
        row.weights.get("tool_system", 0.0),
        row.weights.get(PIXELS, 0.0),
        row.image_most,
        row.low / wider,
        row.high * wider,
        row.slack,
    )


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
