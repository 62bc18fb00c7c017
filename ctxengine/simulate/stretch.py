"""What the edits of one policy clear, from the beginning or a compaction to the next one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctxengine.edits import ClearThinking, ClearToolUses, type_of
from ctxengine.edits.clear_thinking_effect import LAST_TURN, cleared_turns, kept_turns
from ctxengine.edits.clear_tool_uses_choice import Clearing, Cut
from ctxengine.edits.switches import Switches
from ctxengine.simulate.needs import Stand
from ctxengine.simulate.planned import Planned
from ctxengine.simulate.scan import Scan, Start
from ctxengine.simulate.sent import Sent

CLEAR_THINKING, CLEAR_TOOL_USES = type_of(ClearThinking), type_of(ClearToolUses)


class Stretch:
    """The edits from a place on; what they take out of the prompt, they take out of ``sent``."""

    def __init__(self, plan: Planned, made: Scan, sent: Sent, switches: Switches, start: Start) -> None:
        self.row = start.row
        """The first that is read."""
        self.cut = Cut()
        """What is cleared of the tool uses."""
        self.gone: set[int] = set()
        """Tool uses that are cleared, by their number in the conversation."""
        self._made, self._sent, self._switches = made, sent, switches
        self._thinking_edit: Mapping[str, Any] | None = plan.edits.get(CLEAR_THINKING)
        self._default = made.target.facts.keeps_thinking if made.target.facts else None
        self._kept = kept_turns(self._thinking_edit, self._default) if self._thinking_edit is not None else None
        self._trigger: Mapping[str, Any] = plan.edits.get(CLEAR_TOOL_USES, {}).get("trigger", {})
        self._clearing = Clearing(plan.edits[CLEAR_TOOL_USES], switches) if self._trigger else None
        self._left = switches.judges_what_is_left
        self._use = self._added = start.uses
        self._base = start.thinking
        self._thoughts = 0

    @property
    def takes_anything(self) -> bool:
        """Whether anything of the conversation is not read any more."""
        return bool(self.row or self.gone or self.cleared_thinking)

    def is_gone(self, at: Stand) -> bool:
        """Whether what stands there is not read any more: it lies before a compaction, or is cleared."""
        row = self._made.first_rows[at.message] + at.block
        if row < self.row:
            return True
        if at.of == "thinking":
            return self._thinking_edit is not None and row in self._sent.removed
        if at.use not in self.gone or self._clearing is None:
            return False
        return at.of == "result" or self._clearing.clears_input(self._made.uses[at.use].name)

    @property
    def cleared_thinking(self) -> int:
        """Thinking turns that the edit cleared; what a model drops by itself does not count."""
        return self._thoughts if self._thinking_edit is not None else 0

    def clear(self, messages: int, tokens: int, why: list[str]) -> tuple[int, int, Cut]:
        """The prompt before the edits, what they clear of the thinking, and of the tool uses.

        Args:
            messages: how many are sent.
            tokens: of the whole prompt.
            why: takes the reasons for what is newly cleared.
        """
        unthought = self._clear_thinking(messages, why)
        if self._thinking_edit is None:
            tokens, unthought = tokens - unthought, 0
        return tokens, unthought, self._clear_tool_uses(messages, tokens, unthought, why)

    def _clear_thinking(self, messages: int, why: list[str]) -> int:
        """Tokens of thinking that are not read: what the edit clears, or what the model drops by itself."""
        made = self._made
        base = self._base
        turns = made.thinking_counts[messages] - base
        if not turns:
            return 0
        if self._thinking_edit is not None:
            gone = cleared_turns(turns, self._kept, self._switches)
        elif self._default == LAST_TURN:
            gone = max(made.questions[messages] - base, 0)
        else:
            return 0
        if gone != self._thoughts:
            self._rethink(gone, why)
        return made.thinking_sums[base + gone] - made.thinking_sums[base]

    def _rethink(self, gone: int, why: list[str]) -> None:
        """Other thinking is gone than at the turn before."""
        sent, new = self._sent, gone - self._thoughts
        fewer, more = sorted((gone, self._thoughts))
        turns = self._made.thinking[self._base + fewer : self._base + more]
        rows = {row: tokens for turn in turns for row, tokens in turn.items()}
        sent.rewind(rows)
        if new > 0:
            sent.removed.update(rows)
            sent.freed.update(rows)
            if self._thinking_edit is not None:
                why.append(f"clears the thinking of {new} more turn(s)")
        else:
            sent.removed.difference_update(rows)
            for row in rows:
                del sent.freed[row]
        self._thoughts = gone

    def _clear_tool_uses(self, messages: int, original: int, unthought: int, why: list[str]) -> Cut:
        clearing, made = self._clearing, self._made
        if clearing is None:
            return self.cut
        uses = made.uses
        for use in range(self._added, made.use_counts[messages]):
            clearing.add(uses[use])
        self._added = made.use_counts[messages]
        prompt = original - unthought if self._left else original
        cut = clearing.cut(prompt)
        if cut.uses != self.cut.uses:
            self._recut(clearing, cut)
            if cut.uses > self.cut.uses:
                why.append(self._why_cleared(cut, prompt))
            self.cut = cut
        return cut

    def _recut(self, clearing: Clearing, cut: Cut) -> None:
        """Other uses are cleared than at the turn before."""
        fewer, more = sorted((cut, self.cut))
        changed = [self._use + index for index in clearing.cleared(more, beyond=fewer)]
        made, freed = self._made, self._sent.freed
        rows: dict[int, int] = {}
        for use in changed:
            if made.results[use] >= 0:
                rows[made.results[use]] = made.uses[use].frees
            if clearing.clears_input(made.uses[use].name):
                rows[made.calls[use]] = made.uses[use].input_frees
        self._sent.rewind(rows)
        if cut.uses > self.cut.uses:
            freed.update(rows)
            self.gone.update(changed)
        else:
            self.gone.difference_update(changed)
            for row in rows:
                del freed[row]

    def _why_cleared(self, cut: Cut, prompt: int) -> str:
        over = f"{prompt:,} tokens" if self._trigger["type"] == "input_tokens" else "tool uses"
        total = f"{cut.uses} in all ({cut.tokens:,} tokens)"
        return f"clears {cut.uses - self.cut.uses} more tool use(s), {total}: {over} > {self._trigger['value']:,}"
