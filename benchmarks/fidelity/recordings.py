"""Recorded requests played through the emulator, the recorded replies as its script: what agrees, and what does not.

Run ``python -m benchmarks.fidelity.recordings``; the data lies outside the repository (``CTXENGINE_CORPUS``).

A recording is played twice. Once sizes are estimated, and whole prompts are compared with what was billed. Then they
are estimates times one factor, which makes the first prompt of the recording as large as billed: all else is compared
there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.fidelity.reasons import SIZE, SIZE_OF_PADDED, reason_for
from benchmarks.fidelity.recorded import Exchange, Reply, recordings, reply_of
from benchmarks.token_pairs import corpus, is_padding
from ctxengine.catalog import default_catalog
from ctxengine.edits.effect import Count
from ctxengine.emulator import Emulator
from ctxengine.semantics.applying import counter_for

CATALOG = default_catalog()
NOW = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
"""A day on which every recorded model is served."""
CACHED, NEAR = "cache: tokens of each", 3
TAKEN = {"type": "message", "content": [{"type": "text", "text": "taken"}]}
"""The script's reply to what the API refused, so that taking it shows."""


@dataclass(frozen=True)
class Compared:
    """One aspect of one exchange: what was recorded, and what the emulator said."""

    exchange: Exchange
    ours: Reply
    aspect: str
    recorded: Any
    emulated: Any
    agrees: bool

    @property
    def reason(self) -> str:
        """Why they differ; empty where it is not known."""
        other_status = self.ours.status != self.exchange.reply.status
        return reason_for(self.exchange.recording, "" if other_status else self.aspect)


def compared(folder: Path) -> list[Compared]:
    """Every aspect of every recorded exchange."""
    return [each for exchanges in recordings(folder) for each in _compared(exchanges)]


def _compared(exchanges: list[Exchange]) -> Iterator[Compared]:
    estimated = _play(exchanges)
    for exchange, ours in zip(exchanges, estimated, strict=True):
        if exchange.reply.status == 200:
            aspect = SIZE_OF_PADDED if is_padding(exchange.body) else SIZE
            yield _sized(aspect, exchange, ours, exchange.reply.passes, ours.passes)
            if exchange.reply.cleared:
                yield _sized("cleared tokens, estimated", exchange, ours, exchange.reply.cleared, ours.cleared)
    for exchange, ours in zip(exchanges, _play(exchanges, _billed_sizes(exchanges, estimated)), strict=True):
        yield from _aspects(exchange, ours)


def _play(exchanges: list[Exchange], count: Count | None = None) -> list[Reply]:
    """The emulator's answers to the requests of a recording, one after the other."""
    # what is refused does not use up a turn of the script
    taken = [each for each in exchanges if _answer(_emulator([each], count), each).status == 200]
    emulator = _emulator(taken, count)
    return [_answer(emulator, each) for each in exchanges]


def _billed_sizes(exchanges: list[Exchange], estimated: list[Reply]) -> Count | None:
    """The estimate times what makes it right for the first prompt that was billed."""
    for exchange, ours in zip(exchanges, estimated, strict=True):
        if exchange.reply.passes and ours.passes:
            base = counter_for(CATALOG, CATALOG.find_model(exchange.model).facts)
            factor = exchange.reply.passes[0] / ours.passes[0]
            return lambda value: round(factor * base(value))
    return None


def _emulator(exchanges: list[Exchange], count: Count | None) -> Emulator:
    script = [_script(each.reply) for each in exchanges if not each.counts]
    return Emulator(script, clock=lambda: NOW, count=count)


def _script(reply: Reply) -> Mapping[str, Any]:
    return reply.body if "content" in reply.body else {**TAKEN, "usage": reply.usage}


def _answer(emulator: Emulator, exchange: Exchange) -> Reply:
    answer = emulator.answer(exchange.call)
    return reply_of(answer.status, b"".join(answer.parts).decode())


