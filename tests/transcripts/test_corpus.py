"""Real logs, where they are: all can be read, and say what their manifest says."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ctxengine.transcripts import Transcript, read_transcripts
from tests.transcripts.invariants import check, tool_uses

CORPUS = Path(os.environ.get("CTXENGINE_CORPUS") or Path(__file__).parents[3] / "shared" / "data") / "transcripts"
MANIFEST = CORPUS / "MANIFEST.json"
ENTRIES = [
    pytest.param(entry, id=entry["file"])
    for entry in (json.loads(MANIFEST.read_text())["files"] if MANIFEST.exists() else ())
    if entry["file"].startswith(("cc_", "pi_", "tau_")) or "function_calling" in entry["file"]
]

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not ENTRIES, reason="no real conversations here: name their folder in CTXENGINE_CORPUS"),
]


def total(transcripts: tuple[Transcript, ...], repair: str) -> int:
    found = [item.message for transcript in transcripts for item in transcript.findings]
    return sum(int(message.rpartition(" ")[2]) for message in found if message.startswith(repair))


@pytest.mark.parametrize("entry", ENTRIES)
def test_real_logs(entry: dict[str, Any]) -> None:
    """Every context can be sent, and no response or tool use of the manifest is lost without being counted."""
    transcripts = read_transcripts(CORPUS / entry["file"])
    stats = entry["stats"]
    for transcript in transcripts:
        check(transcript)
    if entry["file"].startswith("pi_"):
        ids = {use["id"] for transcript in transcripts for use in tool_uses(transcript)}
        assert len(ids) == stats["roles"]["toolCall"]  # a compaction keeps some of them: those are in two contexts
        return
    uses = sum(len(tool_uses(transcript)) for transcript in transcripts)
    assert uses == stats["tool_use" if "tool_use" in stats else "tool_calls"]
    assert total(transcripts, "tool uses without a result") == stats.get("unpaired_tool_use", 0)
    assert total(transcripts, "tool results without") == stats.get("orphan_tool_result", 0)
    if "responses" in stats:
        joined = total(transcripts, "assistant messages that followed")
        billed = sum(len(transcript.recorded) for transcript in transcripts)
        assert billed == stats["responses"] - stats["models"].get("<synthetic>", 0) - joined
        assert sum(map(cache_read, transcripts)) <= stats["sum_cache_read"]


def cache_read(transcript: Transcript) -> int:
    return sum(entry.usage.get("cache_read_input_tokens", 0) for entry in transcript.recorded)
