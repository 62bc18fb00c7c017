"""Tokens of single blocks: the calibrated counter's estimate, with the common shapes worked out without calling it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctxengine.catalog.facts import ModelFact, TokenizerFact
from ctxengine.tokens import CalibratedCounter, Size, measure
from ctxengine.tokens.measure import PROSE, STRUCTURE

MANY = 1_000_000
"""Units whose estimate gives the weight of one."""


class BlockSizes:
    """Whole tokens of a value for one model, each rounded by itself, so that sums of them are sums."""

    def __init__(self, tokenizers: Mapping[str, TokenizerFact], model: ModelFact | None) -> None:
        self.counter = CalibratedCounter(tokenizers)
        self.model = model
        self._text, self._code, self._call = (
            self.counter.estimate(size, model).tokens / MANY
            for size in (Size(text=MANY), Size(code=MANY), Size(calls=MANY))
        )

    @property
    def frame(self) -> int:
        """A compaction block's tokens beyond its text."""
        return self.counter.estimate(Size(summaries=1), self.model).tokens

    def of(self, value: Any) -> int:
        """Any JSON value."""
        return self.counter.estimate(measure(value), self.model).tokens

    def of_block(self, block: Mapping[str, Any], kind: str) -> int:
        """A content block of that type."""
        if kind == "tool_result":
            body = block.get("content")
            if type(body) is str and body.isascii():
                return round(self._call + self._code * len(body))
        elif kind == "tool_use":
            given = block.get("input")
            if type(given) is dict and type(block["name"]) is str:
                characters = len(block["name"])
                for key, value in given.items():
                    if type(value) is not str or not value.isascii():
                        return self.of(block)
                    characters += STRUCTURE + len(key) + len(value)
                return round(self._call + self._code * characters)
        elif kind in PROSE:
            body = block.get(kind)
            if type(body) is str and body and body.isascii():
                return round(self._text * len(body))
        return self.of(block)
