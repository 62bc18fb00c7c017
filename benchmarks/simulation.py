"""How many turns a second a simulation does: from JSON text, and for each further policy on a scanned conversation.

``PYTHONPATH=. python -m benchmarks.simulation [MESSAGES…]``; the best of several rounds, one process.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from time import perf_counter

from benchmarks.conversations import conversation
from ctxengine.catalog import default_catalog
from ctxengine.semantics import switches_of
from ctxengine.simulate.needs import find_needs
from ctxengine.simulate.replay import Replay
from ctxengine.simulate.scan import scan
from ctxengine.simulate.simulation import Simulator
from ctxengine.target import target_of
from ctxengine.transcripts import read_transcripts

ROUNDS = 60
PRESETS = ("minimal", "agentic", "cost-saver")


def best(work: Callable[[], object]) -> float:
    """Seconds of the fastest round."""
    times = []
    for _ in range(ROUNDS):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return min(times)


def report(messages: int) -> None:
    text = json.dumps(conversation(messages)).encode()
    catalog, switches = default_catalog(), switches_of()
    simulator = Simulator([f"ctxengine:{name}" for name in PRESETS])
    (transcript,) = read_transcripts(text)
    target = target_of(catalog, model=transcript.request["model"], thinking=transcript.request["thinking"])
    made = scan(transcript, target, catalog, switches, gap=30)
    turns = len(made.turns)
    print(f"{messages} messages, {turns} turns, {len(text) / turns / 1000:.1f} kB a turn")

    def say(what: str, seconds: float) -> None:
        print(f"  {what:32} {turns / seconds:>9,.0f} turns/s")

    parsed, read = best(lambda: json.loads(text)), best(lambda: read_transcripts(text))
    scanned = best(lambda: scan(transcript, target, catalog, switches, gap=30))
    say("json.loads alone", parsed)
    say("read", read)
    say("scan", scanned)
    for candidate in simulator.candidates:
        replayed = best(lambda candidate=candidate: list(Replay(made, candidate, catalog, switches, "").rows()))
        say(f"replay {candidate.name}", replayed)
    needed = best(lambda: find_needs(transcript.request["messages"]))
    say("what is needed again (once)", needed)
    say("from JSON text, first policy", read + scanned + replayed)
    say("the same where something clears", read + scanned + needed + replayed)


if __name__ == "__main__":
    for messages in [int(each) for each in sys.argv[1:]] or [200, 1000, 5000]:
        report(messages)
