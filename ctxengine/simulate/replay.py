"""One policy over one conversation, turn by turn: arithmetic on what was scanned, no request is built."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ctxengine.catalog import Catalog
from ctxengine.edits import Compact, type_of
from ctxengine.edits.clear_tool_uses_choice import Cut
from ctxengine.edits.compact_effect import is_due
from ctxengine.edits.switches import Switches
from ctxengine.findings import Finding, shown
from ctxengine.semantics import summary_size
from ctxengine.semantics.applying import counter_for
from ctxengine.semantics.cache import CacheRequest, CacheUse, Mark, PromptCache
from ctxengine.semantics.cache_prompt import apart
from ctxengine.semantics.cache_rules import cache_rules
from ctxengine.semantics.compacting import asked_for_summary, due
from ctxengine.simulate.bills import dollars, price_of
from ctxengine.simulate.marks import Marker
from ctxengine.simulate.needs import Need
from ctxengine.simulate.planned import Candidate, Planned, planned
from ctxengine.simulate.scan import Scan, Start
from ctxengine.simulate.sent import Sent
from ctxengine.simulate.stretch import Stretch
from ctxengine.simulate.totals import plus
from ctxengine.simulate.turns import Turn

COMPACT = type_of(Compact)
Row = dict[str, Any]


class Read(NamedTuple):
    """What the edits leave of a turn's prompt."""

    original: int
    """Tokens before them."""
    context: int
    """Tokens after them, before a compaction."""
    unthought: int
    """Tokens of the thinking that is cleared."""
    thoughts: int
    """Turns of that thinking."""
    cut: Cut
    why: list[str]
    """Reasons for what is newly cleared, or compacted."""


class Pass(NamedTuple):
    """One iteration."""

    use: CacheUse
    output: int


