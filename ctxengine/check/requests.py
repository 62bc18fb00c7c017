"""Rules on the request itself: its shape, its tools and task budget, and what the API version refuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ctxengine.check.asked import forces_tool, inside, lacks_beta, problems
from ctxengine.check.planned import is_whole, outside
from ctxengine.check.rule import Facts, Hit, rule
from ctxengine.check.sources import EFFORT, ISSUES, MODELS, OBSERVED, SDK, TASK_BUDGETS
from ctxengine.findings import Place, shown

SAMPLING = ("temperature", "top_p", "top_k")
"""Fields that older versions of the API took, and the SDK no longer offers."""
READ_ARGUMENTS = ("messages", "system", "tools", "context_management")
"""Arguments that the engine reads and writes."""
VERSION_HEADER, VERSION_KEY = "anthropic-version", "anthropic_version"
"""Where a request may name an API version of its own: a header, and on some platforms the body."""


@rule(
    "request-shape",
    "error",
    "The request's messages are not of the shape the API takes.",
    help="pass messages as dicts with a role and content, and blocks as dicts with a type",
    source=SDK,
)
def request_shape(facts: Facts) -> Iterator[Hit]:
    if not facts.conversation.messages:
        yield Hit("the request has no messages", Place("messages"), help="pass at least one message")
    yield from problems(facts, "request-shape")


@rule(
    "request-extra-body",
    "warning",
    "extra_body replaces an argument that the engine reads and writes.",
    help="pass it as an argument of its own, so that the policy applies to it",
    source=SDK,
)
def request_extra_body(facts: Facts) -> Iterator[Hit]:
    extra = facts.request.get("extra_body")
    if not isinstance(extra, Mapping):
        return
    for key in READ_ARGUMENTS:
        if key in extra:
            yield Hit(f"extra_body.{key} replaces what the plan says, unchecked", Place(f"extra_body.{key}"))


@rule(
    "tools-dup-name",
    "error",
    "Two tools share a name.",
    help="rename one of them",
    source=ISSUES,
)
def tools_dup_name(facts: Facts) -> Iterator[Hit]:
    counted = Counter(name for name, _ in facts.conversation.tool_kinds if name)
    if len(counted) == len(facts.conversation.tool_kinds):
        return
    seen: set[str] = set()
    for index, (name, _) in enumerate(facts.conversation.tool_kinds):
        if name in seen:
            yield Hit(f"{counted[name]} tools are called {shown(name)}", Place(f"tools.{index}.name"))
        seen |= {name} if name else set()


@rule(
    "tb-beta",
    "error",
    "A task budget without its beta.",
    help="send the beta, or leave output_config.task_budget out",
    source=TASK_BUDGETS,
)
def tb_beta(facts: Facts) -> Iterator[Hit]:
    yield from lacks_beta(facts, "output_config.task_budget", "task_budget")


@rule(
    "tb-model",
    "error",
    "A task budget for a model that has none.",
    help="leave output_config.task_budget out for this model",
    source=TASK_BUDGETS,
)
def tb_model(facts: Facts) -> Iterator[Hit]:
    path = "output_config.task_budget"
    model = facts.target.facts
    if model and model.task_budget is False and inside(facts, path) is not None:
        yield Hit(f"{model.id} does not take a task budget", Place(path))


@rule(
    "tb-min",
    "error",
    "A task budget below the API's minimum.",
    help="raise the total, or leave the task budget out",
    source=TASK_BUDGETS,
)
def tb_min(facts: Facts) -> Iterator[Hit]:
    path = "output_config.task_budget.total"
    total = inside(facts, path)
    broken = outside(facts.catalog.limit("task_budget.total"), total) if is_whole(total) else ""
    if broken:
        yield Hit(f"the task budget's total is {total:,} tokens and {broken}", Place(path))


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
    "version-sampling",
    "error",
    "A sampling parameter, which the current API version refuses.",
    help="leave it out; effort and the prompt steer the model",
    source=f"{SDK}; {OBSERVED}",
)
def version_sampling(facts: Facts) -> Iterator[Hit]:
    if _names_version(facts):
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
    if not model or model.sampling is not False or not _names_version(facts):
        return
    for path, name, value in _sampled(facts):
        if value is not None and (name, value) != ("temperature", 1):
            yield Hit(f"{model.id} does not let {name} be changed", Place(path))


@rule(
    "version-blocks",
    "error",
    "A block that the current API version refuses.",
    help="put documents into user messages, and leave citations off user text",
    source=SDK,
)
def version_blocks(facts: Facts) -> Iterator[Hit]:
    if not _names_version(facts):
        yield from problems(facts, "version-blocks")


def _sampled(facts: Facts) -> Iterator[tuple[str, str, Any]]:
    """Path, name and value of each sampling parameter; one in ``extra_body`` is sent even where it is null."""
    extra = facts.request.get("extra_body")
    for name in SAMPLING:
        if facts.request.get(name) is not None:
            yield name, name, facts.request.get(name)
        if isinstance(extra, Mapping) and name in extra:
            yield f"extra_body.{name}", name, extra[name]


def _names_version(facts: Facts) -> bool:
    """Whether the request asks for an API version of its own in place of the SDK's."""
    headers, body = facts.request.get("extra_headers"), facts.request.get("extra_body")
    return (isinstance(headers, Mapping) and any(str(key).lower() == VERSION_HEADER for key in headers)) or (
        isinstance(body, Mapping) and VERSION_KEY in body
    )
