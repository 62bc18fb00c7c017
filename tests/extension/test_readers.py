"""Readers of plugins: heard like every answer, and guarded while they read."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from ctxengine import TranscriptError
from ctxengine.extension import hookimpl
from ctxengine.extension.host import Host
from ctxengine.findings import Place
from ctxengine.transcripts import Draft, Reader, read_transcripts

SECRET = "what users write"
CHAT = json.dumps({"said": SECRET}).encode()
MESSAGES = [{"role": "user", "content": "Hi"}]


def host_of(*answers: Any) -> Host:
    """Plugins ``a``, ``b`` … that answer with these readers."""
    plugins = []
    for name, answer in zip("abc", answers, strict=False):
        hook = hookimpl(specname="ctxengine_transcript_readers")(lambda answer=answer: answer)
        plugins.append(SimpleNamespace(name=name, ctxengine_transcript_readers=hook))
    return Host(plugins, entry_points=False)


def reader(*drafts: Any, name: Any = "said", sniff: Any = None, raises: Exception | None = None) -> Reader:
    def read(rows: Any, notes: Any) -> Any:
        list(rows)
        yield from drafts
        if raises:
            raise raises

    return Reader(name, sniff or (lambda value: isinstance(value, dict) and "said" in value), read)


NONSENSE = {
    "no reader": "x",
    "no name": reader(name=""),
    "a name that is no text": reader(name=1),
    "nothing to read with": Reader("said", lambda value: True, None),  # type: ignore[arg-type]
    "a format that is known": reader(name="messages"),
}


@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_costs_that_answer(answer: Any) -> None:
    """What is no reader of a new format is a finding, and other plugins' readers stay."""
    host = host_of([answer], [reader(Draft({"messages": MESSAGES}))])
    assert [finding.rule for finding in host.findings] == ["plugin-failed"]
    assert len(read_transcripts(CHAT, readers=host.readers)) == 1


def test_one_format_has_one_reader() -> None:
    """Of two plugins that read one format, the first by name counts."""
    host = host_of([reader()], [reader()])
    assert len(host.readers) == 1 and "plugin b" in host.findings[0].message


UNPAIRED = [*MESSAGES, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "x", "content": "late"}]}]
BAD = {
    "no draft": reader("x"),
    "no request": reader(Draft(None)),  # type: ignore[arg-type]
    "no messages": reader(Draft({})),
    "an unknown role": reader(Draft({"messages": [{"role": "robot", "content": SECRET}]})),
    "no content": reader(Draft({"messages": [{"role": "user"}]})),
    "no block": reader(Draft({"messages": [{"role": "user", "content": [SECRET]}]})),
    "bills of another kind": reader(Draft({"messages": MESSAGES}, recorded=(SECRET,))),  # type: ignore[arg-type]
    "an exception": reader(raises=RuntimeError(SECRET)),
    "no place": reader(Draft({"messages": UNPAIRED}, place=lambda index: SECRET)),  # type: ignore[arg-type]
    "places that fail": reader(Draft({"messages": UNPAIRED}, place={}.__getitem__)),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_reader_that_fails_is_named(bad: Reader) -> None:
    """What goes wrong while reading is one error that names the plugin and the format, and quotes nothing."""
    host = host_of([bad])
    with pytest.raises(TranscriptError, match=r"plugin a .*reader of the format said") as caught:
        read_transcripts(CHAT, readers=host.readers)
    assert SECRET not in str(caught.value)


def test_a_reader_says_where_its_messages_stand() -> None:
    """What is repaired in a message is told at the place that its reader gives."""
    draft = Draft({"messages": UNPAIRED}, place=lambda index: Place(f"said.{index}", "x", 7))
    (transcript,) = read_transcripts(CHAT, readers=host_of([reader(draft)]).readers)
    assert [str(item.where) for item in transcript.findings] == [f"x:7 said.{len(MESSAGES)}"]


def test_a_look_that_fails_is_a_no() -> None:
    """A reader that cannot even look at a value does not know it, and the next is asked."""
    host = host_of([reader(sniff=lambda value: value.nothing)])
    document = json.dumps({"messages": MESSAGES}).encode()
    assert read_transcripts(document, readers=host.readers)[0].format == "messages"
