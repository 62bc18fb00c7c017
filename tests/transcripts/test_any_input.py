"""Whatever the lines of a log hold: a transcript that can be sent, or a TranscriptError."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ctxengine.errors import TranscriptError
from ctxengine.transcripts import read_request, read_transcripts
from tests.transcripts.invariants import check

ID = st.sampled_from(["a", "b", "a b", "", None, 3])
TEXT = st.sampled_from(["Hello.", "", " "])
INNER = st.one_of(TEXT, st.none(), st.lists(st.builds(lambda text: {"type": "text", "text": text}, TEXT), max_size=2))
BLOCK = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, TEXT),
    st.builds(lambda use, of: {"type": "tool_use", "id": use, "name": of, "input": of}, ID, ID),
    st.builds(lambda use, of: {"type": "toolCall", "id": use, "name": of, "arguments": of}, ID, ID),
    st.builds(lambda use, content: {"type": "tool_result", "tool_use_id": use, "content": content}, ID, INNER),
    st.builds(lambda signature: {"type": "thinking", "thinking": "Hm.", "signature": signature}, TEXT),
    st.just({"type": "hologram"}),
)
CONTENT = st.one_of(TEXT, st.none(), st.lists(BLOCK, max_size=4))
CALL = st.builds(lambda use, of: {"id": use, "function": {"name": of, "arguments": of}}, ID, ID)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system"]), "content": CONTENT},
)
CHAT = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "system"]), "content": TEXT},
    optional={"tool_calls": st.lists(CALL, max_size=3), "tool_call_id": ID},
)
CLAUDE_CODE = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["user", "assistant"]),
        "uuid": ID,
        "parentUuid": ID,
        "message": st.fixed_dictionaries({"id": ID, "content": CONTENT}, optional={"usage": st.just({"n": 1})}),
    },
    optional={"isSidechain": st.booleans(), "isCompactSummary": st.booleans(), "agentId": ID},
)
PI = st.one_of(
    st.fixed_dictionaries(
        {
            "type": st.just("message"),
            "message": st.fixed_dictionaries(
                {"role": st.sampled_from(["user", "assistant", "toolResult", "bashExecution"]), "content": CONTENT},
                optional={"toolCallId": ID, "usage": st.just({"input": 1})},
            ),
        }
    ),
    st.builds(lambda at: {"type": "compaction", "summary": "So far.", "firstKeptEntryIndex": at}, st.integers(0, 9)),
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "role", "content", "message", "messages", "request", "version", "id", "history"])
            | st.text(max_size=3),
            inner | st.sampled_from(["user", "assistant", "system", "message", "session", "text", "tool_use", "1"]),
            max_size=5,
        )
    ),
    max_leaves=20,
)
FILES = st.one_of(
    st.lists(CLAUDE_CODE, min_size=1, max_size=12),
    st.lists(PI, min_size=1, max_size=12),
    st.lists(st.one_of(CLAUDE_CODE, PI, ANYTHING), max_size=6),
    st.builds(lambda messages: [{"messages": messages}], st.lists(MESSAGE, max_size=10)),
    st.builds(lambda history: [{"traj": history}], st.lists(CHAT, max_size=10)),
    st.builds(lambda document: [document], ANYTHING),
)


@settings(deadline=None, max_examples=400)
@given(FILES, st.booleans())
def test_any_lines(lines: list[Any], lenient: bool) -> None:
    """Any JSON lines give conversations that hold the invariants, or one TranscriptError."""
    data = "\n".join(map(json.dumps, lines)).encode()
    try:
        transcripts = read_transcripts(data, name="log.jsonl", lenient=lenient)
    except TranscriptError:
        return
    for transcript in transcripts:
        check(transcript)


@settings(deadline=None)
@given(st.binary(max_size=60) | ANYTHING.map(lambda value: json.dumps(value).encode()), st.booleans())
def test_any_bytes(data: bytes, by_line: bool) -> None:
    """Any bytes give a request with boundaries in it, or one TranscriptError."""
    try:
        transcript = read_request(data, name="log.jsonl" if by_line else "request")
    except TranscriptError:
        return
    assert all(at <= len(transcript.request["messages"]) for at in transcript.boundaries())
