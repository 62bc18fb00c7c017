"""Fits the token weights in the catalog to what the API billed, and measures their error on data held out.

    python -m benchmarks.calibrate_tokens            prints the fit and its errors
    python -m benchmarks.calibrate_tokens --write    also writes them: tokenizers.json and the tables in the docs

Needs numpy, scipy and the recordings (see token_pairs.corpus).
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
from scipy.optimize import least_squares

from benchmarks.token_pairs import LOG_WITH_REMINDERS, Pair, billed, corpus, logs, pairs
from benchmarks.token_tables import DOCS, TOKENIZERS, with_tables
from ctxengine.catalog import TokenizerFact, default_catalog
from ctxengine.catalog.rows import plain
from ctxengine.tokens import CalibratedCounter, Estimate, RecordedCounter

Weights = Mapping[str, float]
Fitting = Callable[[Sequence[Pair]], Weights]
Guess = tuple[str, Estimate, int]
"""Kind of data, what was estimated, what was billed."""

CONTENT = {"text": 0.25, "code": 0.35, "wide": 1.0, "calls": 20.0}
REQUEST = {"messages": 4.0, "tools": 40.0, "tool_system": 350.0}
GUESSED = {"opaque": 0.2, "pixels": 1 / 750, "pages": 3000.0, "summaries": 92.0, "memory_tools": 1560.0}
"""Of the last two a handful of recordings on one model say how many tokens they come to."""
IMAGE_MOST = {"2024": 1600.0, "2026": 4800.0}
SLACK = 40
FOLDS = 5
LARGE = 500
"""Billed tokens from which a pair says something about the band; below it the slack decides."""
UNTESTED = 1.1
"""The band of a generation with short recordings alone: its neighbour's, and so much wider."""
AHEAD = 10


def solve(known: list[list[float]], tokens: list[int], start: list[float]) -> list[float]:
    """Non-negative weights with the least soft-L1 relative error: what is hidden in some data pulls little."""
    matrix, target, scale = np.array(known) * start, np.array(tokens), np.array(start)

    def residuals(factors: Any) -> Any:
        return (matrix @ factors - target) / (target + SLACK)

    found = least_squares(residuals, np.ones(len(start)), loss="soft_l1", f_scale=0.1, bounds=(0, np.inf))
    return [float(weight) for weight in found.x * scale]


def amounts(pair: Pair, names: Mapping[str, float]) -> list[float]:
    return [float(pair.size.tools > 0) if name == "tool_system" else float(getattr(pair.size, name)) for name in names]


def fit_2024(data: Sequence[Pair]) -> Weights:
    """All weights at once; what a log does not show is a constant of its own, which is thrown away."""
    start = {**CONTENT, **REQUEST}
    known = [[*amounts(pair, start), float(pair.kind == LOG_WITH_REMINDERS)] for pair in data]
    *weights, _hidden = solve(known, [pair.tokens for pair in data], [*start.values(), 20.0])
    return dict(zip(start, weights, strict=True))


def fit_2026(data: Sequence[Pair], older: Weights) -> Weights:
    """One factor on the older weights of content, as all recordings are short; the costs of a request are its own."""
    per_unit = [older[name] for name in CONTENT]
    known = [[float(np.dot(amounts(pair, CONTENT), per_unit)), *amounts(pair, REQUEST)] for pair in data]
    factor, *rest = solve(known, [pair.tokens for pair in data], [1.3, *REQUEST.values()])
    return {**{name: older[name] * factor for name in CONTENT}, **dict(zip(REQUEST, rest, strict=True))}


def fact(name: str, weights: Weights, **more: Any) -> TokenizerFact:
    """A catalog row with these weights, rounded to what they are worth."""
    rounded = {key: round(float(f"{weight:.3g}"), 6) for key, weight in {**weights, **GUESSED}.items()}
    rest = {"low": 1.0, "high": 1.0, "errors": {}, "source": "", "as_of": "", "confidence": "M", **more}
    return TokenizerFact(name, rounded, ("wide", *GUESSED), IMAGE_MOST[name], slack=SLACK, **rest)


