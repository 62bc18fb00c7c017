"""One emulated account: what it answers to requests for messages, and what it remembers from one to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any

from ctxengine.catalog import Catalog
from ctxengine.catalog.facts import CLEAR_EDITS, ON_DEMAND_COMPACTION, THRESHOLD_COMPACTION
from ctxengine.conversation import blocks_of, field_of
from ctxengine.edits.effect import START, Count, blocks_from
from ctxengine.edits.switches import Switches
from ctxengine.emulator.faults import COMPACTION, CUTS, STATUSES, STREAM_CUTS, Faults
from ctxengine.emulator.reading import Asked, refuse
from ctxengine.emulator.replies import Reply, Silent, Speaker
from ctxengine.emulator.sampling import Ground, Written, sample
from ctxengine.emulator.wire import Refused
from ctxengine.semantics import Outcome, Signer, World, outcome
from ctxengine.semantics.applying import counter_of
from ctxengine.semantics.cache import PromptCache
from ctxengine.semantics.cache_rules import cache_rules
from ctxengine.semantics.usage import usage_of
from ctxengine.target import target_of

EDITING = (CLEAR_EDITS, THRESHOLD_COMPACTION)
LISTING = (THRESHOLD_COMPACTION, ON_DEMAND_COMPACTION, "advisor", "task_budget")
"""Features whose betas make responses list their iterations, as recorded."""
BINDING = ("block_binding",)
INVOKE_MODEL = "bedrock"
"""The platform of InvokeModel's paths; its usage says less, as recorded."""
SEARCHES = ("web_search", "web_fetch")
Pause = tuple[str, str]
"""Whose answer has paused, and the summary it paused at, or the use whose result it paused behind."""
CONTAINER_LIFE = 300
"""Seconds that a container lives on from its last use; two recorded replies moved it on by the time between them."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How the emulated world is."""

    catalog: Catalog
    platform: str
    clock: Callable[[], float]
    signer: Signer
    switches: Switches
    binds: bool
    latency: float
    """Seconds before a message begins."""
    count: Count | None

    @property
    def today(self) -> date:
        return datetime.fromtimestamp(self.clock(), UTC).date()


