"""Tool uses and their results: a client's use is answered in the next message, the server's before its turn is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ctxengine.conversation.blocks import field_of

Report = Callable[[str, int, int, str], None]
"""Takes a rule, the indexes of message and block (-1 for the whole message), and what is wrong there."""
CALLED_BY_MODEL = (None, "direct")
"""Types of ``caller`` of a server's tool that the model called itself; other calls are answered within code."""


class Pairs:
    """What a walk over the messages has seen of tools so far."""

    __slots__ = ("_report", "_server_uses", "answered", "pending", "server_open")

    def __init__(self, report: Report) -> None:
        self._report = report
        self.pending: set[str] = set()
        """Client tool uses that the next message must answer."""
        self.answered: set[str] = set()
        """Those that the message before has answered."""
        self.server_open: dict[str, tuple[int, int]] = {}
        """Tool uses of the server's without a result so far, and where they stand."""
        self._server_uses: set[str] = set()

    def forget(self) -> None:
        """A compaction block stands for all that was before it."""
        self.pending.clear()
        self.server_open.clear()
        self._server_uses.clear()

    def unanswered(self, index: int) -> None:
        """An answer of the model's follows where results should."""
        detail = f"{len(self.pending)} tool_use block(s) before this point have no tool_result right after"
        self._report("pair-orphan", index - 1, -1, detail)
        self.pending.clear()

    def text_alone(self, index: int) -> None:
        """A user's message is text, where results should be."""
        self._report("pair-orphan", index, -1, self.lacking())
        self.pending.clear()

    def text_first(self, index: int, at: int) -> None:
        """A user's message has text in front of its results."""
        detail = f"text stands before the tool_result of {len(self.pending)} tool_use block(s), at content.{at}"
        self._report("pair-orphan", index, -1, detail)

    def lacking(self) -> str:
        """What is wrong with a user's message in which results are missing."""
        return f"{len(self.pending)} tool_use block(s) right before this message have no tool_result in it"

    def orphan(self, index: int, at: int, used: Any) -> None:
        """A result that no use is waiting for."""
        if isinstance(used, str) and used in self.answered:
            self._report("pair-dup", index, at, "a second tool_result for one tool_use")
        else:
            self._report("pair-orphan", index, at, "a tool_result whose tool_use is not in the message before")

    def odd_use(self, index: int, at: int, use: Any, from_user: bool) -> None:
        """A use that nothing can answer, or not by itself."""
        if not isinstance(use, str):
            self._report("request-shape", index, at, "a tool_use block without an id")
        elif from_user:
            self._report("pair-misplaced", index, at, "a tool_use in a user message, where nothing can answer it")
        else:
            self._report("pair-dup-id", index, at, "a tool_use with the id of another one in this message")

    def odd_id(self, index: int, at: int) -> None:
        """An id of other letters than the API takes."""
        self._report("pair-id", index, at, "a tool_use whose id is empty, or holds more than letters, digits, _ and -")

    def null_caller(self, index: int, at: int) -> None:
        """What the SDK's ``model_dump`` makes of a use that the model called itself."""
        self._report("pair-caller", index, at, "a tool_use whose caller is null")

    def server_use(self, index: int, at: int, block: Any, kind: str) -> None:
        use = str(field_of(block, "id"))
        self._server_uses.add(use)
        if kind == "server_tool_use" and field_of(field_of(block, "caller"), "type") in CALLED_BY_MODEL:
            self.server_open[use] = index, at

    def server_result(self, index: int, at: int, block: Any, kind: str) -> None:
        use = str(field_of(block, "tool_use_id"))
        self.server_open.pop(use, None)
        if use not in self._server_uses:
            self._report("pair-orphan", index, at, f"a {kind} block whose server tool use is not in the history")

    def ends_turn(self, content: Any) -> None:
        """A user's message of nothing but results goes on with a turn; any other ends it, and no result comes then."""
        blocks = content if isinstance(content, (list, tuple)) else ()
        if blocks and all(field_of(block, "type") == "tool_result" for block in blocks):
            return
        for index, at in self.server_open.values():
            self._report("pair-server", index, at, "a server tool use without its result, in a turn that is over")
        self.server_open.clear()
