"""Rules on the request itself: its shape, its tools and task budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from ctxengine.check.asked import inside, lacks_beta, names_version, problems
from ctxengine.check.planned import is_whole, outside
from ctxengine.check.rule import Facts, Hit, rule
from ctxengine.check.sources import CODE, ISSUES, OBSERVED, SDK, TASK_BUDGETS
from ctxengine.conversation import is_plain
from ctxengine.findings import Place, shown
from ctxengine.plan.betas import tool_features

READ_ARGUMENTS = ("messages", "system", "tools", "context_management")
"""Arguments that the engine reads and writes."""


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
    "tools-name",
    "error",
    "A tool's name that the API does not take.",
    help="use letters, digits, _ and -, and not too many of them",
    source=f"{CODE}; {OBSERVED}",
)
def tools_name(facts: Facts) -> Iterator[Hit]:
    for index, (name, kind) in enumerate(facts.conversation.tool_kinds):
        if kind != "custom" or not name:
            continue
        broken = outside(facts.catalog.limit("tools.name"), len(name))
        if broken:
            yield Hit(f"a tool's name has {len(name)} characters and {broken}", Place(f"tools.{index}.name"))
        elif not is_plain(name):
            yield Hit("a tool's name holds more than letters, digits, _ and -", Place(f"tools.{index}.name"))


@rule(
    "tools-beta",
    "error",
    "A tool of a type that only a beta knows, without that beta.",
    help="send the beta, or leave the tool out",
    source=SDK,
)
def tools_beta(facts: Facts) -> Iterator[Hit]:
    sent = set(facts.plan.beta_names)
    for index, feature in tool_features(facts.conversation):
        betas = facts.catalog.betas_for(feature)
        if not sent.intersection(betas):
            yield Hit(f"a tool of this type needs the beta {' or '.join(betas)}", Place(f"tools.{index}"))


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
    "version-blocks",
    "error",
    "A block that the current API version refuses.",
    help="put documents into user messages, and leave citations off user text",
    source=SDK,
)
def version_blocks(facts: Facts) -> Iterator[Hit]:
    if not names_version(facts):
        yield from problems(facts, "version-blocks")
