"""What a session shows: what is needed again, times, bills, recorded compactions, totals."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import Any

import joblib
import pytest

from ctxengine.simulate import Results, Session, simulate
from ctxengine.simulate.files import sessions
from ctxengine.simulate.simulation import Simulator
from ctxengine.simulate.sources import find_files
from ctxengine.simulate.totals import verdict
from ctxengine.transcripts import Recorded, Transcript

MODEL = "claude-opus-4-6"
LINE = "def answer_to_everything(question): return 42"
SENTENCE = "the retention period is seven years and six months"
QUESTION = "Who is it that keeps the keys of the old cellar door"
NUMBERED = "total = sum(each.price for each in basket)"
LONG = "-".join(map(str, range(300)))
CLEAR = {
    "version": "1",
    "name": "clear",
    "edits": [
        {
            "type": "clear_tool_uses_20250919",
            "trigger": {"type": "tool_uses", "value": 1},
            "keep": {"type": "tool_uses", "value": 1},
        }
    ],
}
COMPACT = {
    "version": "1",
    "name": "compact",
    "compaction": {"mode": "threshold", "trigger": {"type": "input_tokens", "value": 50000}},
}


def read(id: str, path: str) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": "read", "input": {"path": path}}]}


def result(id: str, text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": text}]}


def say(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": text}


def session(*messages: dict[str, Any], policy: dict[str, Any] = CLEAR, recorded: tuple[Recorded, ...] = ()) -> Session:
    request = {"model": MODEL, "messages": list(messages)}
    (found,) = simulate([Transcript("c", "messages", request, recorded)], [policy]).sessions
    return found


def rows(found: Session, column: str = "clear") -> list[dict[str, Any]]:
    return [row for row in found.rows if row["policy"] == column]


READS = (
    say("user", "Go"),
    read("a", "a.py"),
    result("a", f"{'x' * 100}\n    {LINE}\n    12\u2192    {NUMBERED}\n{LONG}1"),
    read("b", "b.py"),
    result("b", f"This stands before it. {SENTENCE}. This stands behind it. {QUESTION}? Nobody knows."),
    read("c", "c.py"),
    result("c", "z" * 100),
)

NEEDED = {
    "the same call": (
        read("d", "a.py"),
        {"needed_again": 1, "repeated": 1, "quoted": 0, "needed": ["calls 'read' again, as in messages.1.content.0"]},
    ),
    "a passage": (
        say("assistant", f'It says "{LINE}".'),
        {"needed_again": 1, "repeated": 0, "quoted": 1, "needed": ["quotes messages.2.content.0, a result of 'read'"]},
    ),
    "a passage within a sentence": (say("assistant", f"There is {LINE}, as I said."), {"quoted": 1}),
    "a passage in a list": (say("assistant", f"I found:\n- {LINE}\n- more"), {"quoted": 1}),
    "a passage in curly quotes": (say("assistant", f"It says \u201c{LINE}\u201d."), {"quoted": 1}),
    "a question": (say("assistant", f'You ask: "{QUESTION}?"'), {"quoted": 1}),
    "a line of a numbered file": (say("assistant", f"Line 12 is {NUMBERED}"), {"quoted": 1}),
    "a passage whose end alone differs": (say("assistant", f"{LONG}2"), {"quoted": 1}),
    "a passage in straight quotes": (say("assistant", f"It says '{LINE}'."), {"quoted": 1}),
    "a passage in bold": (say("assistant", f"It says **{LINE}**."), {"quoted": 1}),
    "a passage as a link": (say("assistant", f"It says [{LINE}](a.py)."), {"quoted": 1}),
    "a passage in what a tool is called with": (read("d", f"a.py\n\t{LINE}\n"), {"quoted": 1}),
    "a sentence": (say("assistant", f"So {SENTENCE}, and no other."), {"quoted": 1}),
    "a passage that its own thinking repeats": (
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": LINE, "signature": "s"}, {"type": "text", "text": LINE}],
        },
        {"quoted": 1},
    ),
    "the beginning of a passage": (say("assistant", f"{LINE[:-1]}3"), {"needed_again": 0}),
    "another call": (read("d", "d.py"), {"needed_again": 0}),
    "a short passage": (say("assistant", LINE[:30]), {"needed_again": 0}),
    "what is still there": (read("d", "c.py"), {"needed_again": 0}),
}


@pytest.mark.parametrize(("answer", "expected"), NEEDED.values(), ids=NEEDED)
def test_needed_again(answer: dict[str, Any], expected: dict[str, int]) -> None:
    """A repeated call or a quoted passage counts where what it comes back to was cleared, and nowhere else."""
    found = session(*READS, answer)
    last = rows(found)[-1]
    assert last["cleared_tool_uses"] == 2
    assert {name: last[name] for name in expected} == expected
    assert [row["needed_again"] for row in rows(found, "no policy")] == [0, 0, 0, 0]
    needed = any(expected.get(name) for name in ("needed_again", "quoted"))
    assert found.totals[1]["first_needed"] == (4 if needed else None)


@pytest.mark.parametrize(("inputs", "needed"), [(True, ["quotes messages.1.content.0, a call of 'read'"]), (False, [])])
def test_what_a_tool_was_called_with_is_needed_again(inputs: bool, needed: list[str]) -> None:
    """A passage of a tool use's input counts where the policy clears inputs."""
    (edit,) = CLEAR["edits"]
    policy = {**CLEAR, "edits": [{**edit, "clear_tool_inputs": inputs}]}
    reads = (say("user", "Go"), read("a", f"a.py\n{LINE}"), result("a", "x" * 100), *READS[3:])
    assert rows(session(*reads, say("assistant", f"I looked for {LINE}."), policy=policy))[-1]["needed"] == needed


