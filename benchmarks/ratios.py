"""What a build costs, as ratios to ``json.dumps`` of the same body, timed back to back in one run.

python -m benchmarks.ratios            the table
python -m benchmarks.ratios --markdown the same for the README
"""

from __future__ import annotations

import gc
import json
import math
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from benchmarks.conversations import conversation
from ctxengine import CalibratedCounter, Engine

SIZES = (200, 1_000, 5_000)
TURNS = 501
ROUNDS = 20


class Row(NamedTuple):
    what: str
    measured: str
    goal: str


def best(run: Callable[[], object], rounds: int) -> float:
    """Seconds of the fastest of several runs: the one the machine disturbed least."""
    least = math.inf
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        least = min(least, time.perf_counter() - start)
    return least


def fresh(body: dict[str, Any]) -> dict[str, Any]:
    """The same body in new containers, as an application that keeps its history as JSON would hand it over."""
    return dict(json.loads(json.dumps(body)))


def cold(engine: Engine, body: dict[str, Any], **options: Any) -> float:
    """Seconds of a build of objects nobody has seen, made anew for each round."""
    least = math.inf
    for _ in range(ROUNDS):
        unseen = fresh(body)
        start = time.perf_counter()
        engine.build(**unseen, **options)
        least = min(least, time.perf_counter() - start)
    return least


def incremental(engine: Engine, body: dict[str, Any], rebuild: Callable[[dict[str, Any]], dict[str, Any]]) -> float:
    """Seconds of a planner's build after two new messages."""
    messages = body["messages"]
    least = math.inf
    for _ in range(ROUNDS):
        planner = engine.planner()
        planner.build(**{**body, "messages": messages[:-2]})
        grown = rebuild(body)
        start = time.perf_counter()
        planner.build(**grown)
        least = min(least, time.perf_counter() - start)
    return least


def builds(engine: Engine) -> Iterator[Row]:
    goals = {200: ("≤ 0.20", "≤ 0.40"), 1_000: ("≤ 0.10", "≤ 0.20"), 5_000: ("≤ 0.20", "")}
    for size in SIZES:
        body = conversation(size)
        dumps = best(lambda body=body: json.dumps(body), ROUNDS)
        counter = CalibratedCounter(engine.catalog.tokenizers)
        yield Row(f"build, cold, {size:,} messages", f"{cold(engine, body) / dumps:.3f}", goals[size][0])
        sized = cold(engine, body, counter=counter) / dumps
        yield Row(f"build, cold, sizes known to matter, {size:,} messages", f"{sized:.3f}", goals[size][1])
        if size == 1_000:
            same = incremental(engine, body, lambda body: body)
            rebuilt = incremental(engine, body, fresh)
            yield Row("planner, two new messages, same objects", f"{same / dumps:.4f}", "≤ 0.01")
            yield Row("planner, two new messages, objects rebuilt", f"{rebuilt / dumps:.3f}", "≤ 0.10")


def session(engine: Engine) -> Iterator[Row]:
    """All builds of a growing conversation against all the ``json.dumps`` the SDK would do."""
    body = conversation(2 * TURNS)
    cost: dict[int, float] = {}
    for turns in (TURNS // 4, TURNS):
        planner, built, dumped = engine.planner(), 0.0, 0.0
        for turn in range(1, turns + 1):
            request = {**body, "messages": body["messages"][: 2 * turn - 1]}
            start = time.perf_counter()
            planner.build(**request)
            between = time.perf_counter()
            if turn % 10 == 0:
                json.dumps(request)
                dumped += 10 * (time.perf_counter() - between)
            built += between - start
        cost[turns] = built
    yield Row(f"session of {TURNS} turns, all builds together", f"{100 * built / dumped:.1f} %", "≤ 2 %")
    exponent = math.log(cost[TURNS] / cost[TURNS // 4]) / math.log(TURNS / (TURNS // 4))
    yield Row("growth exponent of that", f"{exponent:.2f}", "≤ 1.3")


def memory(engine: Engine) -> Iterator[Row]:
    body = conversation(1_000)
    planner = engine.planner()
    planner.build(**{**body, "messages": body["messages"][:-2]})
    gc.collect()
    tracemalloc.start()
    planner.build(**body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    yield Row("memory above the input, planner, 1,000 messages", f"{peak / 1e6:.3f} MB", "≤ 0.1 MB")


def processes() -> Iterator[Row]:
    bare = best(lambda: _python("-c", "pass"), 7)
    light = best(lambda: _python("-c", "import ctxengine"), 7)
    check = best(lambda: _python("-m", "ctxengine.cli", "check", "examples/policies/cost.json"), 5)
    yield Row("import ctxengine, above bare Python", f"{1000 * (light - bare):.0f} ms", "≤ 30 ms")
    yield Row("ctxengine check, whole process", f"{check:.2f} s", "≤ 0.5 s")


def _python(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=False, capture_output=True)


def main() -> None:
    engine = Engine.load("ctxengine:agentic")
    rows = [*builds(engine), *session(engine), *memory(engine), *processes()]
    if "--markdown" in sys.argv:
        print("| | measured | goal |\n|---|---|---|")
        print("\n".join(f"| {row.what} | {row.measured} | {row.goal} |" for row in rows))
    else:
        print("\n".join(f"{row.what:<55} {row.measured:>10}   {row.goal}" for row in rows))


if __name__ == "__main__":
    main()
