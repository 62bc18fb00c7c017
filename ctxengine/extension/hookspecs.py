"""The hooks a plugin may implement. This file is the manual; docs/plugins.md walks through writing one.

A plugin is a module or an object with functions marked ``@hookimpl``. Each takes those of its hook's arguments that it
needs, by name, and returns a list, or None for nothing to say::

    from ctxengine.extension import hookimpl

    @hookimpl
    def ctxengine_contribute_edits(policy, config):
        ...

It is found by an entry point of the group ``ctxengine``, whose name is the plugin's name, or handed over as an object:
``Engine.load("policy.json", plugins=[plugin])``; an object is named by its ``name`` attribute, else its ``__name__``,
else its class. An installed plugin contributes edits and breakpoints only to a policy that names it in ``plugins.use``;
an object always contributes. Rules and edit types of installed plugins always count.

A hook that raises, or returns something else than it should, loses its own answer and nothing else: the plan carries a
finding ``plugin-failed`` that names plugin and distribution, and a strict engine refuses to build. Messages are the
caller's own objects: read them, never change them. Hooks may be called from several threads at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pluggy import HookimplMarker, HookspecMarker

if TYPE_CHECKING:
    from ctxengine.catalog.facts import EditFact, Ttl
    from ctxengine.check import Rule
    from ctxengine.conversation import Conversation
    from ctxengine.edits import Edit
    from ctxengine.policy import Resolved
    from ctxengine.target import Target
    from ctxengine.transcripts import Reader

PROJECT = "ctxengine"
"""Name of the entry-point group, and what every hook's name begins with."""

hookspec = HookspecMarker(PROJECT)
hookimpl = HookimplMarker(PROJECT)
"""Marks a function of a plugin as the implementation of the hook it is named after."""


@dataclass(frozen=True, slots=True)
class WantedBreakpoint:
    """A place in the request, as the caller gave it, to write the prompt cache at. Indexes count from 0."""

    section: Literal["tools", "system", "messages"]
    index: int
    """Which tool, which block of the system prompt (a string is block 0), or which message."""
    block: int = 0
    """Which content block, in ``messages``; a string is block 0."""
    ttl: Ttl = "5m"


@dataclass(frozen=True, slots=True)
class EditRegistration:
    """An edit type this version of ctxengine does not know."""

    fact: EditFact
    """Its row of the catalog: place in line, betas, defaults, wire fields."""
    model: type[Edit] | None = None
    """What a policy's entry of this type is checked against: a subclass of ``ctxengine.edits.Edit``, its ``type`` a
    literal. Without it the entry is sent as it is."""


@hookspec
def ctxengine_contribute_edits(
    target: Target, conversation: Conversation, policy: Resolved, config: Mapping[str, Any]
) -> Sequence[Mapping[str, Any]] | None:
    """Ask for edits, or add to those of the policy. Called for every request.

    Args:
        target: model, platform and thinking of the request.
        conversation: system, tools and messages, and what one walk over them found (cache marks, compaction blocks, …).
        policy: the policy for this request before any plugin; ``policy.get("edits")`` is ``{type: {field: value}}``.
        config: ``plugins.config`` of the policy under this plugin's name, ``{}`` where it has none.

    Returns:
        Edits as a policy spells them: ``[{"type": "clear_tool_uses_20250919", "exclude_tools": ["memory"]}]``. Of two
        values of ``keep`` the larger stands, ``exclude_tools`` are united; any other value that differs from the
        policy's, or from another plugin's, is a conflict, and a finding names both. A plugin adds: ``drop`` and
        ``{"set": […]}`` are refused.
    """


@hookspec
def ctxengine_contribute_breakpoints(
    target: Target, conversation: Conversation, policy: Resolved, config: Mapping[str, Any]
) -> Sequence[WantedBreakpoint] | None:
    """Ask for cache marks beside the policy's. Called for every request.

    The arguments are those of ``ctxengine_contribute_edits``.

    Returns:
        Places in the order of their worth. The caller's marks and the policy's come first; what finds no free slot is
        left out and explained. A place must exist, and must be one that can be marked: no thinking, no empty text.
        Return the same places as the conversation grows, or each request misses the cache.
    """


@hookspec
def ctxengine_contribute_rules() -> Sequence[Rule] | None:
    """Add checks. Called once per engine.

    Returns:
        Rules, made with ``@ctxengine.extension.rule`` from a generator that takes ``Facts`` and yields a ``Hit`` for
        each place where something is wrong. An id is new and lower case, such as ``memory-clearing-due``. A rule runs
        on every request: read what ``facts.conversation`` holds, and walk the messages only in one that is
        ``estimated``. Its settings are in ``facts.plan.policy.get("plugins.config")``.
    """


@hookspec
def ctxengine_register_edits() -> Sequence[EditRegistration] | None:
    """Make new edit types known, so that policies can name them. Called once per engine.

    Returns:
        One registration for each type that the catalog does not have.
    """


@hookspec
def ctxengine_transcript_readers() -> Sequence[Reader] | None:
    """Make recorded conversations of other formats readable. Called whenever plugins are loaded.

    Returns:
        Readers (``ctxengine.transcripts.Reader``), each with the name of its format, ``sniff`` (whether a JSON value, a
        document or one line of a log, is of this format) and ``read``, which turns all rows of a file into a ``Draft``
        for each conversation: the messages in the Messages API's shapes, in order, and what was billed. What is wrong
        with a row goes to ``notes.malformed``. Drafts need not be valid conversations: uses and results are paired, and
        what cannot be sent is repaired or left out. They are asked before the readers that come with ctxengine.
    """
