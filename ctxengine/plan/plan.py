"""The plan: what will be sent, and why. Every part knows who asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ctxengine.catalog.facts import Ttl
from ctxengine.catalog.rows import plain
from ctxengine.conversation import Position, in_messages
from ctxengine.findings import Report
from ctxengine.origin import Origin
from ctxengine.policy import Resolved
from ctxengine.target import Target

ENGINE = Origin("engine")
HISTORY = Origin("history")
REQUEST = Origin("request")
START = in_messages(0, 0)


@dataclass(frozen=True, slots=True)
class PlannedEdit:
    """One entry of ``context_management.edits``."""

    type: str
    params: Mapping[str, Any]
    """The wire fields beside ``type``, numbers resolved."""
    origins: Mapping[str, Origin]
    """Who asked for each field; the key "" stands for the edit itself."""
    because: str = ""

    @property
    def origin(self) -> Origin:
        return self.origins.get("", ENGINE)

    def origin_of(self, field: str) -> Origin:
        """Who asked for a field, or for the edit where nobody asked for the field by itself."""
        return self.origins.get(field, self.origin)

    def wire(self) -> dict[str, Any]:
        """The entry as it is sent, in dicts and lists of its own, which the caller may change."""
        return {"type": self.type, **plain(self.params)}


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """One ``cache_control`` mark of ours."""

    place: str
    """tools, system, compaction_block, previous_tail, last_message, or ``plugin NAME``."""
    at: Position
    ttl: Ttl
    origin: Origin
    because: str = ""


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A mark the policy asks for that is not in the request, and why."""

    place: str
    because: str


@dataclass(frozen=True, slots=True)
class PlannedBeta:
    name: str
    origin: Origin
    because: str


@dataclass(frozen=True, slots=True)
class Pruned:
    """What stands before the newest compaction block and is not sent again."""

    first: Position
    """The first block that is sent."""
    messages: int
    blocks: int
    """Blocks dropped from the block's own message."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be sent for one request."""

    mode: str
    target: Target
    policy: Resolved
    edits: tuple[PlannedEdit, ...] = ()
    compaction: Mapping[str, Any] | None = None
    """The caller's top-level ``compaction`` parameter; it excludes ``edits``."""
    breakpoints: tuple[Breakpoint, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    betas: tuple[PlannedBeta, ...] = ()
    pruned: Pruned | None = None
    report: Report = field(default=Report())
    """Everything there is to say: what the passes noticed, then what the rules found."""

    def edit(self, type_: str) -> PlannedEdit | None:
        return next((edit for edit in self.edits if edit.type == type_), None)

    @property
    def first(self) -> Position:
        """The first block of the messages that is sent."""
        return self.pruned.first if self.pruned else START

    @property
    def beta_names(self) -> tuple[str, ...]:
        return tuple(beta.name for beta in self.betas)

    def explain(self) -> str:
        """The plan as text: what, why, and which file and line asked for it."""
        from ctxengine.plan.explain import explain

        return explain(self)

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain JSON values, as ``explain --format json`` prints it."""
        from ctxengine.plan.explain import to_dict

        return to_dict(self)