class Replay:
    """What one policy does at every turn of a scanned conversation.

    Args:
        name: the conversation's.
        known: what the API would refuse of the record itself.
    """

    def __init__(
        self, made: Scan, candidate: Candidate, catalog: Catalog, switches: Switches, name: str,
        known: Sequence[Finding] = (),
    ) -> None:  # fmt: skip
        self._known = known
        self._made, self._candidate, self._catalog, self._switches = made, candidate, catalog, switches
        self._planner = candidate.engine.planner()
        self._name = name
        self._facts = made.target.facts
        self._window = self._facts.window if self._facts else None
        self._rules = cache_rules(catalog, made.target, switches)
        self._cache = PromptCache()
        self._sent = Sent(made)
        self._blocks = 0
        self.plan = self._planned(made.turns[0].messages)
        if not self.plan.refusals:
            self._start(made.start(0), made.head_tokens)

    def rows(self) -> Iterator[Row]:
        """One plain dict a turn; none where the API would refuse what the policy sends."""
        if self.plan.refusals:
            return
        for number, turn in enumerate(self._made.turns, start=1):
            yield self._turn(number, turn)

    def _planned(self, messages: int) -> Planned:
        plan = planned(self._candidate, self._planner, self._made, messages, self._known)
        self._compact_edit = plan.edits.get(COMPACT)
        return plan

    def _start(self, at: Start, tokens: int, summary: int = 0, block: int | None = None) -> None:
        """A new stretch: from a row on, with so many tokens in front of it."""
        made = self._made
        self._base = tokens + self._rules.opening_tokens - made.sums[at.row]
        self._marker = Marker(self.plan, made, self._sent, at, summary, block)
        self._stretch = Stretch(self.plan, made, self._sent, self._switches, at)

    def _recorded_block(self, block: Start) -> None:
        """The record holds a compaction block: what stands before it is not read from here on."""
        made = self._made
        self.plan = self._planned(block.message + 2)
        more = made.overhead if block.row > made.first_rows[block.message] else 0
        self._sent.begin(block.row, made.instructions + more)
        self._start(block, made.head_tokens + more, block=self._sent.messages_at)

    def _turn(self, number: int, turn: Turn) -> Row:
        made, sent = self._made, self._sent
        while self._blocks < len(made.blocks) and made.blocks[self._blocks].message < turn.messages:
            self._recorded_block(made.blocks[self._blocks])
            self._blocks += 1
        end = made.first_rows[turn.messages]
        why: list[str] = []
        original, unthought, cut = self._stretch.clear(turn.messages, self._base + made.sums[end], why)
        read = Read(original, original - unthought - cut.tokens, unthought, self._stretch.cleared_thinking, cut, why)
        sent.extend(end)
        if self._window is not None and read.context > self._window:
            return self._row(number, turn, read, read.context, ())
        asked = self._asked(self._marker.marks(turn.messages), turn, read.context)
        if self._compact_edit is not None and is_due(self._compact_edit, read.context):
            return self._row(number, turn, read, *self._compacted(turn, read, asked, self._compact_edit))
        use = self._cache.take(asked, self._rules, turn.seconds)
        return self._row(number, turn, read, read.context, (Pass(use, turn.output_tokens),))

    def _compacted(
        self, turn: Turn, read: Read, asked: CacheRequest, edit: Mapping[str, Any]
    ) -> tuple[int, Sequence[Pass]]:
        """What the model reads on from, and two iterations: the summary is written, then the answer to it alone."""
        made, sent = self._made, self._sent
        read.why.append(f"compacts: {read.context:,} tokens reach {edit['trigger']['value']:,}")
        count = counter_for(self._catalog, self._facts)
        asking = due(read.context, edit.get("instructions"), count, self._catalog, pause=False).asking_tokens
        first = self._cache.take(asked_for_summary(asked, asking, self._rules), self._rules, turn.seconds)
        summary = summary_size(read.context)
        block = summary + made.frame
        tokens = made.instructions + made.overhead + block
        sent.begin(made.first_rows[turn.messages], -made.overhead, (("summary", turn.messages), tokens))
        # the summary is the first block of the recorded answer, whose overhead it takes over
        self._start(made.start(turn.messages), made.head_tokens + block, block, sent.messages_at)
        left = made.head_tokens + made.overhead + block + self._rules.opening_tokens
        marks = [mark for mark in asked.marks if mark.block < sent.messages_at]
        use = self._cache.take(self._asked(marks, turn, left), self._rules, turn.seconds)
        return left, (Pass(first, summary), Pass(use, turn.output_tokens))

    def _asked(self, marks: list[Mark], turn: Turn, context: int) -> CacheRequest:
        scope = self._made.head.scope
        features: dict[str, Hashable] = dict.fromkeys(self._sent.shown(), True) if self._made.shown else {}
        if turn.thinking:
            features["thinking"] = turn.thinking
        if features:
            scope = apart(scope, features, self._switches)
        return CacheRequest(self._sent.prompt, marks, context, scope)

    def _row(self, number: int, turn: Turn, read: Read, left: int, passes: Sequence[Pass]) -> Row:
        """A turn that leaves so many tokens of context, in these iterations; in none where the prompt does not fit."""
        use, output = passes[0] if len(passes) == 1 else _together(passes)
        again = self._needed_again(turn)
        repeated = sum(need.how == "repeated" for need in again)
        return {
            "transcript": self._name,
            "policy": self._candidate.name,
            "turn": number,
            "messages": turn.messages,
            "seconds": turn.seconds,
            "original_tokens": read.original,
            "context": left,
            "peak": read.context,
            "headroom": None if self._window is None else self._window - read.context,
            "overflow": not passes,
            "why": read.why,
            "cleared_tool_uses": read.cut.uses,
            "cleared_input_tokens": read.cut.tokens,
            "cleared_thinking_turns": read.thoughts,
            "cleared_thinking_tokens": read.unthought,
            "compaction": len(passes) > 1,
            "summary_tokens": passes[0].output if len(passes) > 1 else 0,
            "cache_read": use.read,
            "cache_write_5m": use.write_5m,
            "cache_write_1h": use.write_1h,
            "uncached": use.uncached,
            "output_tokens": output,
            "iterations": len(passes),
            "cost_usd": self._cost(passes),
            "needed_again": len(again),
            "repeated": repeated,
            "quoted": len(again) - repeated,
            "needed": [self._told(need) for need in again],
        }

    def _cost(self, passes: Sequence[Pass]) -> float | None:
        cost: float | None = 0.0
        for use, output in passes:
            cost = plus(cost, dollars(price_of(self._facts, use.total), use, output))
        return cost

    def _needed_again(self, turn: Turn) -> Sequence[Need]:
        """What the answer comes back to, of what is gone."""
        stretch = self._stretch
        if not stretch.takes_anything:
            return ()
        return [need for need in self._made.needs.get(turn.messages, ()) if stretch.is_gone(need.at)]

    def _told(self, need: Need) -> str:
        """What is needed again, by place and the tool's name, without its words."""
        at = need.at
        place = f"messages.{at.message}.content.{at.block}"
        if at.of == "thinking":
            return f"quotes {place}, thinking"
        if at.use < 0:
            return f"quotes {place}"
        name = shown(self._made.uses[at.use].name)
        if need.how == "repeated":
            return f"calls {name} again, as in {place}"
        return f"quotes {place}, a {'result' if at.of == 'result' else 'call'} of {name}"


def _together(passes: Sequence[Pass]) -> Pass:
    uses = [each.use for each in passes]
    use = CacheUse(
        sum(use.read for use in uses),
        sum(use.write_5m for use in uses),
        sum(use.write_1h for use in uses),
        sum(use.uncached for use in uses),
    )
    return Pass(use, sum(each.output for each in passes))
