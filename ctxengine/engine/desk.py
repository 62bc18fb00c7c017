"""What an Engine and its Planners do with a request: read it, plan it, judge the plan, render it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from ctxengine.catalog import Catalog
from ctxengine.check import RULES, Facts, Needs, Rule, able, finding_ids, run_rules
from ctxengine.conversation import Conversation
from ctxengine.engine.compiled import Call, Compiled
from ctxengine.engine.judging import RuleSet, looked_at, mode_of, of_plugins, without_ignored
from ctxengine.errors import PlanRefused, RequestError
from ctxengine.extension.host import Host
from ctxengine.findings import Finding, Report, did_you_mean, shown
from ctxengine.plan import CompileInput, Plan, as_it_stands, compile_policy, compile_request, render
from ctxengine.policy import Layer
from ctxengine.policy.document import Mode
from ctxengine.prefix import scan_request
from ctxengine.request import Request, read_request
from ctxengine.target import target_of
from ctxengine.tokens import CalibratedCounter, TokenCounter

CACHED_POLICIES = 256
Scan = Callable[[Request], tuple[Request, Conversation]]


class Desk:
    """Layers, catalog and plugins at work. Only what it remembers of earlier requests ever changes."""

    def __init__(
        self, layers: Sequence[Layer], catalog: Catalog, host: Host, platform: str | None, mode: Mode | None = None
    ) -> None:
        self.layers, self.catalog, self.host, self.platform, self.mode = layers, catalog, host, platform, mode
        self.rules: tuple[Rule, ...] = RULES + host.rules
        self._sizes = CalibratedCounter(catalog.tokenizers)
        self._compiled: dict[tuple[Any, ...], Compiled] = {}
        self._tools_matter = any(
            "tool" in item.get("when", {}) for layer in layers for item in layer.data.get("overrides", ())
        )
        self._finding_ids = finding_ids(self.rules)
        self._judging = RuleSet.of(self.rules, "error", "warning", "info")
        self._refusing = RuleSet.of(self.rules, "error")
        known = frozenset().union(*catalog.surfaces.values())
        self._dropped = {name: known - takes for name, takes in catalog.surfaces.items()}

    def call(
        self,
        kwargs: Mapping[str, Any],
        surface: str,
        platform: str | None,
        settings: Mapping[str, Any] | None,
        counter: TokenCounter | None,
        scan: Scan = scan_request,
    ) -> Call:
        """The request, read; ``scan`` walks its messages."""
        surface = surface if isinstance(surface, str) else type(surface).__name__
        if surface not in self.catalog.surfaces:
            remedy = did_you_mean(surface, sorted(self.catalog.surfaces))
            raise RequestError(Finding("request-shape", "error", f"no surface is called {shown(surface)}", remedy))
        dropped = self._dropped[surface]
        request, conversation = scan(read_request({name: kwargs[name] for name in kwargs if name not in dropped}))
        return Call(request, conversation, platform or self.platform, surface, settings, counter, date.today())

    def build(self, call: Call) -> dict[str, Any]:
        """Only rules that could refuse the build are asked, and all of them where one does, for the report."""
        plan = self._judged(call, self._refusing, estimates=call.counter is not None)
        if plan.mode == "enforce" and any(finding.refuses for finding in plan.report):
            raise PlanRefused(*self.plan(call).report)
        return render(plan, call.request)

    def plan(self, call: Call) -> Plan:
        """What is sent, with what all the rules say of it."""
        return self._judged(call, self._judging, estimates=True)

    def check(self, call: Call, known: Needs) -> Report:
        """What the rules say that need no more than is known."""
        if known == "request":
            return self.plan(call).report
        compiled, given = self._contributed(*self._compiled_for(call))
        plan = compile_request(compiled.plan, given)
        said = plan.report.findings if known == "target" else plan.policy.findings + of_plugins(plan.report)
        found = run_rules(self._facts(plan, call), able(self.rules, known))
        return without_ignored(plan, (*self.host.findings, *said, *found))

    def _judged(self, call: Call, rules: RuleSet, *, estimates: bool) -> Plan:
        compiled, given = self._compiled_for(call)
        mode, said = mode_of(compiled.plan, self.mode)
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
