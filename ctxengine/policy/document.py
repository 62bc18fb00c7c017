"""The policy document: every key, its unit, its default, and the word by which two layers' values become one.

These models are the second gate a policy passes and the source of the published schema. What a number may be is a row
of the catalog, judged by a rule; here are names, types and shapes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from ctxengine.catalog.facts import Ttl
from ctxengine.edits import AnyEdit
from ctxengine.edits.shared import Merge, Part, Tokens, Turns, Whole

Place = Literal["tools", "system", "compaction_block", "last_message"]
Detail = Literal["paths", "errors", "urls", "ids"]
CompactionMode = Literal["off", "threshold", "on_demand", "background", "client", "auto"]
Mode = Literal["enforce", "shadow", "off"]
Halt = Literal["warn", "wrap_up", "stop"]


class Client(Part):
    """Compaction by a request of our own, for models and platforms without the API's."""

    model: Annotated[str | None, Merge("last")] = None
    """Model that writes the summary (default: the conversation's own)."""
    prompt: Annotated[str | None, Merge("last")] = None
    """Prompt of the summary."""


class Compaction(Part):
    """Replacing the conversation so far by a summary."""

    mode: Annotated[CompactionMode | None, Merge("last")] = None
    """Who compacts, and when. `off`: nobody. `threshold`: the API, within a request that reaches the trigger.
    `on_demand`: a request of its own. `background`: the same, ahead of need. `client`: a summary request of our own.
    `auto`: the best the model and platform offer."""
    trigger: Annotated[Tokens | None, Merge("last")] = None
    """Input tokens, or share of the window, at which to compact (default: the API's own)."""
    start_at: Annotated[Tokens | None, Merge("last")] = None
    """Input tokens, or share of the window, at which a `background` compaction starts."""
    instructions: Annotated[str | None, Merge("last")] = None
    """Prompt of the summary; replaces the API's own."""
    pause: Annotated[bool | None, Merge("last")] = None
    """Whether to stop after the summary, so that something may be restored before the model goes on (default false)."""
    keep_recent: Annotated[Turns | None, Merge("last")] = None
    """The newest turns, which stay as they are beside the summary."""
    client: Annotated[Client | None, Merge("by_key")] = None
    """Settings of the mode `client`."""
    on_model_switch: Annotated[Literal["inline", "error"] | None, Merge("last")] = None
    """What becomes of a summary the next model cannot read: `inline` turns it into plain text, `error` refuses the
    request (default `error`)."""


class Cache(Part):
    """Where the prompt cache is written, and for how long."""

    breakpoints: Annotated[list[Place] | Whole[Place] | None, Merge("by_place")] = None
    """Places that get a mark: the tools, the system prompt, the compaction block, the last message."""
    ttl: Annotated[Ttl | dict[Place, Ttl] | None, Merge("by_place")] = None
    """How long an entry lives: one value for all places, or one per place (default `5m`)."""


class Budget(Part):
    """What one conversation may use. Of two layers the smaller number stands."""

    tokens: Annotated[int | None, Merge("least")] = None
    """Tokens, input and output, all requests together."""
    usd: Annotated[float | None, Merge("least")] = None
    """Dollars."""
    compactions: Annotated[int | None, Merge("least")] = None
    """Compactions."""
    turns: Annotated[int | None, Merge("least")] = None
    """Turns."""
    wrap_up_at: Annotated[float | None, Merge("least")] = None
    """Share of any of these, from 0 to 1, at which the model is asked to finish."""
    wrap_up: Annotated[str | None, Merge("last")] = None
    """The text that asks it."""
    on_exhausted: Annotated[Halt | None, Merge("last")] = None
    """When a budget is used up: `warn` and go on, `wrap_up` with one last request, or `stop` (default `stop`)."""


class Guard(Part):
    """Notices context management that runs in circles."""

    min_freed: Annotated[float | None, Merge("last")] = None
    """Share of the context, from 0 to 1, a compaction must free to count as useful."""
    refill_turns: Annotated[int | None, Merge("last")] = None
    """Turns within which reaching the trigger again counts as a trip."""
    max_trips: Annotated[int | None, Merge("last")] = None
    """Trips before the guard acts."""
    max_failed: Annotated[int | None, Merge("last")] = None
    """Failed compactions in a row before the guard acts."""
    on_trip: Annotated[Halt | None, Merge("last")] = None
    """What it does: `warn` and go on, `wrap_up` with one last request, or `stop` (default `warn`)."""


