"""What the API billed, paired with the size of what it was billed for: the data behind the token weights.

Session logs give differences between consecutive responses: the system prompt and the tools, which the logs do not
hold, cancel out. Recorded requests are whole, and short. Both lie outside the repository.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from ctxengine.catalog import default_catalog
from ctxengine.tokens import Size, measure, measure_messages
from ctxengine.transcripts import Transcript, read_transcripts

REQUEST, REQUEST_WITH_TOOLS = "request", "request with tools"
LOG, LOG_WITH_REMINDERS = "session log", "session log with hidden reminders"
BILLED = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
PADDING = 8
"""Text that deflates further than this is one sentence over and over: no prose, and no measure of it."""
UNCOUNTED = ("mcp_servers", "context_management", "container", "output_format", "thinking")
"""Arguments that put text of their own into the prompt, or take some out."""


@dataclass(frozen=True)
class Pair:
    """``tokens`` were billed for ``size``. Pairs of one ``group`` are held out together."""

    kind: str
    group: str
    model: str
    tokenizer: str
    size: Size
    tokens: int


def corpus() -> Path:
    """The folder with the recordings: ``CTXENGINE_CORPUS``, else ``shared/data`` beside the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("CTXENGINE_CORPUS", beside))


def pairs(folder: Path) -> list[Pair]:
    """All pairs whose model has a known tokenizer, each different one once."""
    found = [*_from_requests(folder / "recordings" / "calibration_requests.dev.jsonl")]
    for kind, name, transcript in logs(folder):
        found.extend(_from_log(transcript, kind, name))
    return list(dict.fromkeys(found))


def logs(folder: Path) -> Iterator[tuple[str, str, Transcript]]:
    """Kind, file name and transcript of every session log. Claude Code's do not show the reminders it slips in."""
    for kind, pattern in ((LOG, "pi_*.jsonl"), (LOG_WITH_REMINDERS, "cc_*.jsonl")):
        for path in sorted((folder / "transcripts").glob(pattern)):
            for transcript in read_transcripts(path, lenient=True):
                yield kind, path.name, transcript


def _from_log(transcript: Transcript, kind: str, group: str) -> Iterator[Pair]:
    messages = transcript.request["messages"]
    for before, after in pairwise(transcript.recorded):
        model = default_catalog().find_model(after.model or "").facts
        tokens = billed(after.usage) - billed(before.usage)
        if model and model.tokenizer and before.model == after.model and tokens > 0:
            size = measure_messages(messages[before.messages : after.messages])
            yield Pair(kind, group, model.id, model.tokenizer, size, tokens)


def _from_requests(path: Path) -> Iterator[Pair]:
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        request = row["request"]
        model = default_catalog().find_model(row["model"]).facts
        if not model or not model.tokenizer or row["server_tools"] or _adds_text(request):
            continue
        parts = [request.get("system"), request.get("tools"), request["messages"]]
        if not is_padding(parts):
            size = measure(parts[0]) + measure(parts[1]) + measure_messages(parts[2])
            kind = REQUEST_WITH_TOOLS if request.get("tools") else REQUEST
            yield Pair(kind, row["source"]["repo"], model.id, model.tokenizer, size, row["input_total"])


def billed(usage: Mapping[str, Any]) -> int:
    """The whole prompt's tokens, whether they came from the cache or not."""
    return sum(usage.get(key) or 0 for key in BILLED)


def _adds_text(request: dict[str, Any]) -> bool:
    forced = (request.get("tool_choice") or {}).get("type") in ("any", "tool")
    return forced or "format" in (request.get("output_config") or {}) or any(request.get(key) for key in UNCOUNTED)


def is_padding(value: object) -> bool:
    text = json.dumps(value).encode()
    return len(text) > PADDING * len(zlib.compress(text))
