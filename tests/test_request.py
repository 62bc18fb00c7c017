"""Reading the keyword arguments of one request."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from anthropic import NOT_GIVEN, Omit

from ctxengine.errors import RequestError
from ctxengine.request import Request, read_request, with_content_lists

HELLO = {"role": "user", "content": "Hi"}


def read(**kwargs: Any) -> Request:
    return read_request({"model": "claude-opus-4-6", "messages": [HELLO], **kwargs})


@pytest.mark.parametrize(
    ("kwargs", "betas"),
    [
        ({}, ()),
        ({"betas": []}, ()),
        ({"betas": ["a", "b", "a"]}, ("a", "b")),
        ({"betas": "a, b"}, ("a", "b")),
        ({"betas": (name for name in ("a", " b , c,"))}, ("a", "b", "c")),
        ({"betas": ["b"], "extra_headers": {"Anthropic-Beta": "a,b", "x-other": "1"}}, ("b", "a")),
        ({"extra_headers": {"anthropic-beta": "a", "ANTHROPIC-BETA": "b"}}, ("a", "b")),
        ({"betas": NOT_GIVEN, "extra_headers": {"anthropic-beta": Omit()}}, ()),
        ({"betas": [None, 5, "a"], "extra_headers": None}, ("a",)),
    ],
)
def test_betas_become_one_list(kwargs: dict[str, Any], betas: tuple[str, ...]) -> None:
    """Argument and headers in any letter case are split, stripped and joined, each beta once."""
    assert read(**kwargs).betas == betas


def test_header_keys_are_named_as_written() -> None:
    """The keys that spell the beta header are known, so that they alone can be taken out."""
    request = read(extra_headers={"Anthropic-Beta": "a", "x-other": "1"})
    assert request.header_keys == ("Anthropic-Beta",)


@pytest.mark.parametrize("absent", [NOT_GIVEN, Omit(), None])
def test_absent_values(absent: Any) -> None:
    """What the SDK takes for absent reads as ``None`` and stays in the arguments as it is."""
    request = read(system=absent, tools=absent, thinking=absent, context_management=absent)
    assert request.system is None
    assert request.tools == ()
    assert request.get("thinking") is None
    assert request.edits == ()
    assert request.kwargs["thinking"] is absent


@pytest.mark.parametrize(("timeout", "given"), [(NOT_GIVEN, False), (Omit(), False), (None, True), (60, True)])
def test_given_even_if_none(timeout: Any, given: bool) -> None:
    """``None`` is a value to the SDK, its own markers are not."""
    assert read(timeout=timeout).gives("timeout") is given
    assert not read().gives("timeout")


def test_edits_of_the_request() -> None:
    """The request's own edits are read as they are, odd ones included."""
    edit = {"type": "clear_tool_uses_20250919"}
    assert read(context_management={"edits": [edit, 5]}).edits == (edit, 5)
    assert read(context_management={}).edits == ()
    assert read(context_management=5).edits == ()


def test_generators_are_read_once() -> None:
    """Iterables become lists, lists and tuples stay the caller's own objects."""
    messages, tools = [HELLO], ({"name": "read"},)
    request = read(messages=(each for each in messages), tools=tools, system=iter([{"type": "text", "text": "a"}]))
    assert request.messages == messages
    assert request.tools is tools
    assert request.system == [{"type": "text", "text": "a"}]
    assert read(messages=messages).messages is messages


def test_contents_that_are_generators() -> None:
    """A message whose content can be read once gets a list, in a copy; the others stay the same objects."""
    block = {"type": "text", "text": "a"}
    lazy, object_ = {"role": "user", "content": iter([block])}, SimpleNamespace(role="user", content=iter([block]))
    assert with_content_lists([HELLO, lazy, object_, 5]) == [HELLO, *2 * [{"role": "user", "content": [block]}], 5]
    assert with_content_lists([HELLO])[0] is HELLO
    assert not isinstance(lazy["content"], list)


@pytest.mark.parametrize(
    ("kwargs", "path"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": NOT_GIVEN}, "model"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": HELLO}, "messages"),
        ({"messages": 5}, "messages"),
        ({"tools": {"name": "read"}}, "tools"),
        ({"system": 5}, "system"),
        ({"system": {"type": "text"}}, "system"),
        ({"betas": 5}, "betas"),
        ({"context_management": {"edits": {"type": "x"}}}, "context_management.edits"),
    ],
)
def test_unreadable_requests(kwargs: dict[str, Any], path: str) -> None:
    """What cannot be worked with is one error that names the argument and what to pass instead."""
    with pytest.raises(RequestError) as raised:
        read(**kwargs)
    (finding,) = raised.value.findings
    assert finding.rule == "request-shape"
    assert finding.where.path == path
    assert finding.help
