"""What there is to say of a conversation that is simulated: why it is left out, and what does not go well in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from ctxengine.errors import CtxengineError
from ctxengine.findings import Finding, Place
from ctxengine.shapes import request_flaw
from ctxengine.simulate.scan import Scan
from ctxengine.simulate.totals import Totals
from ctxengine.transcripts import Transcript


def unusable(error: Exception, file: str, transcript: Transcript | None = None) -> Iterator[Finding]:
    """Why a file is left out. Recorded requests may hold anything, and none of it may end the run for the others."""
    place = transcript.place if transcript else None
    if isinstance(error, CtxengineError):
        yield from named(error.findings, file, place)
        return
    flaw = request_flaw(transcript.request) if transcript else None
    perhaps = f"; perhaps because {flaw.words}" if flaw else ""
    message = f"the conversation has a shape that cannot be replayed ({type(error).__name__}){perhaps}"
    remedy = "correct the file so that the API would take its requests, or leave it out"
    finding = Finding("transcript-malformed", "error", message, remedy, Place(flaw.path if flaw else ""))
    yield from named([finding], file, place)


def named(findings: Iterable[Finding], file: str, place: Callable[[str], Place] | None = None) -> Iterator[Finding]:
    """Findings on a conversation, which say its file and line where they do not yet."""
    for finding in findings:
        where = finding.where
        found = place(where.path) if place and where.file is None else where
        yield replace(finding, where=replace(found, file=found.file or file))


def overflows(totals: Totals, made: Scan) -> Iterator[Finding]:
    """Where a policy lets the conversation outgrow the window."""
    if totals["overflows"]:
        first, window = totals["first_overflow"], made.target.window
        message = f"{totals['policy']} does not fit the window of {window:,} tokens, first at turn {first}"
        help = "clear or compact earlier, or use a model with a larger window"
        sent = made.turns[first - 1].messages
        yield Finding("simulate-overflow", "warning", message, help, Place(f"messages.{sent - 1}"))


def compared_as_it_is(flaw: Finding) -> Finding:
    """What the API would refuse of the record itself."""
    message = f"the API would refuse this whatever the policy, and it is compared all the same: {flaw.message}"
    return replace(flaw, rule="simulate-request", severity="warning", message=message)


def no_turns(file: str) -> Finding:
    message = "no message of the conversation is an answer, so there is no turn to replay"
    return Finding("simulate-no-turns", "warning", message, "give a conversation with answers", Place(file=file))
