"""One policy over one conversation, turn by turn: arithmetic on what was scanned, no request is built."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from ctxengine.catalog import Catalog
from ctxengine.edits import Compact, type_of
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
from ctxengine.simulate.turns import Turn

COMPACT = type_of(Compact)
Row = dict[str, Any]
NOTHING = CacheUse(0, 0, 0, 0)


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
        plan = planned(self._candidate, self._made, messages, self._known)
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
        context = original - unthought - cut.tokens
        sent.extend(end)
        if self._window is not None and context > self._window:
            return self._row(number, turn, original, context, unthought, why, NOTHING, None, overflow=True)
        asked = self._asked(self._marker.marks(turn.messages), turn, context)
        if self._compact_edit is None or not is_due(self._compact_edit, context):
            use = self._cache.take(asked, self._rules, turn.seconds)
            return self._row(number, turn, original, context, unthought, why, use, None)
        return self._compacted(number, turn, original, context, unthought, why, asked)

    def _compacted(
        self, number: int, turn: Turn, original: int, context: int, unthought: int, why: list[str], asked: CacheRequest
    ) -> Row:
        """Two iterations: the summary is written, and the model reads on from it alone."""
        made, sent, edit = self._made, self._sent, self._compact_edit or {}
        why.append(f"compacts: {context:,} tokens reach {edit['trigger']['value']:,}")
        count = counter_for(self._catalog, self._facts)
        asking = due(context, edit.get("instructions"), count, self._catalog, pause=False).asking_tokens
        first = self._cache.take(asked_for_summary(asked, asking, self._rules), self._rules, turn.seconds)
        before = {
            "peak": context,
            "headroom": None if self._window is None else self._window - context,
            "cleared_tool_uses": self._stretch.cut.uses,
            "cleared_input_tokens": self._stretch.cut.tokens,
            "cleared_thinking_turns": self._stretch.cleared_thinking,
        }
        summary = summary_size(context)
        block = summary + made.frame
        tokens = made.instructions + made.overhead + block
        sent.begin(made.first_rows[turn.messages], -made.overhead, (("summary", turn.messages), tokens))
        # the summary is the first block of the recorded answer, whose overhead it takes over
        self._start(made.start(turn.messages), made.head_tokens + block, block, sent.messages_at)
        left = made.head_tokens + made.overhead + block + self._rules.opening_tokens
        marks = [mark for mark in asked.marks if mark.block < sent.messages_at]
        use = self._cache.take(self._asked(marks, turn, left), self._rules, turn.seconds)
        return self._row(number, turn, original, left, unthought, why, use, (first, summary)) | before

    def _asked(self, marks: list[Mark], turn: Turn, context: int) -> CacheRequest:
        scope = self._made.head.scope
        features: dict[str, Hashable] = dict.fromkeys(self._sent.shown(), True) if self._made.shown else {}
        if turn.thinking:
            features["thinking"] = turn.thinking
        if features:
            scope = apart(scope, features, self._switches)
        return CacheRequest(self._sent.prompt, marks, context, scope)

    def _row(
        self, number: int, turn: Turn, original: int, context: int, unthought: int, why: list[str], use: CacheUse,
        compaction: tuple[CacheUse, int] | None, *, overflow: bool = False,
    ) -> Row:  # fmt: skip
        facts, output = self._facts, turn.output_tokens
        cost = 0.0 if overflow else dollars(price_of(facts, use.total), use, output)
        first, summary = compaction or (NOTHING, 0)
        if compaction is not None and cost is not None:
            cost += dollars(price_of(facts, first.total), first, summary) or 0.0
        again: list[Need] = []
        stretch = self._stretch
        if stretch.message or stretch.gone:
            needs = self._made.needs.get(turn.messages, ())
            again = [need for need in needs if need.message < stretch.message or need.use in stretch.gone]
        repeated = sum(need.how == "repeated" for need in again) if again else 0
        return {
            "transcript": self._name,
            "policy": self._candidate.name,
            "turn": number,
            "messages": turn.messages,
            "seconds": turn.seconds,
            "original_tokens": original,
            "context": context,
            "peak": context,
            "headroom": None if self._window is None else self._window - context,
            "overflow": overflow,
            "why": why,
            "cleared_tool_uses": self._stretch.cut.uses,
            "cleared_input_tokens": self._stretch.cut.tokens,
            "cleared_thinking_turns": self._stretch.cleared_thinking,
            "cleared_thinking_tokens": unthought,
            "compaction": compaction is not None,
            "summary_tokens": summary,
            "cache_read": use.read + first.read,
            "cache_write_5m": use.write_5m + first.write_5m,
            "cache_write_1h": use.write_1h + first.write_1h,
            "uncached": use.uncached + first.uncached,
            "output_tokens": 0 if overflow else output + summary,
            "iterations": 0 if overflow else 1 + (compaction is not None),
            "cost_usd": cost,
            "needed_again": len(again),
            "repeated": repeated,
            "quoted": len(again) - repeated,
            "needed": [self._told(need) for need in again] if again else [],
        }

    def _told(self, need: Need) -> str:
        """What is needed again, by the tool's name and place, without its words."""
        place = f"messages.{need.message}"
        name = shown(self._made.uses[need.use].name) if need.use >= 0 else ""
        if need.how == "repeated":
            return f"calls {name} again, as in {place}"
        return f"quotes {place}, a result of {name}" if name else f"quotes {place}"
