"""Rules on the request itself: its shape, its tool pairs, and what its other arguments exclude."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from ctxengine.catalog.rows import shown
from ctxengine.check.asked import argument, in_thread, inside, problems
from ctxengine.check.planned import is_whole, outside
from ctxengine.check.rule import Facts, Hit, rule
from ctxengine.check.sources import (
    ISSUES,
    MODELS,
    OBSERVED,
    PRESERVED_THINKING,
    SDK,
    TASK_BUDGETS,
    THREADS,
    TOKEN_COUNTING,
)
from ctxengine.findings import Place

SAMPLING = ("temperature", "top_p", "top_k")
READ_ARGUMENTS = ("messages", "system", "tools", "context_management")
"""Arguments that the engine reads and writes."""
SERVER_TOOLS = ("web_search_", "web_fetch_", "code_execution_", "tool_search_", "mcp_toolset")
"""How the types of the tools begin that the API runs itself and does not count."""
VERSION_HEADER = "anthropic-version"


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
    "thread-unsupported",
    "error",
    "A request in a thread has an argument that threads exclude, or the platform has no threads.",
    help="leave it out, or send the request without thread",
    source=f"{THREADS}; {SDK}",
)
def thread_unsupported(facts: Facts) -> Iterator[Hit]:
    if not in_thread(facts):
        return
    for name in ("context_management", "fallbacks"):
        if argument(facts, name) is not None:
            yield Hit(f"{name} cannot stand in a thread's request: thread_unsupported_request", Place(name))
    if facts.target.platform.supports("threads", facts.target.model) is False:
        yield Hit(f"{facts.target.platform.title} has no threads", Place("thread"))


@rule(
    "runner-thread",
    "warning",
    "The SDK's tool runner with edits and without thread=False.",
    help="pass thread=False to tool_runner",
    source=SDK,
)
def runner_thread(facts: Facts) -> Iterator[Hit]:
    opted_out = facts.request.get("thread") is False
    if facts.surface != "tool_runner" or opted_out or not facts.plan.edits:
        return
    if facts.target.platform.supports("threads", facts.target.model) is not False:
        message = f"the tool runner starts a thread, which excludes the {len(facts.plan.edits)} edit(s) of this request"
        yield Hit(f"{message}; it strips older cache marks or falls back silently", Place("thread"))


@rule(
    "bind-edit",
    "warning",
    "Compaction by the client with a model that checks what stands before replayed thinking.",
    help='use the API\'s own compaction, or set thinking.block_binding.prefix_mismatch_behavior to "drop_block"',
    source=PRESERVED_THINKING,
    needs="target",
)
def bind_edit(facts: Facts) -> Iterator[Hit]:
    model, policy = facts.target.facts, facts.plan.policy
    if facts.plan.mode != "enforce" or policy.get("compaction.mode") != "client":
        return
    drops = inside(facts, "thinking.block_binding.prefix_mismatch_behavior") == "drop_block"
    if model and model.prefix_checked and facts.target.thinks is not False and not drops:
        message = f"{model.id} refuses or drops thinking that is replayed after a rewritten history"
        yield Hit(f'{message}, which compaction.mode "client" makes', policy.origin("compaction.mode"))


@rule(
    "bind-header",
    "error",
    "thinking.block_binding without its beta.",
    help="send the beta, or leave block_binding out",
    source=PRESERVED_THINKING,
)
def bind_header(facts: Facts) -> Iterator[Hit]:
    betas = facts.catalog.betas_for("block_binding")
    if inside(facts, "thinking.block_binding") is not None and not set(betas) & set(facts.plan.beta_names):
        yield Hit(f"thinking.block_binding needs the beta {' or '.join(betas)}", Place("thinking.block_binding"))


@rule(
    "bind-middle",
    "error",
    "Thinking without its signature stands between signed thinking.",
    help="send thinking blocks as they came, or remove all of them from the start up to some point",
    source=PRESERVED_THINKING,
)
def bind_middle(facts: Facts) -> Iterator[Hit]:
    """Only what is visible is judged: a block that was taken out whole leaves no trace."""
    if facts.target.facts and facts.target.facts.prefix_checked:
        yield from problems(facts, "bind-middle")


@rule(
    "pair-orphan",
    "error",
    "A tool_use without its tool_result, or the other way round.",
    help="answer every tool_use in the very next message, with an error result where it was interrupted",
    source=ISSUES,
)
def pair_orphan(facts: Facts) -> Iterator[Hit]:
    yield from problems(facts, "pair-orphan")


@rule(
    "pair-dup",
    "error",
    "Two results for one tool use.",
    help="keep one tool_result for each tool_use",
    source=ISSUES,
)
def pair_dup(facts: Facts) -> Iterator[Hit]:
    yield from problems(facts, "pair-dup")


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
    "sys-role",
    "error",
    "A message with role system for a model that does not take it.",
    help="put the text into system, or into a user message",
    source=MODELS,
)
def sys_role(facts: Facts) -> Iterator[Hit]:
    model, indexes = facts.target.facts, facts.conversation.system_messages
    if model and model.system_role is False and indexes:
        message = f"{model.id} does not take messages with role system; there are {len(indexes)}"
        yield Hit(message, Place(f"messages.{indexes[0]}.role"))


@rule(
    "count-unsupported",
    "error",
    "count_tokens with something it does not count.",
    help="use the engine's estimate instead: plan() and explain carry it, with its error band",
    source=f"{TOKEN_COUNTING}; {SDK}",
)
def count_unsupported(facts: Facts) -> Iterator[Hit]:
    if facts.surface != "count_tokens":
        return
    platform, model = facts.target.platform, facts.target.model
    if platform.supports("count_tokens", model) is False:
        yield Hit(f"{platform.title} has no count_tokens: the SDK's {platform.client} raises", Place())
    elif facts.plan.betas and platform.supports("count_tokens_betas", model) is False:
        names = ", ".join(facts.plan.beta_names)
        yield Hit(f"count_tokens on {platform.title} was seen to refuse betas; the plan sends {names}", Place("betas"))
    for index, (_, kind) in enumerate(facts.conversation.tool_kinds):
        if kind.startswith(SERVER_TOOLS):
            yield Hit(f"count_tokens refuses server tools, such as {shown(kind)}", Place(f"tools.{index}"))
    if argument(facts, "mcp_servers"):
        yield Hit("count_tokens refuses MCP servers", Place("mcp_servers"))
    yield from problems(facts, "count-unsupported")


@rule(
    "stream-required",
    "error",
    "max_tokens is too large for a request without streaming.",
    help="use stream, lower max_tokens, or pass timeout; with a timeout set on the client itself, ignore this rule",
    source=SDK,
)
def stream_required(facts: Facts) -> Iterator[Hit]:
    tokens, limit = argument(facts, "max_tokens"), facts.catalog.limit("non_streaming.max_tokens")
    streams = facts.surface == "stream" or bool(argument(facts, "stream"))
    broken = outside(limit, tokens) if is_whole(tokens) and not streams and not facts.request.gives("timeout") else ""
    if broken:
        message = (
            f"max_tokens is {tokens:,} and {broken} without streaming and without a timeout: the SDK raises ValueError"
        )
        yield Hit(message, Place("max_tokens"))


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
    extra = facts.request.get("extra_body")
    for name in SAMPLING:
        if facts.request.get(name) is not None:
            yield Hit(f"{name} is refused by the API version that the SDK sends", Place(name))
        if isinstance(extra, Mapping) and name in extra:
            yield Hit(f"{name} is refused by the API version that the SDK sends", Place(f"extra_body.{name}"))


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


def _names_version(facts: Facts) -> bool:
    """Whether the request asks for an API version of its own in place of the SDK's."""
    headers, body = facts.request.get("extra_headers"), facts.request.get("extra_body")
    return (isinstance(headers, Mapping) and any(str(key).lower() == VERSION_HEADER for key in headers)) or (
        isinstance(body, Mapping) and "anthropic_version" in body
    )
