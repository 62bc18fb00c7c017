"""The request a command is about, read from a file of whatever format, and its plan."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import click

from ctxengine.cli.output import note
from ctxengine.conversation import SERVER_RESULTS, blocks_of, field_of
from ctxengine.engine import Engine
from ctxengine.errors import PlanRefused, RequestError
from ctxengine.extension.host import Host
from ctxengine.findings import Finding, Place, Report
from ctxengine.plan import Plan
from ctxengine.target import target_of
from ctxengine.tokens import CalibratedCounter, Estimate, RecordedCounter, TokenCounter
from ctxengine.transcripts import Recorded, read_request
from ctxengine.transcripts.messages import MESSAGES

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the command line gives it."""

    name: str
    """What a recorded conversation calls itself, else the file."""
    file: str
    kwargs: Mapping[str, Any]
    recorded: tuple[Recorded, ...]
    findings: tuple[Finding, ...]
    """What the reader had to repair, add or skip."""
    place: Callable[[str], Place]
    """Where a path of the request stands."""

    def placed(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """The findings, those about the request with its file and, where it is as it was written, the line."""
        for finding in findings:
            where = finding.where
            mine = where.file is None and where.path.split(".")[0] in {*self.kwargs, "messages", "model"}
            yield replace(finding, where=self.place(where.path)) if mine else finding

    @contextmanager
    def named(self) -> Iterator[None]:
        """Errors about the request carry the file's name."""
        try:
            yield
        except RequestError as error:
            named = (replace(each, where=self.place(each.where.path)) for each in error.findings)
            raise RequestError(*named) from None
        except PlanRefused as error:
            raise PlanRefused(*self.placed(error.report)) from None


def read_asked(path: str, *, model: str | None = None, at: int | None = None) -> Asked:
    """Read REQ.json, with another model and cut to the first messages where asked for.

    Of a recorded conversation, the last request is taken.
    """
    stdin = path == STDIN
    file = "<stdin>" if stdin else path
    transcript = read_request(sys.stdin.buffer.read() if stdin else path, name=file, readers=Host().readers)
    kwargs = dict(transcript.request)
    if model:
        kwargs["model"] = model
    messages = kwargs.get("messages")
    if at is not None:
        count = len(messages) if isinstance(messages, list) else 0
        if not isinstance(messages, list) or at > count:
            raise click.BadParameter(f"the conversation has {count:,} messages", param_hint="--at")
        kwargs["messages"] = messages[:at]
        _note_where_requests_end(at, transcript.boundaries())
    elif transcript.format != MESSAGES.name and isinstance(messages, list) and _is_answered(messages):
        kwargs["messages"] = messages[:-1]
        note(f"of {file} the last request is taken, without the answer to it")
    elif isinstance(messages, list) and _is_answered(messages) and not _goes_on(messages[-1]):
        before = max((end for end in transcript.boundaries() if end < len(messages)), default=None)
        if before:
            note(f"{file} ends with an answer of the model's: --at {before} takes the request that it answers")
    in_file = transcript.place
    written = in_file is not None and kwargs.get("model") == transcript.request.get("model")

    def place(path: str) -> Place:
        """An option's model stands nowhere in the file."""
        return in_file(path) if in_file and (written or path != "model") else Place(path, file)

    return Asked(transcript.name, file, kwargs, transcript.recorded, transcript.findings, place)


def _is_answered(messages: Sequence[Any]) -> bool:
    last = messages[-1] if len(messages) > 1 else None
    return isinstance(last, dict) and last.get("role") == "assistant"


def _goes_on(answer: Mapping[str, Any]) -> bool:
    """Whether the model goes on from an answer that has paused."""
    last = next(reversed(blocks_of(answer)), None)
    return field_of(last, "type") in {"compaction", "server_tool_use", *SERVER_RESULTS}


def _note_where_requests_end(at: int, boundaries: Sequence[int]) -> None:
    """Say where a cut would be a request as it was sent, where this one is none."""
    if at in boundaries or not boundaries:
        return
    near = [*[end for end in boundaries if end < at][-1:], *[end for end in boundaries if end > at][:1]]
    ends = " and ".join(map(str, near))
    note(f"--at {at} is not where a request of the conversation ends; {ends} would be")


def named_model(asked: Asked) -> str | None:
    """The request's model, where it names one."""
    model = asked.kwargs.get("model")
    return model if isinstance(model, str) and model else None


def with_model(asked: Asked) -> Asked:
    """The same, where the request names a model; a plan hangs on it."""
    if named_model(asked) is None:
        raise click.UsageError(f"the request in {asked.file} names no model: add --model M")
    return asked


def planned(engine: Engine, asked: Asked, platform: str | None) -> Plan:
    """The plan for the request; its report also tells what the reader had to say."""
    counter = counter_of(engine, asked, asked.kwargs["model"])
    with asked.named():
        plan = engine.plan(platform=platform, counter=counter, **asked.kwargs)
    return replace(plan, report=Report((*asked.findings, *asked.placed(plan.report))))


def size_of(engine: Engine, asked: Asked, plan: Plan) -> Estimate:
    """Input tokens of what is sent, before any edit of the API's."""
    system, tools, messages = (asked.kwargs.get(name) for name in ("system", "tools", "messages"))
    if plan.pruned:  # what was billed was billed for another prefix
        sizes = CalibratedCounter(engine.catalog.tokenizers)
        return sizes.count(system, tools, (messages or ())[plan.first.index :], plan.target.facts)
    return counter_of(engine, asked, plan.target.model).count(system, tools, messages or (), plan.target.facts)


def counter_of(engine: Engine, asked: Asked, model: str) -> TokenCounter:
    """Sizes as billed, where a model with the same tokenizer was sent this very conversation; else estimates."""
    base = CalibratedCounter(engine.catalog.tokenizers)
    known = list(_billed(engine, asked, model))
    return RecordedCounter(base, known) if known else base


def _billed(engine: Engine, asked: Asked, model: str) -> Iterator[tuple[int, int]]:
    if not asked.recorded:
        return
    from ctxengine.simulate.bills import billed_tokens

    target = target_of(engine.catalog, model=model)
    for entry in asked.recorded:
        if entry.model and (tokens := billed_tokens(entry, target, engine.catalog)):
            yield entry.messages, tokens
