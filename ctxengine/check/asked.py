"""What rules ask about the request's arguments, as the method at hand takes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ctxengine.check.rule import Facts, Hit, Rule, rule
from ctxengine.findings import Place

FORCED = ("any", "tool")
"""The ``tool_choice`` types that force a tool use."""
VERSION_HEADER, VERSION_KEY = "anthropic-version", "anthropic_version"
"""Where a request may name an API version of its own: a header, and on some platforms the body."""


def inside(facts: Facts, path: str) -> Any:
    """A value at a dotted path below an argument, ``None`` where something on the way is missing."""
    name, *keys = path.split(".")
    value = facts.request.get(name)
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def forces_tool(facts: Facts) -> bool:
    return inside(facts, "tool_choice.type") in FORCED


def names_version(facts: Facts) -> bool:
    """Whether the request asks for an API version of its own in place of the SDK's."""
    headers, body = facts.request.get("extra_headers"), facts.request.get("extra_body")
    return (isinstance(headers, Mapping) and any(str(key).lower() == VERSION_HEADER for key in headers)) or (
        isinstance(body, Mapping) and VERSION_KEY in body
    )


def in_thread(facts: Facts) -> bool:
    """Whether the request is part of a thread, whose history the server keeps."""
    return isinstance(facts.request.get("thread"), Mapping)


def lacks_beta(facts: Facts, path: str, feature: str) -> Iterator[Hit]:
    """A value at a path, sent without any of its feature's betas."""
    if inside(facts, path) is None:
        return
    betas = facts.catalog.betas_for(feature)
    if not set(betas) & set(facts.plan.beta_names):
        yield Hit(f"{path} needs the beta {' or '.join(betas)}", Place(path))


def problems(facts: Facts, id: str) -> Iterator[Hit]:
    """What the walk over the messages noted for a rule."""
    for problem in facts.conversation.problems:
        if problem.rule == id:
            yield Hit(f"{problem.at.path}: {problem.detail}", Place(problem.at.path))


def noted(id: str, summary: str, *, help: str, source: str) -> Rule:
    """A rule that is broken wherever the walk over the messages noted so."""
    return rule(id, "error", summary, help=help, source=source)(lambda facts: problems(facts, id))
