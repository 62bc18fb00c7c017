"""A whole request as the API would treat it: pure functions, copy-on-write, no network."""

from __future__ import annotations

from ctxengine.edits.switches import Switches, switches_of
from ctxengine.semantics.applying import Applied, apply_edits
from ctxengine.semantics.binding import Unbound, check_bound, signed
from ctxengine.semantics.compacting import Compacted, Due, asked_for_summary, compacted, summarised, summary_size
from ctxengine.semantics.outcome import Outcome, World, edited, outcome
from ctxengine.semantics.signatures import Signer
from ctxengine.semantics.wire import WireError, refusal

__all__ = [
    "Applied",
    "Compacted",
    "Due",
    "Outcome",
    "Signer",
    "Switches",
    "Unbound",
    "WireError",
    "World",
    "apply_edits",
    "asked_for_summary",
    "check_bound",
    "compacted",
    "edited",
    "outcome",
    "refusal",
    "signed",
    "summarised",
    "summary_size",
    "switches_of",
]