def _aspects(exchange: Exchange, ours: Reply) -> Iterator[Compared]:
    theirs = exchange.reply

    def same(aspect: str, recorded: Any, emulated: Any) -> Compared:
        return Compared(exchange, ours, aspect, recorded, emulated, recorded == emulated)

    yield same("status", theirs.status, ours.status)
    if theirs.status != 200:
        error, said = theirs.body["error"], ours.body.get("error") or {}
        yield same("error type", error["type"], said.get("type"))
        yield same("error words, but for numbers", _words(error["message"]), _words(said.get("message", "")))
    if not theirs.usages:
        return
    if exchange.whole:
        yield same("stop_reason", theirs.body["stop_reason"], ours.body.get("stop_reason"))
        yield same("content block types", theirs.kinds, ours.kinds)
        yield same("usage structure", theirs.shapes, ours.shapes)
    yield same("output tokens", theirs.usage["output_tokens"], ours.usage.get("output_tokens"))
    if "context_management" in theirs.body:
        yield same("applied_edits", theirs.applied, ours.applied)
    if any(theirs.cached[:3]):
        hits = [tuple(map(bool, each.cached)) for each in (theirs, ours)]
        yield same("cache: what is read, written and neither", *hits)
        yield _sized(CACHED, exchange, ours, theirs.cached, ours.cached)


def _sized(aspect: str, exchange: Exchange, ours: Reply, recorded: tuple[int, ...], said: tuple[int, ...]) -> Compared:
    """Numbers of tokens, each within the band that the estimate of its like states."""
    model = CATALOG.find_model(exchange.model).facts
    assert model is not None and model.tokenizer is not None
    row = CATALOG.tokenizers[model.tokenizer]
    agrees = len(recorded) == len(said) and all(
        mine * row.low - row.slack <= billed <= mine * row.high + row.slack
        for billed, mine in zip(recorded, said, strict=True)
    )
    return Compared(exchange, ours, aspect, recorded, said, agrees)


def _words(message: str) -> str:
    return re.sub(r"\d+", "N", message)


def agreement(rows: list[Compared]) -> dict[str, tuple[int, int]]:
    """How many of how many agree, by aspect."""
    aspects = sorted(dict.fromkeys(row.aspect for row in rows), key=lambda aspect: aspect.startswith(SIZE))
    found = {aspect: [row.agrees for row in rows if row.aspect == aspect] for aspect in aspects}
    return {aspect: (sum(each), len(each)) for aspect, each in found.items()}


def agreement_table(rows: list[Compared]) -> str:
    lines = ["| aspect | agree | of |", "|---|---:|---:|"]
    lines += [f"| {aspect} | {agree} | {all} |" for aspect, (agree, all) in agreement(rows).items()]
    cached = [row for row in rows if row.aspect == CACHED]
    near = [row for row in cached if all(abs(a - b) <= NEAR for a, b in zip(row.recorded, row.emulated, strict=True))]
    lines.append(f"| {CACHED}, to {NEAR} tokens | {len(near)} | {len(cached)} |")
    return "\n".join(lines)


def disagreement_table(rows: list[Compared]) -> str:
    """Every disagreement, by its reason."""
    by_reason: dict[str, list[Compared]] = {}
    for row in rows:
        if not row.agrees:
            by_reason.setdefault(row.reason, []).append(row)
    lines = ["| because | differs in | requests | recordings |", "|---|---|---:|---|"]
    for reason, found in sorted(by_reason.items()):
        aspects = "; ".join(dict.fromkeys(row.aspect for row in found))
        names = ", ".join(dict.fromkeys(f"`{_short(row.exchange.recording)}`" for row in found))
        lines.append(f"| {reason or 'not known'} | {aspects} | {len({id(row.exchange) for row in found})} | {names} |")
    return "\n".join(lines)


def _short(recording: str) -> str:
    return recording.split("__", 2)[-1].removeprefix("test_").removeprefix("anthropic_")


def main() -> None:
    rows = compared(corpus() / "recordings")
    print(agreement_table(rows), disagreement_table(rows), sep="\n\n")


if __name__ == "__main__":
    main()
