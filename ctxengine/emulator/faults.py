"""What goes wrong, in the order it was asked for: each fault strikes the next request that it can strike."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ctxengine.errors import MalformedInput
from ctxengine.findings import Finding, did_you_mean, shown

KINDS = {
    "429": "a rate limit, with retry-after",
    "500": "an internal error",
    "529": "overload, with retry-after",
    "drop": "the connection breaks in the middle of the answer",
    "stall": "the answer stops in the middle, the connection stays",
    "bad-sse": "an event of a streamed answer is cut off in the middle of its JSON",
    "null-compaction": "the next compaction fails: its block has no content",
    "refuse-compaction": "the next compaction is refused",
    "truncate-summary": "the next summary is cut off",
    "too-many-references": "the next compaction on demand is a 400, for too many tool references",
    "compaction-unavailable": "the next compaction on demand, or request with its block, is a 529",
}
"""Every fault and what it does."""
STATUSES = ("429", "500", "529")
CUTS = ("drop", "stall")
STREAM_CUTS = (*CUTS, "bad-sse")
COMPACTION = ("null-compaction", "refuse-compaction", "truncate-summary")
COUNT = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(slots=True)
class Faults:
    """The faults that are still to come."""

    pending: list[str]

    def take(self, kinds: Iterable[str]) -> str | None:
        """The first pending fault of one of these kinds, which is then over."""
        wanted = set(kinds)
        found = next((kind for kind in self.pending if kind in wanted), None)
        if found:
            self.pending.remove(found)
        return found


def read_faults(spec: str) -> Faults:
    """Faults from ``429:2,drop``: names from ``KINDS``, each with how many requests it strikes (1).

    Raises:
        MalformedInput: ``faults-malformed``.
    """
    pending: list[str] = []
    for part in filter(None, (part.strip() for part in spec.split(","))):
        name, colon, count = part.partition(":")
        if name not in KINDS:
            raise _malformed(f"there is no fault {shown(name)}", did_you_mean(name, KINDS))
        if colon and not COUNT.fullmatch(count):
            raise _malformed(f"{name} strikes no {shown(count)} requests", f"write {name}:2 for the next two")
        pending += [name] * int(count or 1)
    return Faults(pending)


def _malformed(message: str, help: str) -> MalformedInput:
    return MalformedInput(Finding("faults-malformed", "error", message, help))
