"""Readers: each case file holds logs of one format and what becomes of them."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from ctxengine.errors import TranscriptError
from ctxengine.findings import Finding
from ctxengine.transcripts import READERS, Recorded, Transcript, read_request, read_transcripts

CASES = [
    pytest.param(case, id=f"{path.stem}: {case['it']}")
    for path in sorted((Path(__file__).parent / "cases").glob("*.json"))
    for case in json.loads(path.read_text())
]


def data_of(case: dict[str, Any]) -> bytes:
    lines = case["lines"] if "lines" in case else [case["document"]]
    return "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines).encode()


def said(transcript: Transcript, wanted: dict[str, Any]) -> dict[str, Any]:
    """What a transcript says about the wanted keys."""
    repaired = {item.message: item for item in transcript.findings if item.rule == "transcript-repaired"}
    everything = {
        "name": transcript.name,
        "format": transcript.format,
        "request": transcript.request,
        "recorded": [without_nothing(asdict(entry)) for entry in transcript.recorded],
        "boundaries": list(transcript.boundaries()),
        "repaired": {key: told for key in wanted.get("repaired", {}) for told in told_of(key, repaired)},
        "skipped": [item.where.line for item in transcript.findings if item.rule == "transcript-skipped"],
    }
    assert len(repaired) == len(everything["repaired"]) or "repaired" not in wanted, list(repaired)
    return {key: everything[key] for key in wanted}


def without_nothing(recorded: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in recorded.items() if (name, value) != ("thinking", "")}


def told_of(key: str, repaired: dict[str, Finding]) -> list[list[Any]]:
    """How often something was repaired, and where first: the line, in a log of lines, and the path."""
    found = []
    for message, item in repaired.items():
        if message.startswith(key):
            count, more = re.search(r": (\d+)(, the first of them here)?$", message).groups()  # type: ignore[union-attr]
            assert (int(count) > 1) == bool(more) and item.where.file
            found.append([int(count), *([item.where.line] if item.where.path == "message" else []), item.where.path])
    return found


@pytest.mark.parametrize("case", CASES)
def test_case(case: dict[str, Any]) -> None:
    """A log becomes the transcripts its case names, or the error with its line and path."""

    def read() -> tuple[Transcript, ...]:
        return read_transcripts(data_of(case), name=case.get("file", "given"), lenient=case.get("lenient", False))

    if "error" not in case:
        assert [said(*pair) for pair in zip(read(), case["transcripts"], strict=True)] == case["transcripts"]
        return
    with pytest.raises(TranscriptError, match=case["error"]["message"]) as caught:
        read()
    (finding,) = caught.value.findings
    where = {"line": finding.where.line, "path": finding.where.path}
    assert (finding.rule, finding.severity) == ("transcript-malformed", "error")
    assert {key: where[key] for key in case["error"] if key in where} == {
        key: value for key, value in case["error"].items() if key in where
    }


def test_a_file_reads_as_its_bytes(tmp_path: Path) -> None:
    """A path gives what the same bytes give, and is the transcript's name."""
    data = b'{"messages": [{"role": "user", "content": "Hello."}]}'
    path = tmp_path / "request.json"
    path.write_bytes(data)
    assert read_transcripts(path) == read_transcripts(data, name=str(path))


