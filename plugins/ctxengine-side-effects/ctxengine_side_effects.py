"""Keeps the results of tools that change something from being cleared: who forgets having paid may pay again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import translate
from functools import lru_cache
from typing import Any

from ctxengine.check import Facts, Hit, Rule, rule
from ctxengine.conversation import Conversation, field_of
from ctxengine.extension import hookimpl
from ctxengine.origin import Origin
from ctxengine.policy import Resolved

name = "side-effects"

CLEARS_TOOLS = "clear_tool_uses_"
"""What the type of every edit that clears tool results begins with; a date follows."""
PATTERNS = (
    "*write*", "*create*", "*delete*", "*send*", "*publish*", "*deploy*",
    "*pay*", "*purchase*", "*refund*", "*transfer*",
)  # fmt: skip
"""Globs of tool names, in any letter case, that stand for a side effect where nothing else is said of a tool."""
WORDS = {"side_effect": True, "safe": False}


@hookimpl
def ctxengine_contribute_edits(
    conversation: Conversation, policy: Resolved, config: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Exclude the tools with side effects from every edit of the policy that clears tool results."""
    edits = [kind for kind in policy.get("edits", {}) if kind.startswith(CLEARS_TOOLS)]
    tools = side_effects(conversation, config) if edits else []
    return [{"type": kind, "exclude_tools": tools} for kind in edits if tools]


@hookimpl
def ctxengine_contribute_rules() -> list[Rule]:
    return [config_wrong]


@rule(
    "side-effects-config",
    "warning",
    "A setting of the plugin side-effects has the wrong shape, and is passed over.",
    help='patterns is a list of globs; tools gives each name "side_effect" or "safe"',
    source="plugins/ctxengine-side-effects/README.md",
    needs="policy",
)
def config_wrong(facts: Facts) -> Iterator[Hit]:
    config = (facts.plan.policy.get("plugins.config") or {}).get(name, {})

    def at(path: str) -> Origin:
        return facts.plan.policy.origin(f"plugins.config.{name}.{path}")

    if "patterns" in config and patterns_of(config) is None:
        yield Hit("patterns is no list of strings: the default patterns are used", at("patterns"))
    for tool, word in tools_of(config).items():
        if str(word) not in WORDS:
            yield Hit("neither side_effect nor safe is said of a tool", at(f"tools.{tool}"))
    for key in config.keys() - {"patterns", "tools"}:
        yield Hit("there is no such setting", at(key))


def side_effects(conversation: Conversation, config: Mapping[str, Any]) -> list[str]:
    """Names of the request's tools that have side effects: by the settings, else by annotations, else by name."""
    said, patterns = tools_of(config), patterns_of(config)
    named = matcher(PATTERNS if patterns is None else patterns)
    found = []
    for tool, (title, _) in zip(conversation.tools, conversation.tool_kinds, strict=True):
        verdict = WORDS.get(str(said.get(title)))
        if verdict is None:
            verdict = annotated(tool)
        if verdict is None:
            verdict = bool(named.match(title))
        if verdict and title:
            found.append(title)
    return found


def annotated(tool: Any) -> bool | None:
    """What MCP annotations on the definition say: read-only tools are safe, destructive ones have side effects."""
    hints = field_of(tool, "annotations")
    if field_of(hints, "readOnlyHint") is True:
        return False
    if field_of(hints, "readOnlyHint") is False or field_of(hints, "destructiveHint") is True:
        return True
    return None


def patterns_of(config: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The setting, where it is a list of strings."""
    patterns = config.get("patterns")
    if isinstance(patterns, list) and all(isinstance(pattern, str) for pattern in patterns):
        return tuple(patterns)
    return None


def tools_of(config: Mapping[str, Any]) -> Mapping[str, Any]:
    tools = config.get("tools")
    return tools if isinstance(tools, Mapping) else {}


@lru_cache(maxsize=64)
def matcher(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """One expression for all globs; without any it matches nothing."""
    return re.compile("|".join(map(translate, patterns)) or r"(?!)", re.IGNORECASE)
