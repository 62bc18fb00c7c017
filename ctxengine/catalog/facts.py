"""The rows of the catalog: what is known about models, betas, platforms and edits. ``None`` is "unknown", not "no"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, Literal

Confidence = Literal["H", "M", "L", "?"]
Ttl = Literal["5m", "1h"]
CLEAR_EDITS, THRESHOLD_COMPACTION, ON_DEMAND_COMPACTION = "clear_edits", "threshold_compaction", "on_demand_compaction"
"""Features that platforms have, that edits belong to and that betas switch on."""
SUMMARIZE = "summarize"
"""On-demand compaction among a model's edits, where it has no edit type."""
CALLS = ("tool_use", "server_tool_use", "mcp_tool_use")
"""Types of the blocks that call a tool."""
ISO_DATE = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
Date = Annotated[str, ISO_DATE]
Regex = Annotated[str, "regex"]


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars per million tokens. ``up_to`` is the largest prompt, cache tokens included, the row holds for."""

    input: float
    output: float
    cache_write_5m: float
    cache_write_1h: float
    cache_read: float
    up_to: int | None = None

    def cache_write(self, ttl: Ttl) -> float:
        return self.cache_write_1h if ttl == "1h" else self.cache_write_5m


@dataclass(frozen=True, slots=True)
class ModelFact:
    """What the engine knows of one model, by its canonical id."""

    id: str
    window: int | None
    """Context window in tokens."""
    max_output: int | None
    min_cache: int | None
    """Shortest prefix, in tokens, that the prompt cache stores."""
    min_cache_by_platform: Mapping[str, int]
    thinking_modes: tuple[str, ...] | None
    """The ``thinking.type`` values the model accepts."""
    thinking_default: Literal["on", "off"] | None
    """What an absent ``thinking`` means."""
    keeps_thinking: Literal["all", "last_turn"] | None
    """Which earlier thinking the API keeps when ``clear_thinking`` says nothing."""
    edits: Mapping[str, bool | None]
    """Edit type to support; the key ``summarize`` is on-demand compaction."""
    prefix_checked: bool | None
    """Replayed thinking is rejected or dropped after a client-side change of what stands before it."""
    bound_everywhere: bool | None
    """It is rejected for accounts of every age, where the request does not say otherwise."""
    system_role: bool | None
    task_budget: bool | None
    efforts: tuple[str, ...] | None
    """The ``output_config.effort`` levels the model has; empty where it takes none at all."""
    unthinking_efforts: tuple[str, ...] | None
    """Those of them that it takes with ``thinking`` disabled, where that is not all."""
    forced_tools: bool | None
    """Whether ``tool_choice`` may force a tool use."""
    prefill: bool | None
    """Whether a conversation may end with the beginning of the answer."""
    sampling: bool | None
    """Whether ``temperature``, ``top_p`` and ``top_k`` may be set, under an API version that has them."""
    overflow_stops: bool | None
    """Input plus ``max_tokens`` above the window stops with a stop reason instead of a 400."""
    prices: tuple[Price, ...]
    """Cheapest tier first; empty where the price is unknown."""
    tokenizer: str | None
    released: Date | None
    retires: Date | None
    """ISO date from which requests fail."""
    source: str
    as_of: Date
    confidence: Confidence
    notes: str = ""


@dataclass(frozen=True, slots=True)
class BetaFact:
    """One ``anthropic-beta`` value."""

    name: str
    feature: str
    """Short name of what it switches on, such as ``context_management``; "" where it has nothing to do with context."""
    state: Literal["needed", "noop", "obsolete"]
    unsupported_on: tuple[str, ...]
    """Platforms known to refuse or ignore it."""
    source: str
    as_of: Date
    confidence: Confidence
    notes: str = ""


@dataclass(frozen=True, slots=True)
class PlatformFact:
    """One way to reach the models, named after the SDK's clients."""

    name: str
    title: str
    client: str
    """Class name in the ``anthropic`` package."""
    beta_travel: Literal["header", "body"]
    features: Mapping[str, bool | None]
    """clear_edits, threshold_compaction, on_demand_compaction, prompt_caching, automatic_caching, count_tokens,
    count_tokens_betas, models_api, batches, threads, server_tools, lookback_collapses_runs, null_callers."""
    cache_slots: int
    except_models: Mapping[str, tuple[str, ...]]
    """Feature to the models, by canonical id, that lack it on this platform although others have it."""
    source: str
    as_of: Date
    confidence: Confidence
    notes: str = ""

    def supports(self, feature: str, model: str | None = None) -> bool | None:
        """Whether the platform has a feature, for this model where that differs; ``None`` is unknown."""
        return False if model in self.except_models.get(feature, ()) else self.features.get(feature)


