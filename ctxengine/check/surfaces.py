"""Rules on the ways to send a request: threads, the tool runner, counting, streaming."""

from __future__ import annotations

from collections.abc import Iterator

from ctxengine.check.asked import in_thread, problems
from ctxengine.check.planned import is_whole, outside
from ctxengine.check.rule import Facts, Hit, rule
from ctxengine.check.sources import SDK, THREADS, TOKEN_COUNTING
from ctxengine.findings import Place, shown

SERVER_TOOLS = ("web_search_", "web_fetch_", "code_execution_", "tool_search_", "mcp_toolset")
"""How the types of the tools begin that the API runs itself and does not count."""


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
        if facts.request.get(name) is not None:
            yield Hit(f"{name} cannot stand in a thread's request: thread_unsupported_request", Place(name))
    if facts.target.platform_lacks("threads"):
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
    "count-unsupported",
    "error",
    "count_tokens with something it does not count.",
    help="use an estimate instead, which `ctxengine explain` shows and `CalibratedCounter` gives, with its error band",
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
    if facts.request.get("mcp_servers"):
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
    tokens, limit = facts.request.get("max_tokens"), facts.catalog.limit("non_streaming.max_tokens")
    streams = facts.surface == "stream" or bool(facts.request.get("stream"))
    broken = outside(limit, tokens) if is_whole(tokens) and not streams and not facts.request.gives("timeout") else ""
    if broken:
        message = (
            f"max_tokens is {tokens:,} and {broken} without streaming and without a timeout: the SDK raises ValueError"
        )
        yield Hit(message, Place("max_tokens"))