@pytest.mark.parametrize(("keep", "needed"), [(1, ["quotes messages.1.content.0, thinking"]), (9, [])])
def test_thinking_is_needed_again(keep: int, needed: list[str]) -> None:
    """A passage of thinking counts where the policy clears that thinking."""
    edit = {"type": "clear_thinking_20251015", "keep": {"type": "thinking_turns", "value": keep}}
    thoughts = [
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": text, "signature": "s"}, *READS[at]["content"]],
        }
        for at, text in ((1, f"I see. {SENTENCE}."), (3, "Hm."), (5, "Well."))
    ]
    messages = [READS[0], thoughts[0], READS[2], thoughts[1], result("b", "y" * 100), thoughts[2], READS[6]]
    request = {"model": MODEL, "thinking": {"type": "adaptive"}, "messages": [*messages, say("assistant", SENTENCE)]}
    policy = {"version": "1", "name": "clear", "edits": [edit]}
    (found,) = simulate([Transcript("c", "messages", request, ())], [policy]).sessions
    assert rows(found)[-1]["needed"] == needed


def test_thinking_behind_a_recorded_compaction_is_still_there() -> None:
    """Of an answer with a compaction in its midst, what stands behind it is read, and what stands before it is not."""
    edit = {"type": "clear_thinking_20251015", "keep": {"type": "thinking_turns", "value": 3}}
    behind, before = ({"type": "thinking", "thinking": text, "signature": "s"} for text in (SENTENCE, LINE))
    block = {"type": "compaction", "content": "They spoke."}
    answer = {"role": "assistant", "content": [before, block, behind, {"type": "text", "text": "Yes"}]}
    messages = [say("user", "Go"), answer, say("user", "And?"), say("assistant", f"{SENTENCE}. {LINE}.")]
    request = {"model": MODEL, "thinking": {"type": "adaptive"}, "messages": messages}
    policy = {"version": "1", "name": "clear", "edits": [edit, {"type": "compact_20260112"}]}
    (found,) = simulate([Transcript("c", "messages", request, ())], [policy]).sessions
    assert rows(found)[-1]["needed"] == ["quotes messages.1.content.0, thinking"]


