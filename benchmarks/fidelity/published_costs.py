"""What policies cost in two published comparisons that say little of their workloads: sizes are fitted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from benchmarks.fidelity import published_data as theirs
from benchmarks.fidelity.shown import Row, clear, compact, percent
from benchmarks.fidelity.workload import Policy, Step, bill

COSTING = "claude-opus-5"
HEAD = 3_000
CLAIM = {"pages": 4, "page": 11_250, "calls": 2, "result": 3_000, "output": 150}
"""One of three claims; all fitted, to four costs. The pages add up to the ledger's 135,000 tokens."""
SIZINGS = ((1, 2, 3, 4, 6), (2, 3, 4, 5, 6, 8), (1_500, 3_000, 6_000), (150, 300, 600))
"""Pages, calls, tokens of a result and of an output: whether the order of the costs hangs on them."""
ISSUE = {"calls": 2, "result": 1_000, "output": 150}
"""One issue of the triage, and ``TRIGGER``: fitted to the 74 % of the short run."""
TRIGGER, SHORT, LONG = 30_000, 20, 40
"""``LONG`` issues are fitted to compaction's saving on the long run."""
BATCH = 7
"""Issues that are pruned at a time: fitted to the saving of batch pruning on the long run."""
LEAST = 20_000


def claims() -> Iterator[Row]:
    policies = {
        "unmanaged": Policy(),
        "context editing": Policy(clear=clear(150_000, 1)),
        "compaction": Policy(compact=compact(150_000)),
        "batch pruning": Policy(prunes=True),
    }
    made = {name: bill(COSTING, HEAD, _claims(**CLAIM), policy) for name, policy in policies.items()}
    first = made["unmanaged"].dollars
    for name, published in theirs.CLAIMS.items():
        ours = made[name]
        both = f"${ours.dollars + ours.of_compactions:.3f}" if ours.compactions else ""
        share = theirs.CLAIMS["unmanaged"]
        yield name, _dollar(published, share), _dollar(ours.dollars, first), both
    near = list(_near(policies))
    kept = sum(costs == sorted(costs, reverse=True) for costs in near)
    yield "sizings with the same order", "", f"{kept} of {len(near)}", "those whose unmanaged cost is within 10 %"
    shares = sorted(costs[1] / costs[0] - 1 for costs in near)
    yield "context editing in these sizings", "", f"{percent(shares[0])} to {percent(shares[-1])}", ""


def _near(policies: Mapping[str, Policy]) -> Iterator[list[float]]:
    """The costs in each of many sizings whose unmanaged cost is near the published one."""
    for pages, calls, result, output in product(*SIZINGS):
        steps = _claims(pages, 45_000 // pages, calls, result, output)
        costs = [bill(COSTING, HEAD, steps, policy).dollars for policy in policies.values()]
        if abs(costs[0] / theirs.CLAIMS["unmanaged"] - 1) < 0.1:
            yield costs


def _claims(pages: int, page: int, calls: int, result: int, output: int) -> list[Step]:
    """Three claims: each reads its part of the ledger, then makes some calls."""
    one = [Step(output, page)] * pages + [Step(output, result)] * calls
    return [Step(step.output, step.result, opens=not index) for _ in range(3) for index, step in enumerate(one)]


def triage() -> Iterator[Row]:
    for name, (short, long) in theirs.TRIAGE.items():
        for run_name, issues, published in (("short", SHORT, short), ("long", LONG, long)):
            if published is not None:
                rare = _against(issues, name, LEAST) if name == "context editing" else None
                said = "" if rare is None else percent(rare)
                yield f"{name}, {run_name} run", percent(published), percent(_against(issues, name)), said
    each, none = (bill(COSTING, HEAD, _issues(LONG, 1), Policy(prunes=prunes)).dollars for prunes in (True, False))
    yield "batch pruning after each issue, long run", "", percent(each / none - 1), ""
    made = bill(COSTING, HEAD, _issues(SHORT), Policy(clear=clear(TRIGGER, 3)))
    rare = bill(COSTING, HEAD, _issues(SHORT), Policy(clear=_at_least(LEAST)))
    yield "requests that rewrite the cache, short run", "", made.clearings, rare.clearings


def _against(issues: int, name: str, least: int = 0) -> float:
    """What a policy costs against none, compactions counted whole."""
    policies = {
        "context editing": Policy(clear=_at_least(least)),
        "compaction": Policy(compact=compact(50_000)),
        "batch pruning": Policy(prunes=True),
    }
    ours = bill(COSTING, HEAD, _issues(issues), policies[name])
    return (ours.dollars + ours.of_compactions) / bill(COSTING, HEAD, _issues(issues), Policy()).dollars - 1


def _issues(issues: int, batch: int = BATCH) -> list[Step]:
    one = [Step(ISSUE["output"], ISSUE["result"])] * ISSUE["calls"]
    return [
        Step(step.output, step.result, opens=not issue % batch and not index)
        for issue in range(issues)
        for index, step in enumerate(one)
    ]


def _at_least(tokens: int) -> dict[str, Any]:
    return clear(TRIGGER, 3, clear_at_least={"type": "input_tokens", "value": tokens})


def _dollar(amount: float, whole: float) -> str:
    return f"${amount:.3f} ({percent(amount / whole - 1)})"
