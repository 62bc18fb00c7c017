"""Which rules are asked, in which mode, and what of their findings counts."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, NamedTuple, get_args

from ctxengine.check import Facts, Rule
from ctxengine.findings import Finding, Report, Severity
from ctxengine.plan import Plan
from ctxengine.policy.document import Mode

MODES: tuple[str, ...] = get_args(Mode)
MODE_VARIABLE = "CTXENGINE_MODE"


class RuleSet(NamedTuple):
    """Rules of some severities, by what they need."""

    severities: tuple[Severity, ...]
    settled: tuple[Rule, ...]
    """Those that need no request: asked once per policy and target."""
    request: tuple[Rule, ...]
    estimated: tuple[Rule, ...]

    @classmethod
    def of(cls, rules: Iterable[Rule], *severities: Severity) -> RuleSet:
        asked = [rule for rule in rules if rule.severity in severities]
        exact = [rule for rule in asked if not rule.estimated]
        return cls(
            severities,
            tuple(rule for rule in exact if rule.needs != "request"),
            tuple(rule for rule in exact if rule.needs == "request"),
            tuple(rule for rule in asked if rule.estimated),
        )


def mode_of(plan: Plan, forced: Mode | None) -> tuple[str, tuple[Finding, ...]]:
    """The forced mode, or the environment's, the switch for the person on call, or the policy's."""
    if forced:
        return forced, ()
    wanted = os.environ.get(MODE_VARIABLE)
    written = plan.policy.get("mode", MODES[0])
    if not wanted or wanted in MODES:
        return wanted or written, ()
    message = f"{MODE_VARIABLE} is none of {', '.join(MODES)}; the policy's mode, {written}, is used"
    return written, (Finding("mode-unknown", "warning", message, f"set {MODE_VARIABLE} to one of them, or unset it"),)


def looked_at(facts: Facts, rules: RuleSet) -> tuple[Any, ...]:
    """All that rules without estimates look at, but for where our own marks stand.

    They see the messages through what is known of the conversation alone: a rule that reads more has to add it here.
    """
    plan, conversation = facts.plan, facts.conversation
    arguments = {name: value for name, value in facts.request.kwargs.items() if name != "messages"}
    return (
        (rules.severities, facts.surface, facts.today, plan.mode, plan.edits, plan.beta_names, plan.pruned),
        (plan.target.platform.name, plan.policy),
        (conversation.ends_with, conversation.begun_answer, conversation.open_tool_uses),
        (conversation.thinking_blocks > 0, conversation.adds_tools),
        (conversation.marks, conversation.compaction_blocks, conversation.problems, conversation.system_messages),
        arguments,
    )


def of_plugins(report: Report) -> tuple[Finding, ...]:
    return tuple(finding for finding in report if finding.rule.startswith("plugin-"))


def without_ignored(plan: Plan, findings: Iterable[Finding]) -> Report:
    """What is left of the findings when those of rules the policy ignores are taken out."""
    ignored = {item["rule"] for item in plan.policy.get("ignore", ())}
    return Report(tuple(finding for finding in findings if finding.rule not in ignored) if ignored else tuple(findings))
