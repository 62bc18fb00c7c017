"""Seven tools a ticket, five tickets, and a threshold of 5,000 tokens: the compaction cookbook's two runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from benchmarks.fidelity import published_data as theirs
from benchmarks.fidelity.documents import MODEL
from benchmarks.fidelity.shown import Row, compact, percent
from benchmarks.fidelity.workload import CATALOG, OWN_PROMPT, price
from ctxengine.edits.compact_effect import is_due
from ctxengine.semantics import outcome, summary_size
from ctxengine.semantics.cache import CacheUse

AT_5000 = compact(theirs.COMPACTION_THRESHOLD)


def tickets() -> Iterator[Row]:
    """37 turns, and 26 with two compactions by the client."""
    base, compacted = (sum(theirs.TICKETS_IN) + sum(theirs.TICKETS_OUT), _compacted_total())
    fired = [each for each in zip(theirs.COMPACTED_IN, theirs.COMPACTED_OUT, strict=True) if _due(*each)]
    passes = [(tokens + OWN_PROMPT, summary_size(tokens)) for tokens in map(sum, fired)]
    whole = compacted + sum(map(sum, passes))
    dollars = [_dollars(theirs.TICKETS_IN, theirs.TICKETS_OUT), _dollars(theirs.COMPACTED_IN, theirs.COMPACTED_OUT)]
    counted = dollars[1] + _dollars(*zip(*passes, strict=True))
    own = list(on_demand())
    error = outcome({"model": MODEL, "max_tokens": 4096, "messages": [], "context_management": {"edits": [AT_5000]},
                     "betas": list(CATALOG.edits[AT_5000["type"]].betas)}).error  # fmt: skip
    yield "baseline, 37 turns: tokens", theirs.TICKETS_TOTALS[0], base, "the printed turns added up"
    yield "compacted, 26 turns: tokens", theirs.TICKETS_TOTALS[1], compacted, "the same"
    yield "compactions, by our trigger", 2, len(fired), ""
    yield "the same with both summary passes", "not counted", whole, "the print leaves them out"
    yield "saving in tokens", percent(theirs.TICKETS_TOTALS[1] / base - 1), percent(whole / base - 1), "so does this"
    yield (
        "saving in dollars",
        "",
        f"{percent(dollars[1] / dollars[0] - 1)}, {percent(counted / dollars[0] - 1)}",
        ("without and with the passes; output costs five times input"),
    )
    yield (
        "on demand, over the baseline's own 37 turns",
        "",
        sum(map(sum, own)),
        (f"{len(own) - len(theirs.TICKETS_IN)} compactions; theirs also called tools in parallel after the first"),
    )
    yield "the threshold edit at 5,000", "", error.message if error else "taken", "its minimum: only on demand fires"


def on_demand() -> Iterator[tuple[int, int]]:
    """Input and output of every pass of the baseline's turns, compacted on demand when it is due."""
    context = theirs.TICKETS_IN[0]
    growth = [after - before for before, after in pairwise(theirs.TICKETS_IN)]
    for grows, output in zip((*growth, 0), theirs.TICKETS_OUT, strict=True):
        yield context, output
        due = _due(context, output)
        context += grows
        if due and grows:
            yield context + OWN_PROMPT, summary_size(context)
            context = theirs.TICKETS_IN[0] + summary_size(context)


def _compacted_total() -> int:
    return sum(theirs.COMPACTED_IN) + sum(theirs.COMPACTED_OUT)


def _due(tokens: int, output: int) -> bool:
    return is_due(AT_5000, tokens + output)


def _dollars(inputs: Sequence[int], outputs: Sequence[int]) -> float:
    """Without a cache, as the cookbook runs."""
    return price(MODEL, CacheUse(0, 0, 0, sum(inputs)), sum(outputs))