def test_of_many_passages_that_begin_alike_the_newest_are_found() -> None:
    """Of lines with one beginning the newest are remembered, and a row of a table as a whole."""
    begun = "/home/somebody/projects/the-product/source/"
    listing = "\n".join(f"{begun}{'x' * length}.py" for length in range(1, 100))
    row = "1234567\tabcdefgh ijklmnop qrstuvwx yz01234"
    reads = (say("user", "Go"), read("a", "a"), result("a", f"{row}\n{listing}"), *READS[3:])
    for quote in (f"{begun}{'x' * 99}.py", row):
        assert rows(session(*reads, say("assistant", f"There is {quote}.")))[-1]["quoted"] == 1
    lines = [f"{begun}{'x' * length}.py" for length in range(1, 34)]
    reads = (say("user", "Go"), read("a", "a"), result("a", "\n".join([*lines[:32], lines[0], lines[32]])), *READS[3:])
    assert rows(session(*reads, say("assistant", f"There is {lines[0]}.")))[-1]["quoted"] == 1


def test_a_summary_is_something_that_was_said() -> None:
    """What a recorded summary repeats is not gone with what it stands for."""
    block = {"type": "compaction", "content": f"They found this: {LINE}"}
    answer = {"role": "assistant", "content": [block, {"type": "text", "text": "Yes"}]}
    policy = {**COMPACT, "edits": CLEAR["edits"]}
    found = session(*READS, answer, say("user", "And?"), say("assistant", f'It is "{LINE}".'), policy=policy)
    assert [row["needed"] for row in rows(found, "compact")] == [[]] * 5


def test_a_document_is_something_that_was_said() -> None:
    """What a document holds is needed again where the model quotes it after a compaction."""
    source = {"type": "text", "media_type": "text/plain", "data": f"{'lorem ipsum ' * 40_000}\n{LINE}"}
    asked = {"role": "user", "content": [{"type": "document", "source": source}]}
    found = session(asked, say("assistant", "Yes"), say("user", "Quote"), say("assistant", LINE), policy=COMPACT)
    assert [row["needed"] for row in rows(found, "compact")] == [[], ["quotes messages.0.content.0"]]


def test_thinking_that_the_model_drops_itself_is_not_forgotten_by_a_policy() -> None:
    """Where a model never reads earlier thinking, no policy makes it do without."""
    thought = {"type": "thinking", "thinking": SENTENCE, "signature": "s"}
    answer = {"role": "assistant", "content": [thought, {"type": "text", "text": "Yes"}]}
    request = {
        "model": "claude-haiku-4-5",
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "messages": [*READS, answer, say("user", "And?"), say("assistant", f"{SENTENCE}.")],
    }
    (found,) = simulate([Transcript("c", "messages", request, ())], [CLEAR]).sessions
    assert (rows(found)[-1]["cleared_tool_uses"], rows(found)[-1]["needed"]) == (2, [])


def test_what_cannot_be_replayed_is_told_with_its_line(tmp_path: Any) -> None:
    """A shape that no request has is told at the message that has it, and the next file is replayed."""
    odd = {"type": "text", "text": "b", "cache_control": 5}
    messages = [say("user", "a"), {"role": "assistant", "content": [odd]}]
    file = tmp_path / "odd.json"
    file.write_text(json.dumps({"model": MODEL, "messages": messages}, indent=1))
    (session,) = simulate([file], [CLEAR]).sessions
    (finding,) = [each for each in session.findings if each.severity == "error"]
    assert (finding.where.line, finding.where.path) == (8, "messages.1.content.0.text.cache_control")


def test_a_model_that_nobody_knows_is_told_with_like_ones() -> None:
    """The warning names models that the name may mean."""
    found = simulate([Transcript("c", "messages", {"model": "opus", "messages": list(READS)})], [CLEAR])
    (help,) = [finding.help for finding in found.findings if finding.rule == "simulate-price"]
    assert "such as claude-opus-" in help


def test_a_call_that_is_made_again_is_one_need() -> None:
    """The words of a repeated call are no quote of the first one."""
    (edit,) = CLEAR["edits"]
    policy = {**CLEAR, "edits": [{**edit, "clear_tool_inputs": True}]}
    reads = (say("user", "Go"), read("a", LINE), result("a", "x" * 100), *READS[3:])
    found = rows(session(*reads, read("d", LINE), policy=policy))[-1]
    assert found["needed"] == ["calls 'read' again, as in messages.1.content.0"]