@dataclass(frozen=True, slots=True)
class EditFact:
    """One ``context_management`` edit type: its place in line, its beta, its documented defaults and limits."""

    type: str
    rank: int
    """Edits are sent in ascending rank."""
    betas: tuple[str, ...]
    """Needed for the edit, in the order they are sent."""
    feature: str
    """The platform feature it belongs to: clear_edits or threshold_compaction."""
    parameters: tuple[str, ...]
    """The wire fields beside ``type``."""
    defaults: Mapping[str, Any]
    """What the API uses for an absent field, in wire form."""
    needs_thinking: bool = False
    """Refused where the request does not think."""
    stand_ins: tuple[str, ...] = ()
    """Betas that the API was seen to accept for the edit in place of ``betas``."""
    merge: Mapping[str, str] = field(default_factory=dict)
    """Merge word per field where it is not ``last``; only read for types the code does not model."""
    source: str = ""
    as_of: Date = ""
    confidence: Confidence = "H"
    notes: str = ""

    def effective(self, params: Mapping[str, Any], field: str) -> Any:
        """What counts for a field: what an edit says, else the API's default."""
        said = params.get(field)
        return self.defaults.get(field) if said is None else said

    def filled(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of an edit, with the API's defaults for those that are absent or null."""
        return {**self.defaults, **{name: value for name, value in params.items() if value is not None}}


@dataclass(frozen=True, slots=True)
class Limit:
    """One bound on a number or a length: ``compact_20260112.trigger`` is at least 50,000."""

    id: str
    at_least: float | None
    more_than: float | None
    at_most: float | None
    source: str
    as_of: Date
    confidence: Confidence
    notes: str = ""


@dataclass(frozen=True, slots=True)
class AliasFact:
    """One way of spelling a model id, as a regular expression that matches the whole id."""

    name: str
    pattern: Regex
    """The group ``model`` captures the canonical id where the alias has no ``model`` of its own."""
    model: str | None
    platform: str | None
    """The platform such an id belongs to; ``None`` where more than one takes it."""
    source: str
    as_of: Date
    confidence: Confidence
    notes: str = ""


@dataclass(frozen=True, slots=True)
class SurfaceFact:
    """One method of the SDK's ``beta.messages`` and the keyword arguments it takes."""

    name: str
    arguments: tuple[str, ...]
    source: str
    as_of: Date
    confidence: Confidence
    notes: str = ""


@dataclass(frozen=True, slots=True)
class VocabularyFact:
    """A closed list of words the API answers with, such as its stop reasons."""

    name: str
    values: tuple[str, ...]
    source: str
    as_of: Date
    confidence: Confidence
    notes: str = ""


@dataclass(frozen=True, slots=True)
class TokenizerFact:
    """How many tokens content comes to, for one tokenizer generation."""

    name: str
    weights: Mapping[str, float]
    """Tokens per unit of each class of content, and once for a request with tools (tool_system)."""
    rough: tuple[str, ...]
    """The classes whose weight is a guess, within a factor of two."""
    image_most: float
    """Most tokens an image comes to, as larger ones are scaled down."""
    low: float
    """Factor on an estimate from which on the true size is expected."""
    high: float
    """Factor on an estimate up to which the true size is expected."""
    slack: int
    """Tokens either way on top of ``low`` and ``high``, for what the API adds to short requests."""
    errors: Mapping[str, Mapping[str, float]]
    """Kind of data to its pairs (n), relative error (median p50, 90th percentile p90) and share in the band."""
    source: str
    as_of: Date
    confidence: Confidence
    notes: str = ""


@dataclass(frozen=True, slots=True)
class SwitchFact:
    """One point on which sources differ about what the API does: the value that is used, and what others hold."""

    name: str
    value: str
    alternatives: tuple[str, ...]
    source: str
    as_of: Date
    confidence: Confidence
    notes: str = ""


@dataclass(frozen=True, slots=True)
class WireFact:
    """How the API words one refusal: what a finding becomes on the wire."""

    id: str
    rule: str | None
    """The rule whose findings it answers, null where only the API can tell."""
    at: Regex
    """Matches the whole path of the findings it is for, where a rule has several rows; "" is any path."""
    status: int
    """HTTP status."""
    type: str
    """``error.type`` of the body."""
    code: str | None
    """``error.details.error_code`` of the body."""
    message: str
    """With {path}, {index}, {edit}, {field}, {model}, {said} (the finding's own words), and what its cause knows."""
    wording: Literal["recorded", "assumed"]
    """Whether someone saw the API answer in these words."""
    source: str
    as_of: Date
    confidence: Confidence
    notes: str = ""


TABLES: Mapping[str, type] = MappingProxyType(
    {
        "aliases": AliasFact,
        "betas": BetaFact,
        "edits": EditFact,
        "limits": Limit,
        "models": ModelFact,
        "platforms": PlatformFact,
        "surfaces": SurfaceFact,
        "switches": SwitchFact,
        "tokenizers": TokenizerFact,
        "vocabulary": VocabularyFact,
        "wire_errors": WireFact,
    }
)
"""Table to the type of its rows: one file each under ``data/``, one key each in an overlay."""
