"""Rules on what the messages hold: tool pairs, replayed thinking, texts, system messages."""

from __future__ import annotations

from collections.abc import Iterator

from ctxengine.check.asked import in_thread, lacks_beta, noted, problems
from ctxengine.check.rule import Facts, Hit, rule
from ctxengine.check.sources import ISSUES, MODELS, PRESERVED_THINKING, SERVER_TOOLS
from ctxengine.conversation import in_messages
from ctxengine.findings import Place


@rule(
    "bind-edit",
    "warning",
    "Compaction by the client with a model that checks what stands before replayed thinking.",
    help="use the API's own compaction; with thinking.block_binding drop_block the thinking is lost, not refused",
    source=PRESERVED_THINKING,
    needs="target",
)
def bind_edit(facts: Facts) -> Iterator[Hit]:
    model, policy = facts.target.facts, facts.plan.policy
    if facts.plan.mode != "enforce" or policy.get("compaction.mode") != "client":
        return
    if model and model.prefix_checked and facts.target.thinks is not False:
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
    yield from lacks_beta(facts, "thinking.block_binding", "block_binding")


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
    if in_thread(facts):
        return  # what came before is on the server
    yield from problems(facts, "pair-orphan")
    conversation = facts.conversation
    if conversation.open_tool_uses and conversation.ends_with == "assistant" and facts.plan.compaction is None:
        last = in_messages(len(conversation.messages) - 1).path
        count = len(conversation.open_tool_uses)
        yield Hit(f"{last}: {count} tool_use block(s) at the end have no tool_result yet", Place(last))


pair_server = noted(
    "pair-server",
    "A server tool use has no result, and the turn is over.",
    help="send the turn on as it came, answered with tool_result blocks alone, or leave the use out",
    source=SERVER_TOOLS,
)

pair_dup = noted(
    "pair-dup",
    "Two results for one tool use.",
    help="keep one tool_result for each tool_use",
    source=ISSUES,
)

pair_misplaced = noted(
    "pair-misplaced",
    "A tool_use in a message of the user's.",
    help="put it into the assistant message it came in",
    source=ISSUES,
)

pair_dup_id = noted(
    "pair-dup-id",
    "Two tool uses of one message share an id.",
    help="send tool_use blocks with the ids they came with, each once",
    source=ISSUES,
)

pair_id = noted(
    "pair-id",
    "A tool_use id is empty, or holds more than letters, digits, _ and -.",
    help="replace what else is in it, in the tool_use and in its tool_result alike",
    source=ISSUES,
)


@rule(
    "pair-caller",
    "error",
    "A tool_use has a `caller` of null, which the platform refuses.",
    help="leave it out: to_dict() of the SDK's blocks does, model_dump() does not",
    source=ISSUES,
)
def pair_caller(facts: Facts) -> Iterator[Hit]:
    if facts.target.platform_lacks("null_callers"):
        yield from problems(facts, "pair-caller")


thinking_last = noted(
    "thinking-last",
    "An assistant message ends in its thinking.",
    help="take the thinking block out, or send what came behind it too",
    source=ISSUES,
)


@rule(
    "prefill",
    "error",
    "The conversation ends with the beginning of an answer, which the model does not go on from.",
    help="end with a user message; output_config.format and the system prompt give answers their form",
    source=f"{MODELS}; {ISSUES}",
)
def prefill(facts: Facts) -> Iterator[Hit]:
    model = facts.target.facts
    if model and model.prefill is False and _begun_answer(facts) is not None:
        yield Hit(f"{model.id} does not go on from an answer", _last_message(facts))


@rule(
    "prefill-blank",
    "error",
    "The beginning of an answer, at the end of the conversation, ends with white space.",
    help="take the space off its end",
    source=ISSUES,
)
def prefill_blank(facts: Facts) -> Iterator[Hit]:
    """Of models that go on from an answer; all white space is a rule of its own."""
    model, begun = facts.target.facts, _begun_answer(facts)
    if begun and begun.strip() and begun != begun.rstrip() and not (model and model.prefill is False):
        yield Hit("the model cannot go on from white space", _last_message(facts))


def _begun_answer(facts: Facts) -> str | None:
    """Of a request that is to be answered: a count, and a compaction on demand, go on with nothing."""
    answers = facts.surface != "count_tokens" and facts.plan.compaction is None
    return facts.conversation.begun_answer if answers else None


def _last_message(facts: Facts) -> Place:
    return Place(in_messages(len(facts.conversation.messages) - 1).path)


content_empty = noted(
    "content-empty",
    "A user message without content.",
    help="leave the message out, or say something in it",
    source=ISSUES,
)

text_empty = noted(
    "text-empty",
    "A text block without text.",
    help="leave the block out",
    source=ISSUES,
)

text_blank = noted(
    "text-blank",
    "A message, or a system prompt, of nothing but white space.",
    help="leave it out, or say something in it",
    source=ISSUES,
)


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
