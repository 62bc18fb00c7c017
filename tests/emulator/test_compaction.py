"""Both compactions through the real SDK: when they fire, what they cost, what comes back, and what may go wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import anthropic
import pytest

from ctxengine.emulator import Emulator
from ctxengine.semantics import summary_size
from ctxengine.transcripts import Transcript
from tests.emulator.sdk import CM, COMPACT, HELLO, ON_DEMAND, WAYS, client, compacting, create, emulator, facts, stream

Ask = Callable[[Emulator, Mapping[str, Any]], Any]
SUMMARISE = {**HELLO, "max_tokens": 8_000, "compaction": {"type": "summarize"}, "betas": [ON_DEMAND]}
LONG = {**SUMMARISE, "messages": [{"role": "user", "content": " ".join(facts(2_000))}]}
SEARCH = [
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "drawers"}},
    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
]


@pytest.mark.parametrize("ask", WAYS.values(), ids=WAYS)
def test_threshold(ask: Ask) -> None:
    """At the trigger the message starts with a summary, and only the top level of its usage leaves that out."""
    message = ask(emulator(["Done."]), compacting())
    block, text = message.content
    assert (block.type, text.text, message.stop_reason) == ("compaction", "Done.", "end_turn")
    assert "Fact 5999" in block.content
    compaction, reply = message.usage.iterations
    assert (compaction.type, reply.type) == ("compaction", "message")
    assert compaction.input_tokens > 50_000 and 81 <= compaction.output_tokens <= 2_839
    assert (message.usage.input_tokens, message.usage.output_tokens) == (reply.input_tokens, reply.output_tokens)
    assert reply.input_tokens < compaction.input_tokens / 10
    assert message.context_management.applied_edits == []


def test_below_the_trigger() -> None:
    """Below the trigger nothing is summarised, and the one iteration is the message."""
    message = create(emulator(["Done."]), compacting(sentences=10))
    assert [block.type for block in message.content] == ["text"]
    assert [entry.type for entry in message.usage.iterations] == ["message"]


def test_pause() -> None:
    """With a pause the block is all there is, at no cost on the top level; sent back with its edit, it goes on."""
    emulated = emulator(["Done."])
    paused = create(emulated, compacting(pause=True))
    assert ([block.type for block in paused.content], paused.stop_reason) == (["compaction"], "compaction")
    assert (paused.usage.input_tokens, paused.usage.output_tokens) == (0, 0)
    history = [{"role": "assistant", "content": [paused.content[0].to_dict()]}, {"role": "user", "content": "Go on."}]
    resumed = create(emulated, compacting(messages=history))
    assert [block.type for block in resumed.content] == ["text"]
    with pytest.raises(anthropic.BadRequestError, match="blocks require a `compact_20260112` strategy"):
        create(emulated, {**HELLO, "messages": history, "betas": [COMPACT]})


def test_how_a_threshold_block_is_streamed() -> None:
    """It starts empty and comes in one delta."""
    events = list(client(emulator(["Done."])).beta.messages.create(**compacting(), stream=True))
    start, delta = events[1], events[2]
    assert (start.content_block.type, start.content_block.content) == ("compaction", None)
    assert (delta.delta.type, delta.delta.content[:7]) == ("compaction_delta", "Summary")
    assert [event.type for event in events[3:5]] == ["content_block_stop", "content_block_start"]


@pytest.mark.parametrize("ask", WAYS.values(), ids=WAYS)
def test_on_demand(ask: Ask) -> None:
    """A signed block and nothing else, at no cost on the top level; the script is not played."""
    message = ask(emulator(), LONG)
    (block,) = message.content
    assert (block.type, message.stop_reason, bool(block.signature)) == ("compaction", "compaction", True)
    assert (message.usage.input_tokens, [entry.type for entry in message.usage.iterations]) == (0, ["compaction"])


def test_a_signed_block_is_streamed_whole() -> None:
    """It has no deltas."""
    events = list(client(emulator()).beta.messages.create(**LONG, stream=True))
    assert [event.type for event in events[1:3]] == ["content_block_start", "content_block_stop"]
    assert events[1].content_block.signature


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({}, None),
        ({"content": "Everything is fine."}, anthropic.types.CompactionContentMismatchError),
        ({"signature": "bm8gc2lnbmF0dXJl"}, anthropic.types.CompactionSignatureInvalidError),
        ({"signature": lambda own: f"{own[:20]}*** {own[20:]}"}, anthropic.types.CompactionSignatureInvalidError),
        ({"signature": lambda own: f"{own}AAAA"}, anthropic.types.CompactionSignatureInvalidError),
    ],
)
def test_tampering(changed: Mapping[str, Any], error: type[Exception] | None) -> None:
    """A signed block goes back as it came, or not at all."""
    emulated = emulator()
    block = create(emulated, LONG).content[0].to_dict()
    block |= {name: value(block[name]) if callable(value) else value for name, value in changed.items()}
    history = [{"role": "assistant", "content": [block]}, {"role": "user", "content": "Go on."}]
    request = {**HELLO, "messages": history, "betas": [ON_DEMAND]}
    if error:
        with pytest.raises(error):
            create(emulated, request)
    else:
        assert create(emulated, request).content[0].text == "Go on."


def test_summaries_are_the_same_each_time() -> None:
    """The same conversation has the same summary; one that repeats itself has a short one."""
    first, second = (create(emulator(["Done."]), compacting()).content[0].content for _ in range(2))
    dull = compacting(messages=[{"role": "user", "content": "Nothing happened. " * 30_000}])
    assert first == second
    assert len(create(emulator(["Done."]), dull).content[0].content) < 100 < len(first)


def test_a_recorded_summary_is_played() -> None:
    """A script that holds a compaction block says what the summary is; a pause plays that block alone."""
    turns = [[{"type": "compaction", "content": "All facts are known."}], "Done."]
    emulated = emulator(turns)
    assert create(emulated, compacting(pause=True)).content[0].content == "All facts are known."
    assert create(emulated, HELLO).content[0].text == "Done."


def test_several_in_one_request() -> None:
    """After a server tool the trigger is looked at again."""
    found = [
        *SEARCH[:1],
        {**SEARCH[1], "content": [{"type": "web_search_result", "title": text, "url": ""} for text in facts(6_000)]},
    ]
    message = create(emulator([[*found, {"type": "text", "text": "Done."}]]), compacting(max_tokens=16_000))
    assert [block.type for block in message.content] == [
        "compaction", "server_tool_use", "web_search_tool_result", "compaction", "text",
    ]  # fmt: skip
    entries = message.usage.iterations
    assert [entry.type for entry in entries] == ["compaction", "message", "compaction", "message"]
    assert message.usage.input_tokens == entries[1].input_tokens + entries[3].input_tokens
    assert message.usage.server_tool_use.web_search_requests == 1


def searched(id: str, sentences: int = 6_000) -> list[dict[str, Any]]:
    """A search and its large result."""
    result = {"type": "web_search_result", "url": "", "encrypted_content": ""}
    large = [{**result, "title": text} for text in facts(sentences)]
    return [{**SEARCH[0], "id": id}, {**SEARCH[1], "tool_use_id": id, "content": large}]


DONE = {"type": "text", "text": "Done."}
PAUSING = compacting(max_tokens=16_000, pause=True, messages=[{"role": "user", "content": "Search"}])
"""Pauses once a search has brought its results."""


def said(message: Any) -> tuple[str, list[str]]:
    return message.stop_reason, [
        getattr(block, "id", None) or getattr(block, "text", block.type) for block in message.content
    ]


def behind(message: Any, *more: dict[str, Any]) -> dict[str, Any]:
    """The request that goes on from a paused message."""
    answer = {"role": "assistant", "content": [block.to_dict() for block in message.content]}
    return {**PAUSING, "messages": [*PAUSING["messages"], answer, *more]}


FIRST = ("compaction", ["srvtoolu_1", "web_search_tool_result", "compaction"])


def test_a_pause_between_passes() -> None:
    """Paused between the passes of one answer, the model goes on behind what it has written, each block once."""
    emulated = emulator([[*searched("srvtoolu_1"), *searched("srvtoolu_2"), DONE], "Yes?"])
    first = create(emulated, PAUSING)
    second = create(emulated, behind(first))
    third = create(emulated, behind(second))
    assert [said(first), said(second), said(third)] == [
        FIRST, ("compaction", ["srvtoolu_2", "web_search_tool_result", "compaction"]), ("end_turn", ["Done."]),
    ]  # fmt: skip
    assert said(create(emulated, behind(second))) == ("end_turn", ["Yes?"])


def test_a_paused_answer_shares_out_its_tokens() -> None:
    """Output tokens that the script gives are those of all its passes together, over the pause too."""
    emulated = emulator([{"content": [*searched("srvtoolu_1"), DONE], "usage": {"output_tokens": 500}}])
    first = create(emulated, PAUSING)
    second = create(emulated, behind(first))
    passes = [entry for message in (first, second) for entry in message.usage.iterations if entry.type == "message"]
    assert [entry.output_tokens > 0 for entry in passes] == [True, True]
    assert sum(entry.output_tokens for entry in passes) == 500


def test_what_comes_between_does_not_disturb_a_pause() -> None:
    """Another conversation gets the next turn, warming the paused one leaves it, and then it goes on as it would."""
    emulated = emulator([[*searched("srvtoolu_1"), DONE], "Second", "Third"])
    first = create(emulated, PAUSING)
    other = create(emulated, HELLO)
    create(emulated, {**behind(first), "max_tokens": 0})
    resumed = create(emulated, behind(first, {"role": "user", "content": "Go on."}))
    assert [said(each)[1] for each in (other, resumed, create(emulated, HELLO))] == [["Second"], ["Done."], ["Third"]]


def test_a_paused_answer_that_pauses_again_before_it_goes_on() -> None:
    """Where the rest must wait for another compaction, it is still there behind that one."""
    emulated = emulator([[*searched("srvtoolu_1"), DONE]])
    first = create(emulated, PAUSING)
    again = create(emulated, {**behind(first), "system": " ".join(facts(7_000))})
    assert said(again) == ("compaction", ["compaction"])
    assert said(create(emulated, behind(again))) == ("end_turn", ["Done."])


def test_of_two_that_pause_at_the_same_words_the_newer_goes_on() -> None:
    """A summary that stands in the script is everybody's, and nobody gets the rest of another's answer."""
    summary = {"type": "compaction", "content": "So far so good."}
    emulated = emulator([[summary, *searched("srvtoolu_1"), DONE], [summary, {"type": "text", "text": "Other."}]])
    assert said(create(emulated, PAUSING)) == FIRST
    other = create(emulated, compacting(pause=True))
    assert said(other) == ("compaction", ["compaction"])
    assert said(create(emulated, behind(other))) == ("end_turn", ["Other."])


def test_the_pass_behind_a_compaction_writes_no_more_than_it_marks() -> None:
    """The model reads the summary behind the cached system prompt, and only marks are written."""
    system = [{"type": "text", "text": " ".join(facts(200)), "cache_control": {"type": "ephemeral"}}]
    entries = create(emulator(["Done."]), compacting(system=system)).usage.iterations
    assert [(entry.type, entry.cache_read_input_tokens > 0) for entry in entries] == [
        ("compaction", False), ("message", True),
    ]  # fmt: skip
    assert entries[1].cache_creation_input_tokens == 0


def test_pauses_of_two_keys_keep_apart() -> None:
    """Whoever pauses goes on with the rest of that answer, also where another one pauses at the same words."""
    summary = {"type": "compaction", "content": "So far so good."}
    rests = [{"type": "text", "text": text} for text in ("Yours.", "Mine.")]
    emulated = emulator([[summary, *searched("srvtoolu_1"), rest] for rest in rests])
    clients = [anthropic.Anthropic(**{**emulated.client_options(), "api_key": key}) for key in ("one", "other")]
    paused = [each.beta.messages.create(**PAUSING) for each in clients]
    resumed = [each.beta.messages.create(**behind(message)) for each, message in zip(clients, paused, strict=True)]
    assert [said(each)[1] for each in resumed] == [["Yours."], ["Mine."]]


def test_a_refused_compaction_leaves_the_script() -> None:
    """A refusal between passes keeps nothing for anyone: the turn is there for the next request."""
    emulated = emulator([[*searched("srvtoolu_1"), DONE], "Second"], faults="refuse-compaction")
    assert create(emulated, PAUSING).stop_reason == "refusal"
    assert said(create(emulated, {**HELLO, "max_tokens": 16_000}))[1] == [
        "srvtoolu_1",
        "web_search_tool_result",
        "Done.",
    ]
    assert said(create(emulated, HELLO))[1] == ["Second"]


def test_a_failed_compaction_pauses_too() -> None:
    """Behind a block without a summary the answer goes on as behind any other, and the history is still read."""
    emulated = emulator([[*searched("srvtoolu_1"), DONE], "Second"], faults="null-compaction")
    first = create(emulated, PAUSING)
    assert (said(first), first.content[-1].content) == (FIRST, None)
    again = create(emulated, behind(first))
    assert said(again) == ("compaction", ["compaction"])
    assert said(create(emulated, behind(again))) == ("end_turn", ["Done."])
    assert said(create(emulated, HELLO)) == ("end_turn", ["Second"])


@pytest.mark.parametrize("between", [[], [{"role": "user", "content": "Go on."}]])
def test_compactions_that_fail_one_after_the_other_lose_nothing(between: list[dict[str, Any]]) -> None:
    """However often no summary comes, the rest of the answer is still to come."""
    emulated = emulator([[*searched("srvtoolu_1"), DONE], "Second"], faults="null-compaction:2")
    first = create(emulated, PAUSING)
    second = create(emulated, behind(first, *between))
    failed = {"role": "assistant", "content": [block.to_dict() for block in second.content]}
    third = create(emulated, behind(first, *between, failed, *between))
    assert [said(each)[1] for each in (first, second, third)] == [FIRST[1], ["compaction"], ["compaction"]]
    assert [each.content[-1].content is None for each in (first, second, third)] == [True, True, False]
    assert said(create(emulated, behind(third, *between))) == ("end_turn", ["Done."])


def test_a_stop_sequence_does_not_make_an_answer_longer() -> None:
    """Output tokens that the script gives are the most that a reply has, also where it is cut at a stop sequence."""
    reply = {"content": [{"type": "text", "text": f"{'word ' * 3000}END more"}], "usage": {"output_tokens": 5}}
    message = create(emulator([reply]), {**HELLO, "max_tokens": 100, "stop_sequences": ["END"]})
    assert (message.stop_reason, message.usage.output_tokens) == ("stop_sequence", 5)


def test_what_a_server_tool_brings_is_no_output() -> None:
    """A large result is neither cut by max_tokens nor billed as output, and a stop sequence behind it is found."""
    emulated = emulator([[*searched("srvtoolu_1", 500), {"type": "text", "text": "A short answer. STOP more"}]])
    message = create(emulated, {**HELLO, "max_tokens": 1_000, "stop_sequences": ["STOP"]})
    assert said(message) == ("stop_sequence", ["srvtoolu_1", "web_search_tool_result", "A short answer. "])
    assert message.usage.output_tokens < 200


def test_server_tools_fill_the_window() -> None:
    """Where a server tool brings more than the window holds, the answer ends there."""
    large = [{"type": "web_search_result", "title": text, "url": ""} for text in facts(20_000)]
    script = [[*SEARCH[:1], {**SEARCH[1], "content": large}, {"type": "text", "text": "Done."}]]
    message = create(emulator(script), {**HELLO, "model": "claude-haiku-4-5", "max_tokens": 1024})
    assert [block.type for block in message.content] == ["server_tool_use", "web_search_tool_result"]
    assert message.stop_reason == "model_context_window_exceeded"
    assert message.usage.input_tokens < 200_000


def test_server_tools_leave_some_of_the_window() -> None:
    """Where there is room for a part of what comes behind a result, that part is written."""
    emulated = emulator([[*searched("srvtoolu_1", 5_800), {"type": "text", "text": "word " * 9_000}]])
    request = {**HELLO, "model": "claude-haiku-4-5", "max_tokens": 16_000, "betas": [COMPACT]}
    message = create(emulated, request)
    assert (message.stop_reason, len(message.content)) == ("model_context_window_exceeded", 3)
    assert 0 < len(message.content[2].text) < 45_000
    last = message.usage.iterations[-1]
    assert last.input_tokens + last.output_tokens == pytest.approx(200_000, abs=20)


WORDS = " ".join(facts(6_000))
DOCUMENT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": WORDS}}
WRITES = [
    each
    for number, text in enumerate(facts(60))
    for each in (
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": f"t{number}", "name": "write", "input": {"content": f"{text} " * 150}}
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"t{number}", "content": "ok"}]},
    )
]
HEAVY: dict[str, list[dict[str, Any]]] = {
    "one long line": [{"role": "user", "content": WORDS.replace(".", "")}],
    "a document": [{"role": "user", "content": [DOCUMENT]}],
    "what tools were called with": [{"role": "user", "content": "Write"}, *WRITES],
}


@pytest.mark.parametrize("messages", HEAVY.values(), ids=HEAVY)
def test_summaries_are_as_long_as_recorded_ones(messages: list[dict[str, Any]]) -> None:
    """Wherever a conversation has its words, its summary has about the length that its size lets expect."""
    message = create(emulator(["Done."]), compacting(messages=messages))
    compaction = message.usage.iterations[0]
    expected = summary_size(compaction.input_tokens)
    assert expected / 2 < compaction.output_tokens <= expected


def test_a_fault_strikes_one_compaction() -> None:
    """Of several compactions in one request a fault strikes as many as its number says, later ones too."""
    large = [{"type": "web_search_result", "title": text, "url": ""} for text in facts(6_000)]
    script = [[*SEARCH[:1], {**SEARCH[1], "content": large}, {"type": "text", "text": "Done."}]]
    message = create(emulator(script, faults="null-compaction"), compacting(max_tokens=16_000))
    assert [block.content is None for block in message.content if block.type == "compaction"] == [True, False]
    short = compacting(max_tokens=16_000, messages=[{"role": "user", "content": "Search"}])
    message = create(emulator(script, faults="null-compaction"), short)
    assert [block.content for block in message.content if block.type == "compaction"] == [None]


def test_clearing_between_passes_is_reported() -> None:
    """What is cleared once a server tool has answered stands among the applied edits."""
    found = [{"type": "web_search_result", "title": "word " * 4_000, "url": ""}]
    searches = [
        block
        for id in ("s1", "s2", "s3")
        for block in ({**SEARCH[0], "id": id}, {**SEARCH[1], "tool_use_id": id, "content": found})
    ]
    edit = {
        "type": "clear_tool_uses_20250919",
        "trigger": {"type": "input_tokens", "value": 3_000},
        "keep": {"type": "tool_uses", "value": 1},
    }
    request = {**HELLO, "max_tokens": 16_000, "context_management": {"edits": [edit]}, "betas": [CM]}
    message = create(emulator([[*searches, {"type": "text", "text": "Done."}]]), request)
    (applied,) = message.context_management.applied_edits
    assert applied.cleared_tool_uses == 2


@pytest.mark.parametrize("ask", [create, stream])
def test_null_compaction(ask: Ask) -> None:
    """A compaction that fails leaves a block without content, is billed, and the model reads on."""
    message = ask(emulator(["Done."], faults="null-compaction"), compacting())
    assert [block.type for block in message.content] == ["compaction", "text"]
    assert message.content[0].content is None
    compaction, reply = message.usage.iterations
    assert (compaction.output_tokens, reply.input_tokens > 50_000) == (0, True)


@pytest.mark.parametrize("ask", [create, stream])
def test_refused_compaction(ask: Ask) -> None:
    """A refusal while summarising ends the message after an empty block, as recorded."""
    message = ask(emulator(["Done."], faults="refuse-compaction"), compacting())
    assert ([block.type for block in message.content], message.stop_reason) == (["compaction"], "refusal")
    assert [(entry.type, entry.output_tokens) for entry in message.usage.iterations] == [
        ("compaction", 0),
        ("message", 0),
    ]


def test_truncated_summary() -> None:
    """A summary that is cut off stops in the middle."""
    whole, cut = (create(emulator(["Done."], faults=fault), compacting()) for fault in ("", "truncate-summary"))
    assert whole.content[0].content.startswith(cut.content[0].content)
    assert len(cut.content[0].content) == len(whole.content[0].content) // 2


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("refuse-compaction", "refusal"), ("null-compaction", "end_turn"), ("truncate-summary", "max_tokens")],
)
def test_no_summary_on_demand(fault: str, reason: str) -> None:
    """Without a summary the answer is empty and says why; it is billed all the same."""
    message = create(emulator(faults=fault), LONG)
    assert (message.content, message.stop_reason) == ([], reason)
    assert message.usage.iterations[0].input_tokens > 1_000


def test_too_little_room_for_a_summary() -> None:
    """max_tokens bounds the summary."""
    message = create(emulator(), {**LONG, "max_tokens": 50})
    assert (message.content, message.stop_reason, message.usage.iterations[0].output_tokens) == ([], "max_tokens", 50)


def test_unavailable() -> None:
    """The transient failure of on-demand compaction is a 529 with its code."""
    with pytest.raises(anthropic.types.CompactionUnavailableError) as caught:
        create(emulator(faults="compaction-unavailable"), LONG)
    assert caught.value.status_code == 529


def test_a_block_cannot_be_read_either() -> None:
    """The transient failure strikes a request that brings a signed block, too."""
    recorded = Transcript("recorded", "messages", {"messages": [{"role": "user", "content": "Hi"}]})
    block = {"type": "compaction", "content": "So far.", "signature": "recorded"}
    later = {**HELLO, "messages": [{"role": "assistant", "content": [block]}, *HELLO["messages"]], "betas": [ON_DEMAND]}
    with pytest.raises(anthropic.types.CompactionUnavailableError):
        create(emulator(recorded, faults="compaction-unavailable"), later)


def test_too_many_references() -> None:
    """Nobody knows what is too many, so only a fault says so."""
    with pytest.raises(anthropic.BadRequestError) as caught:
        create(emulator(faults="too-many-references"), LONG)
    assert caught.value.body["error"]["details"]["error_code"] == "compaction_too_many_tool_references"
