"""A conversation as rows of numbers, made once: what every policy's arithmetic works on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, NamedTuple

from ctxengine.catalog import Catalog
from ctxengine.catalog.facts import CALLS, Ttl
from ctxengine.conversation import RESULTS, THINKING, markable
from ctxengine.edits.clear_tool_uses_choice import Use
from ctxengine.edits.clear_tool_uses_effect import cleared_result, is_tiny
from ctxengine.edits.switches import Switches
from ctxengine.semantics.cache import CacheRequest
from ctxengine.semantics.cache_prompt import RUNS, SHOWING, PromptReader, features_in, ttl_inside, ttl_of_mark
from ctxengine.semantics.cache_rules import CacheRules, cache_rules
from ctxengine.simulate.bills import Fit, billed_tokens, fit, recorded_dollars, recorded_ttl
from ctxengine.simulate.needs import Needs, find_needs
from ctxengine.simulate.sizes import BlockSizes
from ctxengine.simulate.turns import Turn, turns_of
from ctxengine.target import Target
from ctxengine.tokens import Size, measure
from ctxengine.transcripts import Transcript


class Start(NamedTuple):
    """A place that a prompt begins at: a compaction block's, or what follows one."""

    message: int
    row: int
    uses: int
    """Tool uses before it."""
    thinking: int
    """Turns of thinking before it."""


@dataclass(slots=True)
class Scan:
    """Rows are content blocks of the messages, numbered from 0; lists by message have one entry more than messages."""

    target: Target
    request: Mapping[str, Any]
    head: CacheRequest
    """Tools and system prompt, as the cache sees them."""
    head_tokens: int
    instructions: int
    """Tokens that come with the first tool, behind the system prompt."""
    overhead: int
    """Tokens of a message without content."""
    frame: int
    """Tokens of a compaction block beyond its text."""
    measured: tuple[Size, Size]
    """What tools and system prompt hold, for estimates."""
    sizes: list[int] = field(default_factory=list)
    """Tokens by row; a message's overhead is in its first."""
    places: list[int] = field(default_factory=list)
    """Look-back place by row."""
    marks: list[tuple[int, Ttl]] = field(default_factory=list)
    """The caller's, by row."""
    marked_inside: set[int] = field(default_factory=set)
    """Rows of results that have their mark on a part of their content: clearing takes it along."""
    first_rows: list[int] = field(default_factory=lambda: [0])
    use_counts: list[int] = field(default_factory=lambda: [0])
    """Tool uses before each message."""
    thinking_counts: list[int] = field(default_factory=lambda: [0])
    """Turns of thinking before each message."""
    questions: list[int] = field(default_factory=lambda: [0])
    """Turns of thinking before the newest question of the user's own."""
    user: list[bool] = field(default_factory=list)
    tails: list[int] = field(default_factory=list)
    """The last row of each message that may carry a cache mark, -1 without one."""
    sums: list[int] = field(default_factory=list)
    """Tokens of all rows before each row."""
    uses: list[Use] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    """Row of each tool use."""
    results: list[int] = field(default_factory=list)
    """Row of its result, -1 without one."""
    thinking: list[dict[int, int]] = field(default_factory=list)
    """Row to tokens of the thinking of each turn that has any: a message, or what of it stands on one side of a
    compaction block."""
    thinking_sums: list[int] = field(default_factory=list)
    """Tokens of the thinking before each of these turns."""
    blocks: list[Start] = field(default_factory=list)
    """Each recorded compaction block that holds a summary."""
    shown: list[tuple[int, str]] = field(default_factory=list)
    """Row of each block that brings a feature along, as the cache sees it, and the feature."""
    turns: list[Turn] = field(default_factory=list)
    recorded_ttl: Ttl | None = None
    """Of the cache writes that the record was billed for; ``None`` where it shows none."""
    recorded_usd: float | None = None
    """What the recorded responses cost, where the bill of each turn is there."""
    fit: Fit = field(default_factory=Fit)
    _needs: Needs | None = None

    def start(self, message: int) -> Start:
        """The beginning of a message."""
        return Start(message, self.first_rows[message], self.use_counts[message], self.thinking_counts[message])

    @property
    def needs(self) -> Needs:
        """What answers come back to; looked for once something is gone."""
        if self._needs is None:
            self._needs = find_needs(self.request["messages"])
        return self._needs


def scan(transcript: Transcript, target: Target, catalog: Catalog, switches: Switches, *, gap: float) -> Scan:
    """Reads a transcript once.

    Args:
        gap: seconds between two requests where the recording has no times.
    """
    sizes = BlockSizes(catalog.tokenizers, target.facts)
    rules = cache_rules(catalog, target, switches)
    request = transcript.request
    head = PromptReader(sizes.of, switches).read(
        {**request, "messages": [], "cache_control": None}, target.model, rules
    )
    head_tokens = sum(sizes.of(part) for part in (request.get("system"), request.get("tools")) if part)
    behind = head_tokens - (head.prompt.tokens[-1] if head.prompt.tokens else 0)
    overhead = sizes.of({"role": "user", "content": []})
    measured = measure(request.get("tools")), measure(request.get("system"))
    made = Scan(target, request, head, head_tokens, behind, overhead, sizes.frame, measured)
    walk = _Walk(made, sizes, switches, rules)
    walk.read(request["messages"])
    _fit_to_bills(made, transcript, catalog)
    made.sums = [0, *accumulate(made.sizes)]
    made.thinking_sums = [0, *accumulate(sum(rows.values()) for rows in made.thinking)]
    answers = [made.sums[row] for row in made.first_rows]
    made.turns = turns_of(transcript, answers, gap)
    made.recorded_ttl = recorded_ttl(transcript.recorded) if not made.marks and not made.head.marks else None
    if made.turns and len(transcript.recorded) >= len(made.turns):
        made.recorded_usd = recorded_dollars(transcript.recorded, target, catalog)
    return made