@pytest.mark.parametrize("data", [b"\x00\x01\xff\xfe" * 9, b"\x89PNG\r\n\x1a\n\x00", b"[" * 5000, b'"Hello"', b"null"])
def test_what_is_no_text_is_one_clear_error(data: bytes) -> None:
    """Binary files, endless nesting and stray values are refused without a traceback of another kind."""
    for name in ("log.jsonl", "request.json"):
        with pytest.raises(TranscriptError) as caught:
            read_transcripts(data, name=name)
        assert name in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file and a folder are named."""
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(TranscriptError, match=path.name):
            read_transcripts(path)


def test_a_request_is_taken_as_written() -> None:
    """Arguments are not repaired on the way to the rules, whatever their shape."""
    for request in (
        {"model": "m", "messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "none"}]}]},
        {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": []}]}, 5, {"content": [3]}]},
        {"messages": "Hello"},
    ):
        transcript = read_request(json.dumps(request).encode(), name="stdin")
        assert transcript == Transcript("stdin", "messages", request)
        assert set(transcript.boundaries()) <= {1}


def test_a_log_of_several_contexts_gives_the_last_main_one() -> None:
    """The choice is said in a finding."""
    line = {"type": "user", "uuid": "1", "parentUuid": None, "message": {"content": "One."}}
    two = {**line, "isCompactSummary": True, "message": {"content": "Two."}}
    side = {**line, "isSidechain": True, "message": {"content": "Side."}}
    transcript = read_request("\n".join(map(json.dumps, (line, two, side))).encode(), name="log")
    assert transcript.request["messages"] == [{"role": "user", "content": "Two."}]
    (finding,) = transcript.findings
    assert (finding.rule, finding.severity) == ("transcript-context", "info")
    assert "log#2" in finding.message


def test_every_reader_has_a_case() -> None:
    """Each format in the registry is read by some case file."""
    read = {case.values[0]["transcripts"][0].get("format") for case in CASES if "transcripts" in case.values[0]}
    assert {reader.name for reader in READERS} <= read


def test_a_log_without_bills_keeps_its_times() -> None:
    """When a request was sent is told although what it cost is not."""
    asked = {"type": "user", "uuid": "1", "parentUuid": None, "message": {"content": "Hi"}}
    answer = {"id": "m", "model": "claude-opus-4-6", "content": [{"type": "text", "text": "Yes"}]}
    answered = {
        "type": "assistant",
        "uuid": "2",
        "parentUuid": "1",
        "timestamp": "2026-11-01T12:00:00Z",
        "message": answer,
    }
    (transcript,) = read_transcripts("\n".join(map(json.dumps, (asked, answered))).encode(), name="log")
    assert transcript.recorded == (Recorded(1, "claude-opus-4-6", {}, "2026-11-01T12:00:00Z"),)


RECORDS = {
    "no bill": ({}, ["2026-01-01T00:00:00Z"] * 3, "transcript-usage", "responses without a bill", 3),
    "odd bills": ({"usage": {"input_tokens": "five"}}, [None] * 3, "transcript-usage", "no response can have had", 3),
    "negative bills": ({"usage": {"output_tokens": -3}}, [None] * 3, "transcript-usage", "no response can have had", 3),
    "a bill beyond all bounds": (
        {"usage": {"output_tokens": 10**30}},
        [None] * 3,
        "transcript-usage",
        "no response can have had",
        3,
    ),
    "odd times": ({"usage": {"input_tokens": 5}}, ["yesterday"] * 3, "transcript-times", "no ISO 8601", 3),
    "times that run backwards": (
        {"usage": {"input_tokens": 5}},
        ["2026-01-01T00:00:05Z", "2026-01-01T00:00:01Z", "2026-01-01T00:00:09Z"],
        "transcript-times",
        "before that of an earlier response",
        5,
    ),
}


@pytest.mark.parametrize(("more", "times", "rule", "words", "line"), RECORDS.values(), ids=RECORDS)
def test_what_a_record_cannot_mean_is_told(
    more: dict[str, Any], times: list[str | None], rule: str, words: str, line: int
) -> None:
    """Bills and times that are missing, or none, are told once with the line of the first."""
    lines: list[dict[str, Any]] = [{"type": "summary", "sessionId": "s"}]
    for number, time in enumerate(times):
        lines.append({"type": "user", "sessionId": "s", "message": {"role": "user", "content": "Go on."}})
        said = {"id": f"m{number}", "content": [{"type": "text", "text": "Yes."}], **more}
        lines.append({"type": "assistant", "sessionId": "s", "timestamp": time, "message": said})
    data = "\n".join(map(json.dumps, lines)).encode()
    (transcript,) = read_transcripts(data, name="log.jsonl")
    (finding,) = transcript.findings
    assert (finding.rule, finding.where.line) == (rule, line) and words in finding.message


def test_a_repaired_message_knows_its_line() -> None:
    """Where messages were dropped, joined or made up, each still stands where the first of what it is made of does."""
    use = {"type": "tool_use", "id": "t1", "name": "read", "input": {}}
    said: list[tuple[str, Any]] = [
        ("assistant", "Too early."),
        ("user", "Go"),
        ("user", "on."),
        ("assistant", [use]),
        ("assistant", "Well."),
        ("assistant", [{**use, "id": "t2"}]),
        ("user", "Stop."),
        ("assistant", [{**use, "id": "t3"}]),
    ]
    request = {"messages": [{"role": role, "content": content} for role, content in said]}
    (transcript,) = read_transcripts(json.dumps(request, indent=0).encode(), name="c.json")
    places = [transcript.place(f"messages.{at}") for at in range(len(transcript.request["messages"]))]
    lines = json.dumps(request, indent=0).splitlines()
    roles = [line for line, text in enumerate(lines, start=1) if '"role"' in text]
    assert [(where.file, where.path) for where in places] == [("c.json", f"messages.{at}") for at in range(len(places))]
    assert [roles.index(where.line + 1) for where in places] == [1, 3, 6, 7, 7]


def test_a_pipe_is_read() -> None:
    """What comes once, as from another program, is read like a file."""
    read, write = os.pipe()
    os.write(write, b'{"messages": [\n{"role": "user", "content": "Hello."}\n]}')
    os.close(write)
    assert read_transcripts(f"/dev/fd/{read}")[0].request["messages"][0]["content"] == "Hello."
    os.close(read)


def test_a_line_that_is_too_long_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines behind it keep their numbers."""
    monkeypatch.setattr("ctxengine.transcripts.source.MAX_JSON_BYTES", 200)
    line = b'{"type": "user", "sessionId": "s", "message": {"role": "user", "content": "Hi"}}'
    data = b"\n".join([line, b'{"long": "' + b"x" * 1000 + b'"}', b"no json", line])
    (transcript,) = read_transcripts(data, name="log.jsonl", lenient=True)
    assert [item.where.line for item in transcript.findings if item.rule == "transcript-skipped"] == [2, 3]


