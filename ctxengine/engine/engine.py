"""The front desk: a policy in, plans and keyword arguments out. An Engine is immutable and safe to share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from ctxengine.catalog import Catalog, default_catalog
from ctxengine.check import RULES, Facts, Rule, able, finding_ids, run_rules
from ctxengine.conversation import Conversation
from ctxengine.engine.compiled import Call, Compiled
from ctxengine.engine.judging import RuleSet, looked_at, mode_of, of_plugins, without_ignored
from ctxengine.errors import PlanRefused, RequestError
from ctxengine.extension.host import Host
from ctxengine.findings import Finding, Report
from ctxengine.jsontext import read_json_file
from ctxengine.plan import CompileInput, Plan, as_it_stands, compile_policy, compile_request, render
from ctxengine.policy import Layer, layers_from_mapping, load_layers
from ctxengine.prefix import Prefix, scan_request
from ctxengine.request import Request, read_request
from ctxengine.target import target_of
from ctxengine.tokens import CalibratedCounter, TokenCounter

CACHED_POLICIES = 256
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
        self.layers = tuple(layers)
        self.host = host or Host()
        self.catalog = _with_overlays(catalog or default_catalog(), self.host, self.layers)
        self.rules: tuple[Rule, ...] = RULES + self.host.rules
        self._platform = platform
        self._sizes = CalibratedCounter(self.catalog.tokenizers)
        self._compiled: dict[tuple[Any, ...], Compiled] = {}
        self._tools_matter = any(
            "tool" in item.get("when", {}) for layer in self.layers for item in layer.data.get("overrides", ())
        )
        self._finding_ids = finding_ids(self.rules)
        self._judging = RuleSet.of(self.rules, "error", "warning", "info")
        self._refusing = RuleSet.of(self.rules, "error")
        known = frozenset().union(*self.catalog.surfaces.values())
        self._dropped = {name: known - takes for name, takes in self.catalog.surfaces.items()}

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
        return self._build(self._call(kwargs, surface, platform, settings, counter, scan_request))

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
        return self._plan(
            self._call(kwargs, surface, platform, settings, counter, scan_request), self._judging, estimates=True
        )

    def planner(self) -> Planner:
        """``build`` for one growing conversation: each call costs what is new in it."""
        return Planner(self)

    def check(
        self,
        *,
        model: str | None = None,
        platform: str | None = None,
        thinking: str | None = None,
        request: Mapping[str, Any] | None = None,
        counter: TokenCounter | None = None,
        today: date | None = None,
    ) -> Report:
        """Judge the policy by itself, for a model and platform, or with a request; rules that need more do not run.

        Args:
            model: in place of the request's; without either, only rules that need no model run.
            thinking: in place of the request's ``thinking.type``; "default" for a request without ``thinking``.
            request: keyword arguments as for :meth:`build`.
            today: the day that retirements are counted from.
        """
        kwargs = dict(request or {"messages": ()})
        kwargs["model"] = model or kwargs.get("model") or ANY_MODEL
        if thinking is not None:
            own = kwargs.pop("thinking", None)
            if thinking != "default":
                kwargs["thinking"] = {**(own if isinstance(own, Mapping) else {}), "type": thinking}
        call = replace(self._call(kwargs, "create", platform, None, counter, scan_request), today=today or date.today())
        known = kwargs["model"] != ANY_MODEL
        if request is not None and known:
            return self._plan(call, self._judging, estimates=True).report
        compiled, given = self._contributed(*self._compiled_for(call))
        plan = compile_request(compiled.plan, given)
        said = plan.report.findings if known else plan.policy.findings + of_plugins(plan.report)
        found = run_rules(self._facts(plan, call), able(self.rules, "target" if known else "policy"))
        return without_ignored(plan, (*self.host.findings, *said, *found))

    def _call(
        self,
        kwargs: Mapping[str, Any],
        surface: str,
        platform: str | None,
        settings: Mapping[str, Any] | None,
        counter: TokenCounter | None,
        scan: Callable[[Request], tuple[Request, Conversation]],
    ) -> Call:
        if surface not in self.catalog.surfaces:
            names = ", ".join(sorted(self.catalog.surfaces))
            raise RequestError(
                Finding("request-shape", "error", f"no surface is called {surface!r}", f"use one of {names}")
            )
        dropped = self._dropped[surface]
        request, conversation = scan(read_request({name: kwargs[name] for name in kwargs if name not in dropped}))
        return Call(request, conversation, platform or self._platform, surface, settings, counter, date.today())

    def _build(self, call: Call) -> dict[str, Any]:
        """Only rules that could refuse the build are asked, and all of them where one does, for the report."""
        plan = self._plan(call, self._refusing, estimates=call.counter is not None)
        if plan.mode == "enforce" and any(finding.refuses for finding in plan.report):
            raise PlanRefused(*self._plan(call, self._judging, estimates=True).report)
        return render(plan, call.request)

    def _plan(self, call: Call, rules: RuleSet, *, estimates: bool) -> Plan:
        compiled, given = self._compiled_for(call)
        mode, said = mode_of(compiled.plan)
        if mode != "off":
            compiled, given = self._contributed(compiled, given)
        standing = replace(as_it_stands(compiled.plan, given), mode=mode) if mode != "enforce" else None
        plan = standing if standing and mode == "off" else compile_request(compiled.plan, given)
        found = self._found(standing or plan, compiled, call, rules, estimates=estimates)
        report = without_ignored(plan, (*self.host.findings, *said, *plan.report, *found))
        return replace(plan, mode=mode, report=report)

    def _compiled_for(self, call: Call) -> tuple[Compiled, CompileInput]:
        """The policy's part of the plan, from the cache where the request itself adds nothing to it."""
        request = call.request
        target = target_of(self.catalog, model=request.model, platform=call.platform, thinking=request.get("thinking"))
        given = CompileInput(self.layers, self.catalog, target, request, call.conversation, self._sizes, call.settings)
        if call.settings or request.edits:
            return Compiled(compile_policy(given)), given
        tools = call.conversation.tool_kinds if self._tools_matter else ()
        key = (target.asked_model, target.platform.name, target.thinking, tools)
        known = self._compiled.get(key)
        if known is None:
            if len(self._compiled) >= CACHED_POLICIES:
                self._compiled.clear()
            known = self._compiled[key] = Compiled(compile_policy(given))
        return known, given

    def _contributed(self, compiled: Compiled, given: CompileInput) -> tuple[Compiled, CompileInput]:
        """The same with what plugins add; without plugins, what came in."""
        policy = compiled.plan.policy
        answer = self.host.contribute(
            policy.get("plugins.use", ()), given.target, given.conversation, policy, self.catalog.edits
        )
        if answer.edits or answer.breakpoints:
            given = replace(given, contributions=answer.edits, extra_breakpoints=answer.breakpoints)
            compiled = compiled.with_contributions(given)
        if answer.findings:
            compiled = Compiled(replace(compiled.plan, report=compiled.plan.report.plus(answer.findings)))
        return compiled, given

    def _found(
        self, judged: Plan, compiled: Compiled, call: Call, rules: RuleSet, *, estimates: bool
    ) -> Iterator[Finding]:
        """What the rules say. Those that need no request are asked once per policy and target."""
        facts = self._facts(judged, call)
        if judged.edits is compiled.plan.edits:
            asked = tuple((beta.name, beta.origin.source, beta.origin.path) for beta in judged.betas)
            key = (judged.mode, asked, facts.today, rules.severities)
            yield from compiled.verdict(key, lambda: run_rules(facts, rules.settled))
        else:
            yield from run_rules(facts, rules.settled)
        yield from self._asked_of_request(facts, rules)
        if estimates:
            yield from run_rules(facts, rules.estimated)

    def _asked_of_request(self, facts: Facts, rules: RuleSet) -> list[Finding]:
        """What the rules say of the request; those that could refuse it are asked again only where something changed.

        Our own marks move with the end of the conversation and break no such rule, so a turn that brings nothing but
        plain messages is judged as the one before it.
        """
        if rules is not self._refusing:
            return run_rules(facts, rules.request)
        memo, seen = facts.conversation.memo, looked_at(facts, rules)
        known = memo.get(looked_at)
        if known is None or known[0] != seen:
            known = memo[looked_at] = (seen, run_rules(facts, rules.request))
        return list(known[1])

    def _facts(self, plan: Plan, call: Call) -> Facts:
        sent = call.conversation.since(plan.pruned.first) if plan.pruned else call.conversation
        # a counter that knows billed prefixes knows them by the whole conversation, not by what pruning leaves
        counter = self._sizes if plan.pruned or call.counter is None else call.counter
        ids = self._finding_ids
        return Facts(plan, self.catalog, self.layers, call.request, sent, call.surface, counter, call.today, ids)


def _edit_types(catalog: Catalog | None, host: Host) -> Collection[str]:
    return {*(catalog or default_catalog()).edits, *(item.fact.type for item in host.edits)}


class Planner:
    """``build`` and ``plan`` for one growing conversation; not to be shared between conversations."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
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
        return self._engine._build(self._engine._call(kwargs, surface, platform, settings, counter, self._prefix.scan))

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
        call = self._engine._call(kwargs, surface, platform, settings, counter, self._prefix.scan)
        return self._engine._plan(call, self._engine._judging, estimates=True)

    def reset(self) -> None:
        """Forget what was seen: after a message was changed in place, or for another conversation."""
        self._prefix = Prefix()


def _with_overlays(catalog: Catalog, host: Host, layers: Iterable[Layer]) -> Catalog:
    """The catalog with the edits plugins register and the overlays the policy files name."""
    if host.edits:
        catalog = catalog.with_edits(item.fact for item in host.edits)
    for layer in layers:
        if layer.catalog is not None:
            catalog = catalog.with_overlay(read_json_file(layer.catalog, rule="catalog-overlay"))
    return catalog