class _Walk:
    """The one walk over the messages."""

    def __init__(self, made: Scan, sizes: BlockSizes, switches: Switches, rules: CacheRules) -> None:
        self.made, self.sizes, self.rules = made, sizes, rules
        self.runs = RUNS if rules.collapses_runs else ()
        self.tiny = switches.tiny_result
        self.placeholder = switches["clear_tool_uses.placeholder"]
        self.cleared_text = sizes.of(cleared_result({"type": "tool_result", "content": ""}, self.placeholder))
        self.cleared_list = sizes.of(cleared_result({"type": "tool_result", "content": []}, self.placeholder))
        self.open: dict[Any, int] = {}
        self.role = self.last_kind = ""
        """Of the message before, and of its last block: a run of tools goes on in a message of the same role."""
        self.bare: dict[tuple[str, str], int] = {}
        """Tokens of a call without input, by type and name."""

    def read(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Fills the rows."""
        made = self.made
        for index, message in enumerate(messages):
            content = message["content"]
            blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content or ()
            self._message(index, message["role"], blocks)
            made.first_rows.append(len(made.sizes))
            made.use_counts.append(len(made.uses))
            made.thinking_counts.append(len(made.thinking))

    def _message(self, index: int, role: str, blocks: Sequence[Mapping[str, Any]]) -> None:
        made, of_block = self.made, self.sizes.of_block
        extra = made.overhead
        last_kind = self.last_kind if role == self.role else ""
        thinking: dict[int, int] = {}
        asks, tail = False, -1
        for block in blocks:
            kind = block["type"]
            row, tokens = len(made.sizes), of_block(block, kind)
            collapsed = kind == last_kind and kind in self.runs
            made.sizes.append(tokens + extra)
            made.places.append((made.places[-1] if row else -1) + (not collapsed))
            if markable(block):
                tail = row
            if "cache_control" in block and (control := block["cache_control"]) is not None:
                made.marks.append((row, ttl_of_mark({**control})))  # what is no object ends the reading of the file
            if kind in SHOWING and block.get("content").__class__ is not str:  # a text shows nothing
                made.shown += ((row, feature) for feature in features_in(block, kind))
                if inside := ttl_inside(block, kind, self.rules):
                    made.marks.append((row, inside))
                    made.marked_inside.add(row)
            extra, last_kind = 0, kind
            if kind in RESULTS:
                self._result(row, tokens, block)
            elif kind in THINKING:
                thinking[row] = tokens
            elif role == "assistant":
                if kind in CALLS:
                    self._call(row, tokens, block, kind)
            else:
                asks = asks or role == "user"
            if kind == "compaction" and block.get("content"):
                if thinking:
                    made.thinking.append(thinking)
                    thinking = {}
                made.blocks.append(Start(index, row, len(made.uses), len(made.thinking)))
        self.role, self.last_kind = role, last_kind
        made.user.append(role == "user")
        made.tails.append(tail)
        made.questions.append(len(made.thinking) if asks else made.questions[-1])
        if thinking and role == "assistant":
            made.thinking.append(thinking)

    def _call(self, row: int, tokens: int, block: Mapping[str, Any], kind: str) -> None:
        made = self.made
        self.open[block.get("id")] = len(made.uses)
        name = str(block.get("name"))
        bare = self.bare.get((kind, name))
        if bare is None:
            bare = self.bare[kind, name] = self.sizes.of_block({"type": kind, "name": name, "input": {}}, kind)
        made.uses.append(Use(name, 0, tokens - bare if block.get("input") else 0, False, False))
        made.calls.append(row)
        made.results.append(-1)

    def _result(self, row: int, tokens: int, block: Mapping[str, Any]) -> None:
        made, content = self.made, block.get("content")
        use = self.open.get(block.get("tool_use_id"), -1)
        if use >= 0 and made.results[use] < 0:
            made.results[use] = row
            if block["type"] != "tool_result":
                cleared = self.sizes.of(cleared_result(block, self.placeholder))
            else:
                cleared = self.cleared_text if content is None or isinstance(content, str) else self.cleared_list
            called = made.uses[use]
            made.uses[use] = Use(called.name, tokens - cleared, called.input_frees, is_tiny(content, self.tiny), True)


def _fit_to_bills(made: Scan, transcript: Transcript, catalog: Catalog) -> None:
    """Sizes as the record has them: what it does not show goes to the head, the rest by a factor."""
    sums = [0, *accumulate(made.sizes)]
    known = [
        (sums[made.first_rows[entry.messages]], tokens)
        for entry in transcript.recorded
        if entry.messages < len(made.first_rows) and (tokens := billed_tokens(entry, made.target, catalog))
    ]
    made.fit = found = fit(known, made.head_tokens + catalog.opening_tokens)
    if found.factor != 1.0:
        made.sizes = [round(size * found.factor) for size in made.sizes]
        made.overhead = round(made.overhead * found.factor)
        made.thinking = [{row: round(tokens * found.factor) for row, tokens in rows.items()} for rows in made.thinking]
        made.uses = [
            use._replace(frees=round(use.frees * found.factor), input_frees=round(use.input_frees * found.factor))
            for use in made.uses
        ]
    made.head_tokens += found.hidden