def test_a_record_may_reach_past_its_messages() -> None:
    """A bill of an answer that was not recorded is no reason to fail."""
    messages = [{"role": "user", "content": "Hi"}]
    recorded = [{"messages": 1, "usage": {}}, {"messages": 99, "usage": {"input_tokens": "five"}}]
    document = {"version": "1", "request": {"messages": messages}, "recorded": recorded}
    assert read_transcripts(json.dumps(document).encode())[0].findings == ()


def test_an_odd_bill_is_left_aside_whole() -> None:
    """What of a bill is a number does not count where something else in it is none."""
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    usage = {"input_tokens": "5", "cache_read_input_tokens": 20_000}
    document = {"version": "1", "request": {"messages": messages}, "recorded": [{"messages": 1, "usage": usage}]}
    (transcript,) = read_transcripts(json.dumps(document).encode())
    assert [item.rule for item in transcript.findings] == ["transcript-usage"]
    assert transcript.recorded == (Recorded(1, None, {}, None),)


def test_a_log_of_requests_is_told() -> None:
    """Requests that bring one conversation again and again are counted each, and a warning says so; others are not."""
    asked = [{"role": "user", "content": [{"type": "text", "text": "A.", "cache_control": {"type": "ephemeral"}}]}]
    grown = [
        {"role": "user", "content": "A."},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "C."},
    ]
    other = [{"role": "user", "content": "A."}, {"role": "assistant", "content": "x"}, grown[2], *grown[1:]]
    for requests, count in (
        ([asked, grown, other], 1), ([grown, other], 0), ([grown, grown], 1), ([grown[:2], other, grown], 1),
    ):  # fmt: skip
        log = "\n".join(json.dumps({"model": "m", "messages": messages}) for messages in requests)
        found = [finding for each in read_transcripts(log.encode(), name="log.jsonl") for finding in each.findings]
        told = [finding.message for finding in found if finding.rule == "transcript-repeated"]
        assert [message.rsplit(": ", 1)[1] for message in told] == [str(count)] * (count > 0)


def test_transcripts_that_begin_alike_are_no_log_of_requests() -> None:
    """Whoever writes transcripts down means each of them."""
    request = {"model": "m", "messages": [{"role": "user", "content": "A."}, {"role": "assistant", "content": "b"}]}
    log = "\n".join([json.dumps({"version": "1", "request": request})] * 2)
    first, _ = read_transcripts(log.encode(), name="log.jsonl")
    assert "transcript-repeated" not in {finding.rule for finding in first.findings}
