"""The front desk: a policy in, plans and keyword arguments out. An Engine is immutable and safe to share."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from ctxengine.catalog import Catalog, default_catalog
from ctxengine.check import Needs, Rule
from ctxengine.engine.desk import Desk
from ctxengine.extension.host import Host
from ctxengine.findings import Report
from ctxengine.plan import Plan
from ctxengine.policy import Layer, layers_from_mapping, load_layers
from ctxengine.policy.document import Mode
from ctxengine.prefix import Prefix
from ctxengine.tokens import TokenCounter

ANY_MODEL = "any"
"""Stands for the model where a policy is judged by itself."""


class Engine:
    """A policy with a catalog and plugins, ready to build requests for any model and platform.

    Make one with :meth:`load` or :meth:`from_policy`; it never changes after that.
    """

    def __init__(
        self,
        layers: Sequence[Layer] = (),
        *,
        catalog: Catalog | None = None,
        host: Host | None = None,
        platform: str | None = None,
    ) -> None:
        """An engine from parts that are read already.

        Args:
            layers: policies, each over the one before; without any, requests are judged as they are.
            catalog: the facts, before what layers and plugins add; by default those of the package.
            host: the plugins; by default the installed ones.
            platform: one of the catalog's platforms; by default read off the model id, else the Claude API.
        """
        self.layers = tuple(layers)
        self.host = host or Host()
        self.catalog = _with_overlays(catalog or default_catalog(), self.host, self.layers)
        self._desk = Desk(self.layers, self.catalog, self.host, platform)

    def under(self, mode: Mode) -> Engine:
        """The same engine in this mode, whatever the policy and the environment say."""
        other = copy(self)
        other._desk = Desk(self.layers, self.catalog, self.host, self._desk.platform, mode)
        return other

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule that requests are judged by, those of plugins too."""
        return self._desk.rules

    @classmethod
    def load(
        cls,
        *paths: str | Path,
        plugins: Sequence[object] = (),
        platform: str | None = None,
        catalog: Catalog | None = None,
        strict: bool = False,
    ) -> Engine:
        """Read policy files (or presets, ``ctxengine:agentic``), each a layer over the one before.

        Args:
            plugins: plugin objects or modules; they contribute whatever the policy says.
            platform: one of the catalog's platforms; by default read off the model id, else the Claude API.
            strict: a plugin that fails refuses the build instead of being left out.

        Raises:
            PolicyError: a file is no policy; the message names file, line and path.
        """
        host = Host(plugins, strict=strict)
        return cls(
            load_layers(*paths, known_edits=_edit_types(catalog, host)), catalog=catalog, host=host, platform=platform
        )

    @classmethod
    def from_policy(
        cls,
        *policies: Mapping[str, Any],
        plugins: Sequence[object] = (),
        platform: str | None = None,
        catalog: Catalog | None = None,
        strict: bool = False,
    ) -> Engine:
        """The same from policies in code, as plain dicts."""
        host = Host(plugins, strict=strict)
        known = _edit_types(catalog, host)
        layers = [layer for policy in policies for layer in layers_from_mapping(policy, known_edits=known)]
        return cls(layers, catalog=catalog, host=host, platform=platform)

    def build(
        self,
        *,
        surface: str = "create",
        platform: str | None = None,
        settings: Mapping[str, Any] | None = None,
        counter: TokenCounter | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Keyword arguments for ``client.beta.messages.create`` and its siblings, by the policy.

        Args:
            surface: ``create``, ``stream``, ``count_tokens`` or ``tool_runner``; what it does not take is left out.
            settings: a partial policy for this call alone, laid over the files.
            counter: sizes that are known; rules on sizes then run here too.
            kwargs: what you would pass to the SDK; never changed, unknown ones pass through.

        Raises:
            RequestError: the request cannot be read.
            PlanRefused: the API would refuse it; carries the whole report.
        """
        return self._desk.build(self._desk.call(kwargs, surface, platform, settings, counter))

    def plan(
        self,
        *,
        surface: str = "create",
        platform: str | None = None,
        settings: Mapping[str, Any] | None = None,
        counter: TokenCounter | None = None,
        **kwargs: Any,
    ) -> Plan:
        """What :meth:`build` would send and why; errors stand in ``plan.report`` instead of being raised."""
        return self._desk.plan(self._desk.call(kwargs, surface, platform, settings, counter))

    def planner(self) -> Planner:
        """``build`` for one growing conversation: each call costs what is new in it."""
        return Planner(self._desk)

    def check(
        self,
        *,
        model: str | None = None,
        surface: str = "create",
        platform: str | None = None,
        thinking: Mapping[str, Any] | str | None = None,
        settings: Mapping[str, Any] | None = None,
        request: Mapping[str, Any] | None = None,
        counter: TokenCounter | None = None,
        today: date | None = None,
    ) -> Report:
        """Judge the policy by itself, for a model and platform, or with a request; rules that need more do not run.

        Args:
            model: in place of the request's; without either, only rules that need no model run.
            thinking: in place of the request's, whole or ``thinking.type`` alone; "default" for a request without.
            request: keyword arguments as for :meth:`build`, as are ``surface``, ``settings`` and ``counter``.
            today: the day that retirements are counted from.
        """
        kwargs = dict(request or {"messages": ()})
        model = model or kwargs.get("model")
        kwargs["model"] = model or ANY_MODEL
        if thinking is not None:
            own = kwargs.pop("thinking", None)
            if isinstance(thinking, Mapping):
                kwargs["thinking"] = thinking
            elif thinking != "default":
                kwargs["thinking"] = {**(own if isinstance(own, Mapping) else {}), "type": thinking}
        call = self._desk.call(kwargs, surface, platform, settings, counter)
        known: Needs = "policy" if not model else "target" if request is None else "request"
        return self._desk.check(replace(call, today=today or call.today), known)


def _edit_types(catalog: Catalog | None, host: Host) -> Collection[str]:
    return {*(catalog or default_catalog()).edits, *(item.fact.type for item in host.edits)}


class Planner:
    """``build`` and ``plan`` for one growing conversation; not to be shared between conversations."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._prefix = Prefix()

    def build(
        self,
        *,
        surface: str = "create",
        platform: str | None = None,
        settings: Mapping[str, Any] | None = None,
        counter: TokenCounter | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """As :meth:`Engine.build`; a message object seen before counts as unchanged."""
        return self._desk.build(self._desk.call(kwargs, surface, platform, settings, counter, self._prefix.scan))

    def plan(
        self,
        *,
        surface: str = "create",
        platform: str | None = None,
        settings: Mapping[str, Any] | None = None,
        counter: TokenCounter | None = None,
        **kwargs: Any,
    ) -> Plan:
        """As :meth:`Engine.plan`."""
        return self._desk.plan(self._desk.call(kwargs, surface, platform, settings, counter, self._prefix.scan))

    def reset(self) -> None:
        """Forget what was seen: after a message was changed in place, or for another conversation."""
        self._prefix = Prefix()


def _with_overlays(catalog: Catalog, host: Host, layers: Iterable[Layer]) -> Catalog:
    """The catalog with the edits plugins register and the overlays the policy files name."""
    if host.edits:
        catalog = catalog.with_edits(item.fact for item in host.edits)
    for layer in layers:
        if layer.catalog is not None:
            catalog = catalog.with_overlay(layer.catalog)
    return catalog
