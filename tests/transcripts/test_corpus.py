"""Real logs, where they are: all can be read, and say what their manifest says."""

from __future__ import annotations

from typing import Any

import pytest

from ctxengine.transcripts import Transcript, read_transcripts
from tests.corpus import CORPUS, ENTRIES, MISSING
from tests.transcripts.invariants import check, tool_uses

pytestmark = [pytest.mark.corpus, pytest.mark.skipif(not ENTRIES, reason=MISSING)]


def total(transcripts: tuple[Transcript, ...], repair: str) -> int:
    found = [item.message for transcript in transcripts for item in transcript.findings]
    return sum(int(message.rpartition(" ")[2]) for message in found if message.startswith(repair))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["file"])
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
