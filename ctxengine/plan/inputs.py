"""What the passes work from: the layers, the target, the request at hand, and what plugins ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ctxengine.catalog import Catalog
from ctxengine.catalog.facts import Ttl
from ctxengine.conversation import Conversation, Position
from ctxengine.plan.plan import Plan
from ctxengine.policy import Layer, Situation
from ctxengine.request import Request
from ctxengine.target import Target
from ctxengine.tokens import CalibratedCounter


@dataclass(frozen=True, slots=True)
class ExtraBreakpoint:
    """A mark a plugin asks for."""

    plugin: str
    at: Position
    ttl: Ttl = "5m"


@dataclass(frozen=True, slots=True)
class CompileInput:
    """Everything the passes may look at."""

    layers: Sequence[Layer]
    catalog: Catalog
    target: Target
    request: Request
    conversation: Conversation
    sizes: CalibratedCounter
    arguments: Mapping[str, Any] | None = None
    contributions: Sequence[tuple[str, Sequence[Mapping[str, Any]]]] = ()
    """(plugin name, edits) in sorted name order."""
    extra_breakpoints: Sequence[ExtraBreakpoint] = ()


Pass = Callable[[Plan, CompileInput], Plan]


def situation_of(given: CompileInput) -> Situation:
    """What the policy's ``when`` conditions are matched against."""
    return Situation(given.target.model, given.target.platform.name, given.target.thinks, given.conversation.tool_kinds)
