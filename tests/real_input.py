"""One recorded conversation through a preset and a real SDK client, boundary by boundary, with all that must hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from zlib import crc32

from ctxengine import Engine, Plan
from ctxengine.policy import presets
from ctxengine.transcripts import Transcript
from tests.sdk_clients import CLIENTS, SPELLINGS, Marks, Sent, send

MODELS = ("claude-opus-5-5", "claude-sonnet-4-6", "claude-haiku-4-5")
THINKING = {
    "claude-opus-5-5": {"type": "adaptive"},
    "claude-sonnet-4-6": {"type": "adaptive"},
    "claude-haiku-4-5": {"type": "enabled", "budget_tokens": 2048},
}
"""How each model thinks, for conversations in which somebody did."""
MOVING = ("last_message", "previous_tail")
"""Marks that follow the end of a conversation."""
BOUNDARIES = 20


@dataclass(frozen=True, slots=True)
class Case:
    """A preset, a model and a platform for one conversation."""

    preset: str
    model: str
    platform: str


def cases(transcript: Transcript) -> list[Case]:
    """Every preset with every model, on platforms in rotation, from a start that the conversation's name decides."""
    platforms, start = list(CLIENTS), seed(transcript)
    pairs = [(preset, model) for preset in presets() for model in MODELS]
    return [Case(*pair, platforms[(start + at) % len(platforms)]) for at, pair in enumerate(pairs)]


def seed(transcript: Transcript) -> int:
    """A number that is the same on every machine and every run; folders do not count."""
    return crc32(transcript.name.rpartition("/")[2].encode())


def spread(items: Sequence[int], count: int) -> list[int]:
    """At most so many of them, evenly spread, first and last included."""
    steps = min(count, len(items))
    return [items[round(at * (len(items) - 1) / max(steps - 1, 1))] for at in range(steps)]


def check_case(transcript: Transcript, case: Case, boundaries: Sequence[int]) -> None:
    """Build, send and judge each boundary, and each against the one before."""
    engine = Engine.load(f"ctxengine:{case.preset}", platform=case.platform)
    planner = engine.planner()
    steps: list[tuple[Plan, Sent]] = []
    for boundary in boundaries:
        asked = _asked(transcript, case, boundary)
        plan, built = engine.plan(**asked), engine.build(**asked)
        assert plan.report.ok, plan.report
        assert (plan.target.model, plan.target.platform.name) == (case.model, case.platform)
        assert planner.build(**asked) == built
        sent = send(case.platform, built)
        check_sent(plan, sent, asked)
        steps.append((plan, sent))
    for before, after in pairwise(steps):
        check_stable(*before, *after)


def _asked(transcript: Transcript, case: Case, boundary: int) -> dict[str, Any]:
    messages = transcript.request["messages"]
    asked = {**transcript.request, "max_tokens": transcript.request.get("max_tokens", 4096)}
    asked.pop("thinking", None)
    if any(block["type"] == "thinking" for message in messages for block in _blocks(message)):
        asked["thinking"] = THINKING[case.model]
    asked["model"] = SPELLINGS.get(case.platform, "{}").format(case.model)
    return {**asked, "messages": messages[:boundary]}


def check_sent(plan: Plan, sent: Sent, asked: Mapping[str, Any]) -> None:
    """The wire holds what the plan says and what the caller gave, and nothing else."""
    expected = {name: value for name, value in asked.items() if name != "model"}
    if plan.edits:
        expected["context_management"] = {"edits": [edit.wire() for edit in plan.edits]}
    first = plan.first.index
    marked = {(mark.at.section, mark.at.index) for mark in plan.breakpoints}
    expected["messages"] = [
        _listed(message) if (2, index) in marked else message
        for index, message in enumerate(asked["messages"])
        if index >= first
    ]
    if (1, 0) in marked and isinstance(asked["system"], str):
        expected["system"] = [{"type": "text", "text": asked["system"]}]
    assert sent.body == expected
    assert sent.model == asked["model"]
    assert sent.betas == list(plan.beta_names)
    assert sent.marks == planned_marks(plan)
    check_pairs(sent.body["messages"])


def planned_marks(plan: Plan, *, moving: bool = True) -> Marks:
    """Our marks where the wire should have them."""
    first = plan.first.index
    return {
        (mark.at.section, mark.at.index - (first if mark.at.section == 2 else 0), mark.at.block): {"type": "ephemeral"}
        | ({"ttl": "1h"} if mark.ttl == "1h" else {})
        for mark in plan.breakpoints
        if moving or mark.place not in MOVING
    }


def check_pairs(messages: Sequence[Mapping[str, Any]]) -> None:
    """Every tool_use has its tool_result in the next message, and no result stands alone."""
    asked: list[str] = []
    for message in messages:
        answers = [block["tool_use_id"] for block in _blocks(message) if block["type"] == "tool_result"]
        assert sorted(asked) == sorted(answers)
        asked = [block["id"] for block in _blocks(message) if block["type"] == "tool_use"]
    assert not asked


def check_stable(plan: Plan, sent: Sent, later_plan: Plan, later: Sent) -> None:
    """What was rendered before is rendered the same when the conversation has grown, but for the moving tail."""
    head, later_head = ({**each.body, "messages": None, "betas": each.betas} for each in (sent, later))
    assert head == later_head
    messages, grown = sent.body["messages"], later.body["messages"]
    assert [_listed(message) for message in messages] == [_listed(message) for message in grown[: len(messages)]]
    assert planned_marks(plan, moving=False) == planned_marks(later_plan, moving=False)


def _listed(message: Mapping[str, Any]) -> dict[str, Any]:
    """The same message with a list as its content: to the API, a string is one text block."""
    content = message["content"]
    return {**message, "content": [{"type": "text", "text": content}] if isinstance(content, str) else content}


def _blocks(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from message["content"] if isinstance(message["content"], list) else ()