def held_out(data: Sequence[Pair], fitting: Fitting, name: str, low: float = 1.0, high: float = 1.0) -> Iterator[Guess]:
    """Every pair as estimated by a fit that has not seen its group."""
    groups = sorted({pair.group for pair in data})
    for fold in range(FOLDS):
        away = set(groups[fold::FOLDS])
        row = fact(name, fitting([pair for pair in data if pair.group not in away]), low=low, high=high)
        counter = CalibratedCounter({name: row})
        for pair in data:
            if pair.group in away:
                yield pair.kind, counter.estimate(pair.size, default_catalog().models[pair.model]), pair.tokens


def ahead(row: TokenizerFact) -> Iterator[Guess]:
    """Whole prompts, ``AHEAD`` responses after the last one on record."""
    for kind, _, transcript in logs(corpus()):
        seen = [(entry.messages, billed(entry.usage), entry.model) for entry in transcript.recorded]
        for at in range(1, len(seen) - AHEAD):
            first, now, (sent, tokens, name) = seen[0], seen[at], seen[at + AHEAD]
            model = default_catalog().find_model(name or "").facts
            if model and model.tokenizer == row.name and first[2] == name and tokens > now[1] > first[1]:
                known = [(count, total) for count, total, _ in seen[: at + 1]]
                counter = RecordedCounter(CalibratedCounter({row.name: row}), known)
                guess = counter.count(None, None, transcript.request["messages"][:sent], model)
                yield f"{kind}, {AHEAD} responses after the last record", guess, tokens


def errors_of(guesses: Iterator[Guess]) -> dict[str, dict[str, float]]:
    by_kind = defaultdict(list)
    for kind, guess, tokens in guesses:
        by_kind[kind].append((abs(guess.tokens - tokens) / tokens, guess.low <= tokens <= guess.high))
    found = {}
    for kind, rows in sorted(by_kind.items()):
        half, most = np.percentile([error for error, _ in rows], [50, 90])
        seen = {"n": len(rows), "p50": half, "p90": most, "in_band": np.mean([inside for _, inside in rows])}
        found[kind] = {name: round(float(figure), 3) for name, figure in seen.items()}
    return found


def band_of(guesses: Iterator[Guess]) -> tuple[float, float]:
    """From the 5th to the 95th percentile of billed over estimated, to the next 0.05 outward."""
    telling = [(guess, tokens) for kind, guess, tokens in guesses if tokens >= LARGE and kind != LOG_WITH_REMINDERS]
    low, high = np.percentile([tokens / guess.tokens for guess, tokens in telling], [5, 95])
    return math.floor(low * 20) / 20, math.ceil(high * 20) / 20


def calibrate() -> list[TokenizerFact]:
    """Both generations, fitted, with what they miss."""
    data = pairs(corpus())
    old = [pair for pair in data if pair.tokenizer == "2024"]
    new = [pair for pair in data if pair.tokenizer == "2026"]
    today = {"as_of": date.today().isoformat(), "source": "benchmarks/calibrate_tokens.py"}

    low, high = band_of(held_out(old, fit_2024, "2024"))
    weights = fit_2024(old)
    row = fact("2024", weights, low=low, high=high, notes=f"{len(old)} pairs; none is mostly CJK text", **today)
    row = replace(row, errors={**errors_of(held_out(old, fit_2024, "2024", low, high)), **errors_of(ahead(row))})

    def fit_new(part: Sequence[Pair]) -> Weights:
        return fit_2026(part, weights)

    wider = {"low": round(low / UNTESTED, 2), "high": round(high * UNTESTED, 2)}
    notes = f"{len(new)} pairs, all short: content weights are the older ones times one factor"
    newer = fact("2026", fit_new(new), **wider, notes=notes, **{**today, "confidence": "L"})
    return [row, replace(newer, errors=errors_of(held_out(new, fit_new, "2026", **wider)))]


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit the token weights and measure their error.")
    parser.add_argument("--write", action="store_true", help="write tokenizers.json and the tables in the docs")
    write = parser.parse_args().write
    rows = calibrate()
    if write:
        made = {row.name: {key: value for key, value in plain(row).items() if key != "name"} for row in rows}
        TOKENIZERS.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
        DOCS.write_text(with_tables(DOCS.read_text(encoding="utf-8"), rows), encoding="utf-8")
    print(with_tables("", rows))


if __name__ == "__main__":
    main()
