"""What a plugin's answer must look like. Each reader turns one element into a checked value, or raises ``Unusable``."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, get_args

from ctxengine import conversation as prompt
from ctxengine.check import RULES, Facts, Hit, Needs, Rule
from ctxengine.conversation import Conversation, Position
from ctxengine.extension.loading import PluginInfo, Unusable, failed
from ctxengine.findings import Finding, Place, Severity
from ctxengine.origin import Origin

if TYPE_CHECKING:
    from ctxengine.catalog.facts import Ttl
    from ctxengine.edits import Edit
    from ctxengine.extension.hookspecs import EditRegistration, WantedBreakpoint

_PLAIN = json.JSONEncoder(allow_nan=False, ensure_ascii=False)
"""Leaves lone surrogates as they are, which UTF-8 then refuses, as the API would."""
_RULE_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def read_edit(answer: Any, models: Mapping[str, type[Edit]], types: Container[str] | None) -> dict[str, Any]:
    """A copy of the edit in plain JSON, checked as an entry of a policy would be."""
    edit = _plain(answer)
    kind = edit.get("type")
    if not isinstance(kind, str) or not kind:
        raise Unusable("returned an edit without a type")
    if types is not None and kind not in types:
        raise Unusable("returned an edit of a type that neither the catalog nor a plugin knows")
    if "drop" in edit or any(isinstance(value, dict) and "set" in value for value in edit.values()):
        raise Unusable("returned an edit that takes away (drop, set): plugins only add")
    _check_fields(edit, kind, models)
    return edit


def _plain(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, Mapping):
        raise Unusable(f"returned a {type(answer).__name__} where an edit, a mapping, is expected")
    try:
        plain: dict[str, Any] = json.loads(_PLAIN.encode(dict(answer)).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise Unusable("returned an edit that is not plain JSON") from error
    return plain


def _check_fields(edit: dict[str, Any], kind: str, models: Mapping[str, type[Edit]]) -> None:
    from ctxengine.edits import EDITS

    model = EDITS.get(kind) or models.get(kind)
    if model is None:
        return
    try:
        model.model_validate(edit)
    except ValueError as error:
        problems: Any = error  # pydantic's; its text quotes the values
        wrong = {str(problem["loc"][0]) for problem in problems.errors(include_input=False) if problem["loc"]}
        raise Unusable(f"returned a {kind} edit with a wrong {', '.join(sorted(wrong)) or 'shape'}") from error


def read_breakpoint(answer: Any, conversation: Conversation) -> tuple[Position, Ttl]:
    """Where the mark stands, and its ttl."""
    from ctxengine.extension.hookspecs import WantedBreakpoint

    if not isinstance(answer, WantedBreakpoint):
        raise Unusable(f"returned a {type(answer).__name__} where a WantedBreakpoint is expected")
    if answer.ttl not in ("5m", "1h"):
        raise Unusable("returned a breakpoint whose ttl is neither 5m nor 1h")
    found = _marked_block(answer, conversation)
    if found is None:
        raise Unusable(f"returned a breakpoint in {answer.section} where there is nothing that can be marked")
    return found, answer.ttl


def _marked_block(wanted: WantedBreakpoint, conversation: Conversation) -> Position | None:
    index, block = wanted.index, wanted.block
    if wanted.section == "tools":
        tool = _nth(conversation.tools, index)
        return prompt.in_tools(index) if tool is not None and not prompt.field_of(tool, "defer_loading") else None
    if wanted.section == "system":
        part = _nth(prompt.blocks_of({"content": conversation.system}), index)
        return prompt.in_system(index) if prompt.markable(part) else None
    message = _nth(conversation.messages, index) if wanted.section == "messages" else None
    part = _nth(prompt.blocks_of(message), block)
    return prompt.in_messages(index, block) if prompt.markable(part) else None


def _nth(items: Any, index: Any) -> Any:
    return items[index] if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(items) else None


def read_registration(answer: Any, taken: set[str]) -> EditRegistration:
    """A registration of a type nobody else has."""
    from ctxengine.catalog import EditFact
    from ctxengine.edits import EDITS, Edit
    from ctxengine.extension.hookspecs import EditRegistration

    if not isinstance(answer, EditRegistration) or not isinstance(answer.fact, EditFact):
        raise Unusable(f"returned a {type(answer).__name__} where an EditRegistration with an EditFact is expected")
    model = answer.model
    if model is not None and not (isinstance(model, type) and issubclass(model, Edit)):
        raise Unusable("registered an edit whose model is no subclass of Edit")
    if answer.fact.type in EDITS or answer.fact.type in taken:
        raise Unusable(f"registered the edit type {answer.fact.type}, which exists already")
    taken.add(answer.fact.type)
    return answer


def read_rule(answer: Any, taken: set[str], info: PluginInfo, strict: bool) -> Rule:
    """The rule, with an id nobody else has, and guarded."""
    if not isinstance(answer, Rule):
        raise Unusable(f"returned a {type(answer).__name__} where a Rule is expected")
    if answer.severity not in get_args(Severity) or answer.needs not in get_args(Needs):
        raise Unusable("returned a rule with an unknown severity or needs")
    if not all(isinstance(text, str) for text in (answer.id, answer.summary, answer.help, answer.source)):
        raise Unusable("returned a rule whose id, summary, help or source is no text")
    if not _RULE_ID.fullmatch(answer.id):
        raise Unusable("returned a rule whose id is not like-this")
    if answer.id in taken or any(answer.id == rule.id for rule in RULES):
        raise Unusable(f"returned the rule {answer.id}, which exists already")
    taken.add(answer.id)
    known = {field.name: getattr(answer, field.name) for field in fields(answer)}
    return GuardedRule(**{**known, "plugin": info.name}, info=info, strict=strict)


@dataclass(frozen=True, slots=True)
class GuardedRule(Rule):
    """A plugin's rule: where it raises or yields no hits, that is one finding, and the other rules go on."""

    info: PluginInfo = field(kw_only=True)
    strict: bool = field(kw_only=True)

    def findings(self, facts: Facts) -> list[Finding]:
        found: list[Finding] = []
        try:
            for hit in _checked(self.hits(facts)):
                found.append(self._finding(hit))  # noqa: PERF401 - what was found before a failure is kept
        except (Exception, SystemExit) as error:
            found.append(failed(self.info, f"its rule {self.id}", error, strict=self.strict))
        return found


def _checked(hits: Iterable[Any]) -> Iterator[Hit]:
    for hit in hits:
        if not isinstance(hit, Hit) or not isinstance(hit.message, str) or not isinstance(hit.where, Place | Origin):
            raise Unusable("yielded something else than a Hit with a message and a Place")
        if hit.severity not in (None, *get_args(Severity)) or not isinstance(hit.help, str | None):
            raise Unusable("yielded a Hit with an unknown severity or a help that is no text")
        yield hit