def test_what_was_said_before_a_compaction_is_gone() -> None:
    """After a compaction, a question's words are needed again where the model quotes them."""
    long = say("user", f"{'lorem ipsum ' * 40_000}\n{LINE}")
    found = session(long, say("assistant", "Yes"), say("user", "Quote"), say("assistant", LINE), policy=COMPACT)
    first, second = rows(found, "compact")
    assert (first["compaction"], first["iterations"], second["compaction"]) == (True, 2, False)
    assert (first["quoted"], second["quoted"]) == (0, 1)
    assert first["peak"] > 50_000 > second["peak"] and first["summary_tokens"] > 0


def test_a_recorded_compaction_block_begins_anew() -> None:
    """What stands before a block in the record is not read, with a policy and without."""
    block = {"type": "compaction", "content": "They spoke of much."}
    answer = {"role": "assistant", "content": [block, {"type": "text", "text": "Yes"}]}
    found = session(
        say("user", "lorem ipsum " * 10_000), answer, say("user", "And?"), say("assistant", "No"), policy=COMPACT
    )
    for column in ("no policy", "compact"):
        first, second = rows(found, column)
        assert first["context"] > 10_000 > second["context"]


def billed(messages: int, *usage: int, timestamp: str | None = None) -> Recorded:
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
    return Recorded(messages, MODEL, dict(zip(names, usage, strict=True)), timestamp)


def test_a_mark_in_front_of_a_recorded_block_is_gone() -> None:
    """A mark of the caller's that the API does not read any more marks nothing else in its place."""
    found = {"type": "web_search_result", "url": "u", "title": "t", "encrypted_content": "e"}
    blocks = [
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
        {
            "type": "web_search_tool_result",
            "tool_use_id": "srvtoolu_1",
            "content": [found],
            "cache_control": {"type": "ephemeral"},
        },
        {"type": "compaction", "content": "They searched."},
        {"type": "text", "text": "Found."},
    ]
    request = {
        "model": MODEL,
        "system": [{"type": "text", "text": "Be brief. " * 5000}],
        "messages": [
            say("user", "Go"),
            {"role": "assistant", "content": blocks},
            say("user", "On"),
            say("assistant", "Yes"),
        ],
    }
    (session,) = simulate([Transcript("c", "messages", request)], [{"version": "1"}]).sessions
    assert [row["cache_write_5m"] for row in rows(session, "no policy")] == [0, 0]


def test_sizes_are_fitted_to_bills() -> None:
    """What the record was billed and does not show is in front of the messages; the cache's use is taken as given."""
    found = session(
        *READS, say("assistant", "Done"), recorded=(billed(1, 5, 20_000, 0, 50), billed(3, 5, 600, 20_000, 50))
    )
    first, second, *_ = rows(found, "no policy")
    assert found.bills == 2
    assert abs(first["context"] - 20_005) <= 2 and abs(second["context"] - 20_605) <= 2
    assert first["cache_write_5m"] > 19_000 and second["cache_read"] > 19_000
    assert first["output_tokens"] == 50


def test_an_entry_that_is_too_old_is_written_again() -> None:
    """Times decide what the cache still holds; a time that lies before the last one counts as the same."""
    times = ("2026-01-01T10:00:00Z", "2026-01-01T10:04:00Z", "2026-01-01T10:30:00Z", "2026-01-01T10:29:00Z")
    recorded = tuple(billed(1 + 2 * at, 1, 20_000, 0, 50, timestamp=time) for at, time in enumerate(times))
    found = session(*READS, say("assistant", "Done"), recorded=recorded)
    assert [row["cache_read"] > 0 for row in rows(found, "no policy")] == [False, True, False, True]
    assert [row["seconds"] for row in rows(found)] == [0, 240, 1800, 1800]


