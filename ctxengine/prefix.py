"""The facts of a request, read from where the last one ended: what makes the builds of a growing conversation cheap."""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_
from typing import Any

from ctxengine.conversation import Conversation, Head, Scanner, scan_head, tool_definitions
from ctxengine.request import Request, with_content_lists


def scan_request(request: Request) -> tuple[Request, Conversation]:
    """The facts of one request, read from the start."""
    return Prefix().scan(request)


class Prefix:
    """What has been read of a conversation. A message object seen before counts as unchanged."""

    def __init__(self) -> None:
        self._scanner = Scanner()
        self._seen: list[Any] = []
        self._head: tuple[Any, ...] = ()
        self._found = Head()
        self._tools: Sequence[Any] = ()
        self._memo: dict[Any, Any] = {}

    def scan(self, request: Request) -> tuple[Request, Conversation]:
        """The facts of a request that goes on from the last one, or starts over where it does not."""
        messages = request.messages
        if not self._goes_on(messages):
            self._scanner, self._seen, self._memo = Scanner(), [], {}
        self._scanner.feed(messages)
        if self._scanner.generators:
            self._scanner = Scanner()
            request = request.with_messages(with_content_lists(messages))
            return self.scan(request)
        self._seen += messages[len(self._seen) :]
        self._read_head(request.system, request.tools, request.get("cache_control"))
        return request, self._scanner.found(request.system, self._tools, messages, self._found, self._memo)

    def _goes_on(self, messages: Sequence[Any]) -> bool:
        """Whether the messages begin with those seen. Comparing lists stops at each pair that is one object."""
        count = len(self._seen)
        if count == 0 or len(messages) < count or messages[count - 1] is not self._seen[-1]:
            return count == 0
        return list(messages[:count]) == self._seen

    def _read_head(self, system: Any, tools: Sequence[Any], cache_control: Any) -> None:
        head = (system, tools, cache_control)
        if len(self._head) != len(head) or not all(map(is_, self._head, head)):
            self._head, self._memo = head, {}
            self._tools = tool_definitions(tools)
            self._found = scan_head(system, self._tools, cache_control)
