"""The cookbook's eight documents as a conversation of published sizes, edited by the emulator's own semantics."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from benchmarks.fidelity.workload import PLACEHOLDER
from ctxengine.edits.switches import switches_of
from ctxengine.semantics import Applied, apply_edits
from ctxengine.semantics.applying import prompt_tokens

MODEL = "claude-sonnet-4-6"
MARK = switches_of()["clear_tool_uses.placeholder"]
STATED = re.compile(r"<(\d+)>")
LONG = "." * 60
"""Makes a result more than tiny."""


@dataclass(frozen=True)
class Turn:
    """What is added before the next request: calls of one tool with the tokens of their results, and all else."""

    tool: str
    results: tuple[int, ...]
    other: int
    tiny: bool = False


@dataclass(frozen=True)
class Seen:
    """One request: the prompt that the model reads in the end, and what was done."""

    context: int
    cleared: tuple[int, int] | None
    which: str
    """What was cleared: its numbers among the results of the calls that the answer to a request made."""
    compacted: int | None
    """Tokens that a compaction found."""


def count(value: Any) -> int:
    """Texts here state their own size."""
    text = json.dumps(value)
    return sum(map(int, STATED.findall(text))) + PLACEHOLDER * text.count(MARK)


def run(
    head: int,
    turns: Sequence[Turn],
    edits: Sequence[Mapping[str, Any]],
    *,
    summary: int = 0,
    task: int = 0,
    history: Literal["read", "ignored"] = "ignored",
) -> Iterator[Seen]:
    """The requests of a loop, one more than there are turns.

    Args:
        head: tokens of system prompt and tools.
        task: tokens of the question, which a compaction takes away.
        summary: tokens of a summary, where a compaction is due.
        history: whether edits see what stands before a compaction block.
    """
    messages: list[dict[str, Any]] = [{"role": "user", "content": f"<{task}>"}]
    switches = {"clear_tool_uses.history_before_block": history}
    for index in range(len(turns) + 1):
        request = {"model": MODEL, "system": f"<{head}>", "messages": messages}
        applied = apply_edits({**request, "context_management": {"edits": edits}}, count=count, switches=switches)
        block = [{"type": "compaction", "content": f"<{summary}>"}] if applied.compaction else []
        yield _seen(applied, prompt_tokens(request, [{"role": "assistant", "content": block}], count))
        if index < len(turns):
            messages = [*messages, *_exchange(turns[index], index, block)]


def _seen(applied: Applied, compacted: int) -> Seen:
    edit = next(iter(applied.applied_edits), None)
    cleared = (edit["cleared_tool_uses"], edit["cleared_input_tokens"]) if edit else None
    due = applied.compaction
    return Seen(
        compacted if due else applied.input_tokens,
        cleared,
        _which(applied.cleared_tool_use_ids),
        due.prompt_tokens + due.asking_tokens if due else None,
    )


def _which(ids: Sequence[str]) -> str:
    places = [id[1:].split("_") for id in ids]
    by_request = groupby(places, key=lambda place: place[0])
    return "; ".join(
        f"{', '.join(number for _, number in found)} of request {request}" for request, found in by_request
    )


def _exchange(turn: Turn, index: int, block: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ids = [f"t{index + 1}_{number}" for number in range(1, len(turn.results) + 1)]
    calls = [{"type": "tool_use", "id": id, "name": turn.tool, "input": {}} for id in ids]
    said = {"type": "text", "text": f"<{turn.other}>"}
    results = [
        {"type": "tool_result", "tool_use_id": id, "content": f"<{size}>{'' if turn.tiny else LONG}"}
        for id, size in zip(ids, turn.results, strict=True)
    ]
    return [{"role": "assistant", "content": [*block, said, *calls]}, {"role": "user", "content": results}]