def test_a_change_of_thinking_is_a_change_of_the_cache() -> None:
    """What was stored while the model thought otherwise is not read but for the head, and is found again later."""
    thinking = ("31999", "", "31999", "31999")
    recorded = tuple(replace(billed(1 + 2 * at, 1, 20_000, 0, 50), thinking=each) for at, each in enumerate(thinking))
    found = rows(session(*READS, say("assistant", "Done"), recorded=recorded), "no policy")
    first, other, again, more = (row["cache_read"] for row in found)
    assert 0 == first < other < again < more


def test_usage_may_be_missing_or_nonsense() -> None:
    """A record without numbers changes nothing."""
    odd = Recorded(1, MODEL, {"input_tokens": None, "output_tokens": "many", "cache_creation": 3}, "yesterday")
    plain, found = session(*READS, say("assistant", "Done")), session(*READS, say("assistant", "Done"), recorded=(odd,))
    assert found.totals == plain.totals


def test_totals_are_sums_of_rows() -> None:
    """What is compared is the sum of the turns, over all sessions."""
    results = simulate(
        [Transcript(name, "messages", {"model": MODEL, "messages": list(READS)}) for name in "ab"], [CLEAR]
    )
    for totals in results.totals():
        mine = [row for row in results.rows() if row["policy"] == totals["policy"]]
        assert totals["turns"] == len(mine) == 6
        assert totals["cost_usd"] == pytest.approx(sum(row["cost_usd"] for row in mine))
        assert totals["peak"] == max(row["peak"] for row in mine)


def test_an_unknown_price_is_not_a_cheap_one() -> None:
    """Without prices no policy is called the cheapest."""
    request = {"model": "some-new-model", "messages": list(READS)}
    results = simulate([Transcript("c", "messages", request)], [CLEAR])
    assert results.totals()[0]["cost_usd"] is None
    assert "cheapest" not in results.verdict() and "smallest peak" in results.verdict()


@pytest.mark.parametrize(
    ("policies", "forgets"),
    [
        ([CLEAR], "needed again, but gone: 1"),
        ([{"version": "1", "name": "idle"}], "forgets least: all alike (0 needed again)"),
        ([CLEAR, {"version": "1", "name": "idle"}], "forgets least: idle (0 needed again)"),
    ],
)
def test_no_policy_is_no_match_for_one_that_forgets(policies: list[dict[str, Any]], forgets: str) -> None:
    """Who forgets least is said among policies, and of one alone how much."""
    messages = [*READS, read("d", "a.py"), result("d", "x"), say("assistant", "Done")]
    results = simulate([Transcript("c", "messages", {"model": MODEL, "messages": messages})], policies)
    assert results.verdict().endswith(forgets)


def test_what_does_not_fit_wins_nothing() -> None:
    """A policy that overflows is cheap because its requests are refused, so it is out of the running."""
    totals = [
        dict(results)
        for results in simulate(
            [Transcript("c", "messages", {"model": MODEL, "messages": list(READS)})], [CLEAR]
        ).totals()
    ]
    totals[1] |= {"overflows": 1, "cost_usd": 0.0, "peak": 0}
    assert verdict(totals).startswith("cheapest: no policy") and "out of the running: clear" in verdict(totals)


def test_sums_leave_out_where_a_policy_is_refused() -> None:
    """Policies are compared over the same conversations; what is refused everywhere is compared as refused."""
    old, new = (
        Transcript(model, "messages", {"model": model, "messages": list(READS)}) for model in ("claude-opus-4-5", MODEL)
    )
    mixed, refused = simulate([old, new], [CLEAR, COMPACT]), simulate([old, old], [CLEAR, COMPACT])
    assert [totals["turns"] for totals in mixed.totals()] == [3, 3, 3]
    assert (mixed.summed().left_out, mixed.summed().refused_there) == (1, ("compact",))
    assert [totals["turns"] for totals in refused.totals()] == [6, 6, 0]
    assert "out of the running: compact" in refused.verdict()
    assert [totals["cost_usd"] is None for totals in refused.totals()] == [False, False, True]