class Checkpoint(Part):
    """What must survive a compaction."""

    reinject: Annotated[list[str] | Whole[str] | None, Merge("union")] = None
    """Texts put back after each compaction."""
    verify: Annotated[list[Detail] | Whole[Detail] | None, Merge("union")] = None
    """Kinds of detail looked for in the summary."""
    on_loss: Annotated[Literal["warn", "reinject"] | None, Merge("last")] = None
    """When one is missing: `warn`, or `reinject` what was lost (default `warn`)."""
    max_tokens: Annotated[int | None, Merge("last")] = None
    """Tokens that may be put back after one compaction."""


class Ignore(Part):
    """A rule that shall not be reported, and why."""

    rule: str
    """The rule's id."""
    because: str
    """The reason, for whoever reads the policy next."""


class Plugins(Part):
    """Which installed plugins contribute, and their settings."""

    use: Annotated[list[str] | Whole[str] | None, Merge("union")] = None
    """Names of plugins."""
    config: Annotated[dict[str, dict[str, Any]] | None, Merge("by_key")] = None
    """Settings by plugin name; null removes a setting an earlier layer made."""


class Settings(Part):
    """What layers decide about, and what an override can set."""

    mode: Annotated[Mode | None, Merge("last")] = None
    """`enforce` the policy, only show what it would do (`shadow`), or leave requests as they are (`off`); default
    `enforce`. The environment variable CTXENGINE_MODE overrides it."""
    edits: Annotated[list[AnyEdit] | None, Merge("by_type")] = None
    """Context edits the API applies before the prompt reaches the model; their order does not matter."""
    compaction: Annotated[Compaction | None, Merge("by_key")] = None
    """Replacing the conversation so far by a summary."""
    cache: Annotated[Cache | None, Merge("by_key")] = None
    """Where the prompt cache is written, and for how long."""
    betas: Annotated[list[str] | Whole[str] | None, Merge("union")] = None
    """Beta features to send beside those the plan itself needs."""
    budget: Annotated[Budget | None, Merge("by_key")] = None
    """What one conversation may use."""
    guard: Annotated[Guard | None, Merge("by_key")] = None
    """Notices context management that runs in circles."""
    checkpoint: Annotated[Checkpoint | None, Merge("by_key")] = None
    """What must survive a compaction."""
    on_unsupported: Annotated[Literal["error", "degrade"] | None, Merge("last")] = None
    """What the model or platform lacks is an `error`, or is left out and reported (`degrade`); default `error`."""
    ignore: Annotated[list[Ignore] | Whole[Ignore] | None, Merge("union")] = None
    """Rules that shall not be reported."""
    plugins: Annotated[Plugins | None, Merge("by_key")] = None
    """Which installed plugins contribute, and their settings."""


class When(Part):
    """The requests an override is for: every key must match, and of a list one value must."""

    model: str | list[str] | None = None
    """The model's canonical id, or a glob such as `claude-haiku-*`."""
    platform: str | list[str] | None = None
    """The platform's name, such as `bedrock`."""
    tool: str | list[str] | None = None
    """A tool of the request: its name, or a glob of its type such as `memory_*`."""
    thinking: Literal["on", "off"] | None = None
    """Whether the request thinks. Where that is unknown, neither matches."""


class Override(Part):
    """Settings for some requests only."""

    when: When
    """The requests it is for."""
    set: Settings
    """What it sets, merged over the layer's own values."""


class Policy(Settings):
    """A context-management policy: one layer of what an application asks for."""

    version: Literal["1"]
    """Version of the policy format."""
    name: str | None = None
    """Name of the policy, for people."""
    description: str | None = None
    """What it is for, for people."""
    extends: list[str] | None = None
    """Policies this one builds on, in order: files beside or below this one, or presets such as `ctxengine:agentic`."""
    overrides: list[Override] | None = None
    """Settings for some requests only, from top to bottom, over the values above."""
    lock: Annotated[list[str] | None, Merge("union")] = None
    """Paths such as `budget.usd` that nothing later may change; a path locks everything below it."""
    catalog: str | None = None
    """File, beside or below this one, with catalog rows of your own; each layer's rows are laid over the one before."""
