"""Rules on how the answer is to be made: thinking, effort, its length, forced tools and sampling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ctxengine.check.asked import forces_tool, in_thread, inside, names_version
from ctxengine.check.planned import all_named, is_whole, outside
from ctxengine.check.rule import Facts, Hit, rule
from ctxengine.check.sources import CODE, EFFORT, ISSUES, MODELS, OBSERVED, SDK
from ctxengine.findings import Place, shown

SAMPLING = ("temperature", "top_p", "top_k")
"""Fields that older versions of the API took, and the SDK no longer offers."""


@rule(
    "effort-model",
    "error",
    "A level of effort that the model does not have.",
    help="choose one of the model's levels, or leave output_config.effort out",
    source=EFFORT,
)
def effort_model(facts: Facts) -> Iterator[Hit]:
    path = "output_config.effort"
    model, effort = facts.target.facts, inside(facts, path)
    if not model or model.efforts is None or not isinstance(effort, str) or effort in model.efforts:
        return
    if model.efforts:
        levels = ", ".join(model.efforts)
        yield Hit(f"{model.id} does not have this level of effort, only {levels}", Place(path))
    else:
        yield Hit(f"{model.id} takes no effort", Place("output_config"))


@rule(
    "effort-thinking",
    "error",
    "A level of effort that the model does not have with thinking disabled.",
    help="lower output_config.effort, or leave thinking on",
    source=f"{EFFORT}; {MODELS}",
)
def effort_thinking(facts: Facts) -> Iterator[Hit]:
    path = "output_config.effort"
    model, effort = facts.target.facts, inside(facts, path)
    levels = model.unthinking_efforts if model and inside(facts, "thinking.type") == "disabled" else None
    if model and levels and isinstance(effort, str) and effort in (model.efforts or (effort,)) and effort not in levels:
        yield Hit(f"with thinking disabled {model.id} takes only {', '.join(levels)}", Place(path))


@rule(
    "thinking-mode",
    "error",
    "A way of thinking that the model does not take.",
    help="leave thinking out, or use one of the model's modes",
    source=f"{MODELS}; {OBSERVED}",
)
def thinking_mode(facts: Facts) -> Iterator[Hit]:
    """Of ``between_tools`` it is only known of models that always adapt that they do not take it."""
    model, mode = facts.target.facts, inside(facts, "thinking.type")
    modes = model.thinking_modes if model else None
    if not model or not modes or not isinstance(mode, str) or mode in modes:
        return
    if mode != "between_tools" or modes == ("adaptive",):
        yield Hit(f"{model.id} takes only {', '.join(modes)}", Place("thinking.type"))


@rule(
    "thinking-budget",
    "error",
    "A thinking budget below the API's minimum, or no smaller than max_tokens.",
    help="give thinking.budget_tokens at least the minimum, and max_tokens room for an answer beside it",
    source=ISSUES,
)
def thinking_budget(facts: Facts) -> Iterator[Hit]:
    """Thinking between tools may go on over several answers: its budget may be larger."""
    path = "thinking.budget_tokens"
    budget, (at, most) = inside(facts, path), most_output(facts)
    if inside(facts, "thinking.type") != "enabled" or not is_whole(budget):
        return
    broken = outside(facts.catalog.limit(path), budget)
    if broken:
        yield Hit(f"the budget is {budget:,} tokens and {broken}", Place(path))
    elif is_whole(most) and 0 < most <= budget and not _thinks_between_tools(facts):
        yield Hit(f"max_tokens is {most:,}, and the thinking in it may take {budget:,}", Place(at))


@rule(
    "output-max",
    "error",
    "More output is asked for than the model writes.",
    help="lower max_tokens",
    source=f"{MODELS}; {ISSUES}",
)
def output_max(facts: Facts) -> Iterator[Hit]:
    model, (at, most) = facts.target.facts, most_output(facts)
    if not model or model.max_output is None or not is_whole(most) or most <= model.max_output:
        return
    if not set(facts.catalog.betas_for("long_output")) & set(facts.plan.beta_names):
        yield Hit(f"max_tokens is {most:,}, and {model.id} writes {model.max_output:,} at most", Place(at))


@rule(
    "tool-choice-model",
    "error",
    "A forced tool use on a model that does not let it be forced.",
    help="choose auto, and say in the prompt which tool is wanted",
    source=f"{MODELS}; {ISSUES}",
)
def tool_choice_model(facts: Facts) -> Iterator[Hit]:
    model = facts.target.facts
    if model and model.forced_tools is False and forces_tool(facts):
        yield Hit(f"{model.id} does not let a tool use be forced", Place("tool_choice.type"))


@rule(
    "tool-choice-thinking",
    "error",
    "A forced tool use while thinking is enabled.",
    help="choose auto, or let the model think adaptively",
    source=ISSUES,
)
def tool_choice_thinking(facts: Facts) -> Iterator[Hit]:
    if forces_tool(facts) and inside(facts, "thinking.type") == "enabled":
        yield Hit("a tool use cannot be forced while thinking is enabled", Place("tool_choice.type"))


@rule(
    "tool-choice-name",
    "error",
    "tool_choice names a tool that is not there.",
    help="add the tool's definition, or choose one that the request has",
    source=CODE,
)
def tool_choice_name(facts: Facts) -> Iterator[Hit]:
    """The history may bring tools of its own: in blocks that add some or compact, or on the server, of a thread."""
    name, known = inside(facts, "tool_choice.name"), facts.conversation
    if inside(facts, "tool_choice.type") != "tool" or not isinstance(name, str) or name in dict(known.tool_kinds):
        return
    if all_named(facts) and not (known.adds_tools or known.compaction_blocks or in_thread(facts)):
        yield Hit(f"the request has no tool {shown(name)}", Place("tool_choice.name"))


@rule(
    "version-sampling",
    "error",
    "A sampling parameter, which the current API version refuses.",
    help="leave it out; effort and the prompt steer the model",
    source=f"{SDK}; {OBSERVED}",
)
def version_sampling(facts: Facts) -> Iterator[Hit]:
    if names_version(facts):
        return
    for path, name, _ in _sampled(facts):
        yield Hit(f"{name} is refused by the API version that the SDK sends", Place(path))


@rule(
    "sampling-model",
    "error",
    "A sampling parameter for a model that does not let it be changed.",
    help="leave it out; effort and the prompt steer the model",
    source=f"{MODELS}; {ISSUES}",
)
def sampling_model(facts: Facts) -> Iterator[Hit]:
    """Under an API version that knows these fields; a temperature of 1 is the default, and taken."""
    model = facts.target.facts
    if not model or model.sampling is not False or not names_version(facts):
        return
    for path, name, value in _sampled(facts):
        if value is not None and (name, value) != ("temperature", 1):
            yield Hit(f"{model.id} does not let {name} be changed", Place(path))


def _thinks_between_tools(facts: Facts) -> bool:
    betas = facts.catalog.betas_for("interleaved_thinking")
    tools = facts.conversation.tools or facts.request.get("mcp_servers")
    return bool(tools) and bool(set(betas) & set(facts.plan.beta_names))


def most_output(facts: Facts) -> tuple[str, Any]:
    """Where ``max_tokens`` stands that is sent, and its value; ``None`` where there is none, as in counting."""
    if facts.surface == "count_tokens":
        return "max_tokens", None
    extra = inside(facts, "extra_body.max_tokens")
    if extra is not None:
        return "extra_body.max_tokens", extra
    return "max_tokens", facts.request.get("max_tokens")


def _sampled(facts: Facts) -> Iterator[tuple[str, str, Any]]:
    """Path, name and value of each sampling parameter; one in ``extra_body`` is sent even where it is null."""
    extra = facts.request.get("extra_body")
    for name in SAMPLING:
        if facts.request.get(name) is not None:
            yield name, name, facts.request.get(name)
        if isinstance(extra, Mapping) and name in extra:
            yield f"extra_body.{name}", name, extra[name]
