"""Eight documents of 41,000 tokens: the context-engineering cookbook's runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from benchmarks.fidelity import published_data as theirs
from benchmarks.fidelity.documents import Seen, Turn, run
from benchmarks.fidelity.shown import Row, clear, compact
from ctxengine.semantics import summary_size

READS = 275
"""Tokens that four reads add beside their results: measured on the first four, assumed for the others."""
HEAD = 1_959
"""System prompt and tools of the third run: fitted to its context after the compaction."""


def clearing() -> Iterator[Row]:
    turns = _two_readings(theirs.CLEARING_CONTEXTS)
    edit = clear(30_000, 4, clear_at_least={"type": "input_tokens", "value": 10_000})
    seen = run(theirs.CLEARING_CONTEXTS[0], turns, [edit])
    for index, (context, ours) in enumerate(zip(theirs.CLEARING_CONTEXTS, seen, strict=True)):
        cleared = _said(theirs.CLEARING_CLEARED.get(index))
        yield index + 1, context, ours.context, cleared, _said(ours.cleared), ours.which


def all_three() -> Iterator[Row]:
    for index, (then, since) in enumerate(zip(_third_run("read"), _third_run("ignored"), strict=True)):
        cleared = _said(theirs.ALL_THREE_CLEARED.get(index))
        now, context = _said(since.cleared), theirs.ALL_THREE_CONTEXTS[index]
        yield index + 1, context, then.context, cleared, _said(then.cleared), then.which, now


def _third_run(history: Any) -> list[Seen]:
    contexts = theirs.ALL_THREE_CONTEXTS
    grown = [after - before for before, after in pairwise(contexts)]
    notes = [Turn("memory", (0,), tokens) for tokens in grown[4:8]]
    turns = [
        Turn("memory", (0,), grown[0]),
        Turn("read", theirs.DOCUMENTS[:4], grown[1] - sum(theirs.DOCUMENTS[:4])),
        Turn("memory", (0,), grown[2]),
        Turn("read", theirs.DOCUMENTS[4:], READS),
        *notes,
        Turn("search", (0, 0), grown[8]),
        Turn("search", (0, 0), grown[9], tiny=True),  # fitted: four results stay cleared, not six
        Turn("record", (0,), grown[10], tiny=True),
        Turn("memory", (0,), grown[11]),
    ]
    least = {"type": "input_tokens", "value": 30_000}
    edits = [clear(200_000, 6, clear_at_least=least, exclude_tools=["memory"]), compact(180_000)]
    task = contexts[0] - HEAD
    return list(run(HEAD, turns, edits, task=task, summary=theirs.ALL_THREE_SUMMARY, history=history))


def other_documents() -> Iterator[Row]:
    turns = _two_readings(theirs.CLEARING_CONTEXTS)
    plain = list(run(theirs.CLEARING_CONTEXTS[0], turns[: theirs.BASELINE_TURNS - 1], []))
    summary = theirs.COMPACTION_SUMMARY
    found = list(run(theirs.CLEARING_CONTEXTS[0], turns, [compact(180_000)], summary=summary))
    yield "baseline: contexts of its 5 requests", "not printed", _contexts(plain), "they grow as the cleared run does"
    yield "its peak", theirs.BASELINE_PEAK, plain[-1].context, "the last request adds its own text"
    yield "compaction at 180,000: contexts", "not printed", _contexts(found), "7 requests; they grow as those do"
    due = [index + 1 for index, seen in enumerate(found) if seen.compacted]
    yield (
        "compactions, and the first request",
        "1",
        f"{len(due)}, {due[0]}",
        "the request is not printed",
    )
    peak = max(seen.context for seen in found)
    yield "its peak", theirs.COMPACTION_PEAK, peak, "the other run's turns; the compaction's own pass is not in either"
    yield "what that pass reads", "", found[due[0] - 1].compacted, "billed, and not at the top level of usage"
    yield (
        "its summary, by size",
        summary,
        summary_size(found[due[0] - 1].compacted or 0),
        ("the size model is fitted to six recorded summaries"),
    )
    yield (
        "true drop of four results, about",
        theirs.CLEARED_TRULY,
        plain[3].context - _first_cleared(turns),
        ("the placeholder's size is assumed; the API reports 0.4 % less than it drops"),
    )
    more, less = theirs.MEMORY_PEAKS
    yield (
        "memory: peak saved by notes on four documents",
        more - less,
        sum(theirs.DOCUMENTS[4:]),
        ("what is read again is the model's choice; the notes themselves are in the difference"),
    )


def _contexts(seen: Sequence[Seen]) -> str:
    return " · ".join(f"{each.context:,}" for each in seen)


def _first_cleared(turns: list[Turn]) -> int:
    return list(run(theirs.CLEARING_CONTEXTS[0], turns[:3], [clear(30_000, 4)]))[-1].context


def _two_readings(contexts: Sequence[int]) -> list[Turn]:
    """Four documents, a record, the other four, then small turns: what is not read is as published."""
    grown = [after - before for before, after in pairwise(contexts)]
    return [
        Turn("read", theirs.DOCUMENTS[:4], grown[0] - sum(theirs.DOCUMENTS[:4])),
        Turn("record", (0,), grown[1], tiny=True),
        Turn("read", theirs.DOCUMENTS[4:], READS),
        *(Turn("record", (0,), tokens, tiny=True) for tokens in grown[3:]),
    ]


def _said(cleared: tuple[int, int] | None) -> str:
    return f"{cleared[0]}: {cleared[1]:,}" if cleared else ""