@dataclass(slots=True)
class Account:
    """The model that speaks, the prompt cache, and the faults that are to come."""

    setting: Setting
    speaker: Speaker
    faults: Faults
    cache: PromptCache = field(default_factory=PromptCache)
    paused: dict[Pause, Reply] = field(default_factory=dict)
    """What is still to come of answers that have paused."""
    ids: Counter[str] = field(default_factory=Counter)

    def message(self, asked: Asked, platform: str, owner: str) -> tuple[Mapping[str, Any], str | None]:
        """The message for a request, and the fault that spoils its delivery.

        Args:
            owner: who shares a prompt cache.

        Raises:
            Refused: the API would not take the request, or it has a fault of its own.
        """
        ground = self._ground(asked, platform, owner)
        found = _taken(asked, ground)
        if found.on_demand and self.faults.take(("too-many-references",)):
            refuse(self.setting.catalog, "odc-references")
        blocks = (block for _, block in blocks_from(found.request["messages"], START))
        summarised = any(field_of(block, "type") == "compaction" and field_of(block, "signature") for block in blocks)
        if (found.on_demand or summarised) and self.faults.take(("compaction-unavailable",)):
            refuse(self.setting.catalog, "odc-unavailable")
        resumed = _pause_of(_said(found), owner)
        rest = self.paused.get(resumed) if resumed else None
        reply = rest or self._reply(found)
        fault = self.faults.take((*STATUSES, *(STREAM_CUTS if asked.stream else CUTS)))
        if fault in STATUSES:
            refuse(self.setting.catalog, f"load-{fault}")
        written = sample(asked.kwargs, found, reply, ground, lambda: self.faults.take(COMPACTION))
        if fault is None:
            said = chain(reversed(written.content), _said(found) if resumed else ())
            paused = _pause_of(said, owner) if written.stop_reason == "compaction" else None
            self._go_on(written, paused, resumed, rest)
        return self._envelope(asked, found, written, ground), fault

    def counts(self, asked: Asked) -> dict[str, Any]:
        """What count_tokens answers: exactly what would be billed, were nothing compacted."""
        ground = self._ground(asked, self.setting.platform, surface="count_tokens")
        found = _taken(asked, ground)
        size = ground.prompt(found.request).total
        if "context_management" not in asked.kwargs:
            return {"input_tokens": size}
        cleared = found.original_tokens - found.input_tokens
        return {"input_tokens": size, "context_management": {"original_input_tokens": size + cleared}}

    def new_id(self, kind: str) -> str:
        self.ids[kind] += 1
        return f"{kind}_emulated{self.ids[kind]:015}"

    def _ground(self, asked: Asked, platform: str, owner: str = "", surface: str = "create") -> Ground:
        setting = self.setting
        thinking = asked.kwargs.get("thinking")
        target = target_of(setting.catalog, model=asked.kwargs["model"], platform=platform, thinking=thinking)
        world = World(
            catalog=setting.catalog,
            platform=platform,
            surface=surface,
            count=setting.count,
            switches=setting.switches,
            signer=setting.signer,
            binds=setting.binds,
            today=setting.today,
        )
        return Ground(
            world=world,
            count=counter_of(setting.count, setting.catalog, target.facts),
            signer=setting.signer,
            target=target,
            cache=self.cache,
            rules=cache_rules(setting.catalog, target, setting.switches),
            owner=owner,
            now=setting.clock(),
        )

    def _go_on(self, written: Written, paused: Pause | None, resumed: Pause | None, rest: Reply | None) -> None:
        """The script goes on once a reply has begun; where it pauses, what is still to come is kept.

        Args:
            resumed: the pause that the request goes on from.
            rest: what was kept for it.
        """
        if rest is None and (written.spoken or written.rest):
            self.speaker.played()
        if resumed and (written.spoken or paused):
            self.paused.pop(resumed, None)
        if paused:
            self.paused.pop(paused, None)  # of two that paused at the same words, the newer one goes on
            if left := written.rest or rest:
                self.paused[paused] = left

    def _reply(self, found: Outcome) -> Reply:
        """What the script says; tool uses that it gives no id get one. A compaction on demand can do without."""
        try:
            reply = self.speaker.reply(found.request)
        except Silent as silent:
            if not found.on_demand:
                refuse(self.setting.catalog, "script-over", said=str(silent))
            return Reply(())
        blocks = (
            {"id": self.new_id("toolu"), **block} if block["type"] == "tool_use" else block for block in reply.content
        )
        return replace(reply, content=tuple(blocks))

    def _envelope(self, asked: Asked, found: Outcome, written: Written, ground: Ground) -> dict[str, Any]:
        message = {
            "model": asked.kwargs["model"],
            "id": self.new_id("msg"),
            "type": "message",
            "role": "assistant",
            "content": written.content,
            "stop_reason": written.stop_reason,
            "stop_sequence": written.stop_sequence,
            "stop_details": None,
            "usage": _usage(written, ground, listed=self._has_beta(asked, LISTING)),
        }
        container = asked.kwargs.get("container")
        name = container.get("id") if isinstance(container, Mapping) else container
        if name:
            until = datetime.fromtimestamp(ground.now + CONTAINER_LIFE, UTC)
            message["container"] = {"id": name, "expires_at": until.isoformat().replace("+00:00", "Z")}
        if self._has_beta(asked, EDITING):
            message["context_management"] = {"applied_edits": list(written.applied_edits)}
        if self._has_beta(asked, BINDING):
            message["input_transformations"] = list(found.input_transformations)
        return message

    def _has_beta(self, asked: Asked, features: Sequence[str]) -> bool:
        return any(beta in self.setting.catalog.betas_for(name) for name in features for beta in asked.betas)


def _taken(asked: Asked, ground: Ground) -> Outcome:
    """What becomes of a request that the API takes."""
    found = outcome(asked.kwargs, ground.world)
    if found.error:
        raise Refused(found.error)
    return found


def _said(found: Outcome) -> Iterator[Any]:
    """The blocks of the model's messages, the newest first."""
    for message in reversed(found.request.get("messages") or ()):
        if field_of(message, "role") == "assistant":
            yield from reversed(blocks_of(message))


def _pause_of(said: Iterable[Any], owner: str) -> Pause | None:
    """The pause that an answer ends with; a compaction that failed leaves it where it was.

    Args:
        said: blocks of the model's, the newest first.
    """
    for number, block in enumerate(said):
        compaction = field_of(block, "type") == "compaction"
        if not number and not compaction:
            return None
        if not compaction or field_of(block, "content"):
            known = field_of(block, "tool_use_id") or field_of(block, "content")
            return (owner, str(known)) if known else None
    return None


def _usage(written: Written, ground: Ground, *, listed: bool) -> dict[str, Any]:
    usage = usage_of(written.iterations, listed=listed)
    thinking = sum(ground.count(block) for block in written.content if block["type"] == "thinking")
    used = Counter(block["name"] for block in written.content if block["type"] == "server_tool_use")
    if thinking or ground.target.thinks:
        usage["output_tokens_details"] = {"thinking_tokens": min(thinking, usage["output_tokens"])}
    if used:
        usage["server_tool_use"] = {f"{name}_requests": used[name] for name in SEARCHES}
    where = (
        {} if ground.target.platform.name == INVOKE_MODEL else {"service_tier": "standard", "inference_geo": "global"}
    )
    return {**usage, **where}
