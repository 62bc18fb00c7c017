"""Asks the plugins, pairs every answer with the name of the plugin that gave it, and outlives what plugins do wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ctxengine.catalog.rows import plain
from ctxengine.check import Rule
from ctxengine.conversation import Conversation
from ctxengine.extension.answers import read_breakpoint, read_edit, read_registration, read_rule
from ctxengine.extension.loading import SWITCH, Found, Loaded, PluginInfo, Unusable, disabled, failed, load
from ctxengine.findings import Finding
from ctxengine.plan import ExtraBreakpoint
from ctxengine.policy import Resolved
from ctxengine.target import Target

if TYPE_CHECKING:
    from ctxengine.extension.hookspecs import EditRegistration
    from ctxengine.transcripts import Reader

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Contributed:
    """What the plugins ask for, for one request."""

    edits: tuple[tuple[str, tuple[Mapping[str, Any], ...]], ...] = ()
    """(plugin name, edits as a policy spells them), in sorted name order."""
    breakpoints: tuple[ExtraBreakpoint, ...] = ()
    findings: tuple[Finding, ...] = ()


NOTHING = Contributed()
EDITS, BREAKPOINTS = "ctxengine_contribute_edits", "ctxengine_contribute_breakpoints"
RULES, TYPES = "ctxengine_contribute_rules", "ctxengine_register_edits"
READERS = "ctxengine_transcript_readers"


class Host:
    """The plugins of one engine; immutable, and safe to share between threads.

    Args:
        objects: plugins that always contribute.
        entry_points: whether to look for installed plugins, which contribute where a policy names them.
        strict: a plugin that fails is an error instead of a warning.
    """

    def __init__(self, objects: Sequence[object] = (), *, entry_points: bool = True, strict: bool = False) -> None:
        self._strict = strict
        self._disabled = disabled()
        found = Found() if self._disabled else load(objects, entry_points=entry_points, strict=strict)
        problems = list(found.problems)
        self._loaded: tuple[Loaded, ...] = tuple(found.loaded)
        self.plugins: tuple[PluginInfo, ...] = tuple(found.known)
        """Every plugin there is, by name; one without hooks could not be loaded."""
        self.edits: tuple[EditRegistration, ...] = self._registered(problems)
        self.rules: tuple[Rule, ...] = self._ruled(problems)
        self.readers: tuple[Reader, ...] = self._readable(problems)
        """Of transcripts, from every installed plugin."""
        self.findings: tuple[Finding, ...] = tuple(problems)
        """What is wrong with the plugins, whatever the request."""
        self._models = {edit.fact.type: edit.model for edit in self.edits if edit.model}

    def contribute(
        self,
        used: Collection[str],
        target: Target,
        conversation: Conversation,
        policy: Resolved,
        edit_types: Container[str] | None = None,
    ) -> Contributed:
        """What every plugin that is an object, or is named in ``used``, asks for; never raises.

        With ``edit_types``, those the catalog knows, an edit of another type is nonsense.
        """
        chosen = [plugin for plugin in self._loaded if plugin.info.source == "object" or plugin.info.name in used]
        if not used and not chosen:
            return NOTHING
        edits: list[tuple[str, tuple[Mapping[str, Any], ...]]] = []
        breakpoints: list[ExtraBreakpoint] = []
        problems = list(self._absent(used, policy))
        policy = replace(policy, values=plain(policy.values))  # theirs to change: the engine keeps its own
        configs = policy.get("plugins.config", {})
        given: dict[str, Any] = {"target": target, "conversation": conversation, "policy": policy}
        read_change = partial(read_edit, models=self._models, types=edit_types)
        read_place = partial(read_breakpoint, conversation=conversation)
        for plugin in chosen:
            name = plugin.info.name
            given["config"] = configs.get(name, {})
            asked = self._ask(plugin, EDITS, read_change, problems, **given)
            places = self._ask(plugin, BREAKPOINTS, read_place, problems, **given)
            edits += [(name, asked)] if asked else []
            breakpoints += [ExtraBreakpoint(name, at, ttl) for at, ttl in places]
        return Contributed(tuple(edits), tuple(breakpoints), tuple(problems))

    def _registered(self, problems: list[Finding]) -> tuple[EditRegistration, ...]:
        edits: list[EditRegistration] = []
        for plugin in self._loaded:
            read = partial(read_registration, taken={edit.fact.type for edit in edits})
            edits += self._ask(plugin, TYPES, read, problems)
        return tuple(edits)

    def _ruled(self, problems: list[Finding]) -> tuple[Rule, ...]:
        rules: list[Rule] = []
        for plugin in self._loaded:
            read = partial(read_rule, taken={rule.id for rule in rules}, info=plugin.info, strict=self._strict)
            rules += self._ask(plugin, RULES, read, problems)
        return tuple(rules)

    def _readable(self, problems: list[Finding]) -> tuple[Reader, ...]:
        if not any(READERS in plugin.hooks for plugin in self._loaded):
            return ()
        from ctxengine.extension.readers import read_reader

        readers: list[Reader] = []
        for plugin in self._loaded:
            read = partial(read_reader, taken={reader.name for reader in readers}, info=plugin.info)
            readers += self._ask(plugin, READERS, read, problems)
        return tuple(readers)

    def _ask(
        self, plugin: Loaded, hook: str, read: Callable[[Any], T], problems: list[Finding], **given: Any
    ) -> tuple[T, ...]:
        """One plugin's answer to one hook; if any of it is no good, none of it counts."""
        caller = plugin.hooks.get(hook)
        if caller is None:
            return ()
        try:
            return tuple(read(one) for answer in caller(**given) for one in _listed(answer))
        except (Exception, SystemExit) as error:
            problems.append(failed(plugin.info, hook, error, strict=self._strict))
            return ()

    def _absent(self, used: Collection[str], policy: Resolved) -> Iterator[Finding]:
        """Plugins the policy names that will not be asked."""
        known = {info.name for info in self.plugins}
        for name in used:
            if name in known:
                continue
            where = policy.origin("plugins.use").place
            if self._disabled:
                yield Finding("plugin-disabled", "info", f"plugin {name} is left out: {SWITCH} is set", "", where)
            else:
                remedy = f"install it, or take it out of plugins.use; there are: {', '.join(sorted(known)) or 'none'}"
                message = f"the policy uses the plugin {name}, which is not installed"
                yield Finding("plugin-unknown", "error", message, remedy, where)


def _listed(answer: Any) -> Sequence[Any]:
    if not isinstance(answer, (list, tuple)):
        raise Unusable(f"returned a {type(answer).__name__} where a list is expected")
    return answer
