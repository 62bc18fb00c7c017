"""Usage as the API reports it."""

from __future__ import annotations

from ctxengine.semantics.cache import CacheUse
from ctxengine.semantics.usage import iteration, usage_of

MESSAGE = iteration("message", CacheUse(read=600, write_5m=20, write_1h=7, uncached=3), 50)


def test_message() -> None:
    """A message's usage names what was read, what was written by ttl, and what was neither."""
    assert usage_of([MESSAGE], listed=False) == {
        "input_tokens": 3,
        "output_tokens": 50,
        "cache_creation_input_tokens": 27,
        "cache_read_input_tokens": 600,
        "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 7},
    }


def test_top_level_leaves_compactions_and_advice_out() -> None:
    """The top level adds up the messages; compactions and advice stand in the entries alone."""
    compaction = iteration("compaction", CacheUse(0, 55_096, 0, 100), 131)
    advice = iteration("advisor_message", CacheUse(0, 0, 0, 2518), 22, "an-advisor")
    usage = usage_of([compaction, MESSAGE, advice, MESSAGE])
    assert (usage["input_tokens"], usage["output_tokens"], usage["cache_read_input_tokens"]) == (6, 100, 1200)
    assert [entry["type"] for entry in usage["iterations"]] == ["compaction", "message", "advisor_message", "message"]
    assert usage["iterations"][2]["model"] == "an-advisor"


def test_paused() -> None:
    """A response that is only a compaction shows nothing at the top level."""
    usage = usage_of([iteration("compaction", CacheUse(0, 0, 0, 51_924), 602)])
    assert (usage["input_tokens"], usage["output_tokens"]) == (0, 0)


def test_fallback() -> None:
    """After a fallback the top level is the fallback's."""
    first = iteration("message", CacheUse(0, 0, 0, 408), 0, "the-first")
    then = iteration("fallback_message", CacheUse(0, 0, 0, 412), 264, "the-second")
    usage = usage_of([first, then])
    assert (usage["input_tokens"], usage["output_tokens"]) == (412, 264)