@pytest.mark.parametrize("given", [("talk.json", [CLEAR]), ([], "ctxengine:agentic"), ([], CLEAR)])
def test_lists_are_lists(given: tuple[Any, Any]) -> None:
    """One file or one policy without its list is named, and no loop over its letters or keys begins."""
    with pytest.raises(TypeError, match="takes a list"):
        simulate(*given)


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_side_by_side_is_the_same_as_one_after_the_other(tmp_path: Any, backend: str) -> None:
    """Several processes give the same sessions in the same order, also where joblib hands back all at once."""
    for at in range(6):
        messages = [*READS[: 3 + 2 * (at % 2)], say("assistant", "Done")]
        (tmp_path / f"{at}.json").write_text(json.dumps({"model": MODEL, "messages": messages}))
    files, _ = find_files([str(tmp_path)])
    simulator = Simulator(["ctxengine:agentic"])
    with joblib.parallel_config(backend=backend):
        assert Results((), tuple(sessions(simulator, files, 2))) == Results((), tuple(sessions(simulator, files)))


@pytest.mark.parametrize("mode", ["shadow", "off"])
def test_what_is_not_enforced_yet_is_compared_as_if_it_were(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the policy's mode nor the environment's changes what is compared, and a policy's own is named."""
    enforced = session(*READS, say("assistant", "Done"))
    monkeypatch.setenv("CTXENGINE_MODE", mode)
    found = session(*READS, say("assistant", "Done"), policy={**CLEAR, "mode": mode})
    assert found.totals == enforced.totals
    assert [finding.message for finding in found.findings if finding.rule == "simulate-mode"] == [
        f'clear is compared as if its mode were "enforce", and not "{mode}"'
    ]


def test_policies_keep_apart() -> None:
    """Two policies of one name keep apart, and none takes the name of the baseline."""
    named = [{"version": "1", "name": "no policy"}, CLEAR, CLEAR]
    assert [candidate.name for candidate in Simulator(named).candidates] == [
        "no policy",
        "no policy (1)",
        "clear",
        "clear (3)",
    ]


def test_folders_and_patterns_are_taken(tmp_path: Any) -> None:
    """The library finds files as the command line does, and says where there are none."""
    request = {"model": MODEL, "messages": [say("user", "Hi"), say("assistant", "Yes")]}
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(json.dumps(request))
    for given in (tmp_path, tmp_path / "*.json"):
        assert [found.turns for found in simulate([given], [CLEAR]).sessions] == [1, 1]
    (nothing,) = simulate([tmp_path / "*.jsonl"], [CLEAR]).sessions
    assert [finding.rule for finding in nothing.findings] == ["transcript-malformed"]


def test_what_a_policy_cures_is_no_flaw_of_the_record() -> None:
    """A recorded compaction block needs a beta and an edit; a policy that brings both makes the record sound."""
    block = {"type": "compaction", "content": "They talked."}
    messages = (say("user", "Go"), {"role": "assistant", "content": [block, {"type": "text", "text": "Yes"}]})
    found = session(*messages, say("user", "And now?"), say("assistant", "Fine"), policy=COMPACT)
    assert [finding.rule for finding in found.findings if finding.rule == "simulate-request"] == []
    assert [totals["refused"] for totals in found.totals] == [0, 0]


def test_a_second_result_has_a_place_of_its_own() -> None:
    """What quotes the second result of one use names that one."""
    again = result("a", LINE)
    found = session(*READS[:2], result("a", "x" * 200), again, *READS[3:], say("assistant", f"{LINE}\nSo."))
    told = [each for row in rows(found) for each in row["needed"]]
    assert told == ["quotes messages.3.content.0, a result of 'read'"]


def test_a_folder_that_is_in_part_unreadable_is_read_in_part(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that can be read are compared, and the rest is told."""
    request = {"model": "claude-opus-4-6", "messages": [say("user", "Hi"), say("assistant", "Yes")]}
    (tmp_path / "a.json").write_text(json.dumps(request))
    (tmp_path / "closed").mkdir()
    scan = os.scandir

    def refusing(path: Any) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = simulate([str(tmp_path)], [CLEAR])
    assert [each.turns for each in found.sessions] == [0, 1]
    assert "Permission denied" in found.findings[0].message
