"""The catalog: an immutable look-up over the facts in ``data/``, and what may be laid over them."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ctxengine.catalog.capabilities import facts_from, unknown_model
from ctxengine.catalog.facts import (
    TABLES,
    THRESHOLD_COMPACTION,
    AliasFact,
    BetaFact,
    EditFact,
    Limit,
    ModelFact,
    PlatformFact,
    SwitchFact,
    TokenizerFact,
    WireFact,
)
from ctxengine.catalog.overlay import lay_over
from ctxengine.catalog.rows import key_of, make_row, plain, read_fields
from ctxengine.errors import CatalogError, MalformedInput, RequestError
from ctxengine.findings import Finding, Place, did_you_mean, shown
from ctxengine.jsontext import JsonText, read_json_file

RULE = "catalog-overlay"
DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class ModelMatch:
    """What an id stands for. An unknown model has no ``facts`` and keeps its id as given."""

    id: str
    facts: ModelFact | None
    platform: str | None
    """The platform that the spelling belongs to, where it tells one."""


@dataclass(frozen=True, slots=True, eq=False)
class Catalog:
    """All facts by name. Nothing in it changes; what is laid over it makes a new one."""

    rows: Mapping[str, Mapping[str, Any]] = field(repr=False)
    """The tables by name, as an overlay would write them."""
    models: Mapping[str, ModelFact] = field(init=False, repr=False)
    betas: Mapping[str, BetaFact] = field(init=False, repr=False)
    platforms: Mapping[str, PlatformFact] = field(init=False, repr=False)
    edits: Mapping[str, EditFact] = field(init=False, repr=False)
    limits: Mapping[str, Limit] = field(init=False, repr=False)
    tokenizers: Mapping[str, TokenizerFact] = field(init=False, repr=False)
    switches: Mapping[str, SwitchFact] = field(init=False, repr=False)
    wire_errors: Mapping[str, WireFact] = field(init=False, repr=False)
    aliases: Mapping[str, AliasFact] = field(init=False, repr=False)
    vocabulary: Mapping[str, frozenset[str]] = field(init=False, repr=False)
    """``stop_reasons`` and ``iteration_types``."""
    surfaces: Mapping[str, frozenset[str]] = field(init=False, repr=False)
    """Method of ``beta.messages`` to the keyword arguments it takes."""

    _features: Mapping[str, tuple[str, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        rows = {name: MappingProxyType(table) for name, table in self.rows.items()}
        surfaces = {name: frozenset(row.arguments) for name, row in rows["surfaces"].items()}
        vocabulary = {name: frozenset(row.values) for name, row in rows["vocabulary"].items()}
        views = {"surfaces": MappingProxyType(surfaces), "vocabulary": MappingProxyType(vocabulary)}
        for name, table in {"rows": MappingProxyType(rows), **rows, **views}.items():
            object.__setattr__(self, name, table)
        object.__setattr__(self, "_features", _by_feature(self.betas.values()))

    def find_model(self, name: str) -> ModelMatch:
        """The model an id stands for: canonical, dated, Bedrock (ARNs too) or Vertex spelling."""
        if name in self.models:
            return ModelMatch(name, self.models[name], None)
        platform = None
        for alias in self.aliases.values():
            match = re.fullmatch(alias.pattern, name)
            if match is None:
                continue
            model = alias.model or match.groupdict().get("model") or ""
            if model in self.models:
                return ModelMatch(model, self.models[model], alias.platform)
            platform = platform or alias.platform
        return ModelMatch(name, None, platform)

    def platform(self, name: str) -> PlatformFact:
        """One of the SDK's platforms; raises ``RequestError`` with those that exist."""
        name = name if isinstance(name, str) else type(name).__name__
        if name not in self.platforms:
            known, help = ", ".join(self.platforms), did_you_mean(name, self.platforms)
            message = f"there is no platform {shown(name)}" + ("" if known in help else f"; these exist: {known}")
            raise RequestError(Finding("platform-unknown", "error", message, help))
        return self.platforms[name]

    def limit(self, id: str) -> Limit:
        """One bound; an id that does not exist is a mistake in the caller, a ``KeyError``."""
        return self.limits[id]

    @property
    def compaction_edit(self) -> EditFact:
        """The edit type that compacts on a threshold."""
        return next(fact for fact in self.edits.values() if fact.feature == THRESHOLD_COMPACTION)

    @property
    def opening_tokens(self) -> int:
        """Input tokens of every request that open the answer, behind its last block."""
        return int(self.limit("cache.opening_tokens").at_most or 0)

    def betas_for(self, feature: str) -> tuple[str, ...]:
        """The betas that switch a feature on, without those that have no effect any more."""
        return self._features.get(feature, ())

    def with_overlay(self, overlay: JsonText | Mapping[str, Any] | str | Path) -> Catalog:
        """The catalog with an overlay's rows over it: a whole new row, or the fields that change of one that exists.

        Args:
            overlay: a file, or what stands in one.

        Raises:
            CatalogError: a finding with line and column for each table and row that does not fit.
        """
        rows = {name: dict(table) for name, table in self.rows.items()}
        value, place = _read(overlay)
        findings = [Finding(RULE, "error", each.message, each.help, place(each.path)) for each in lay_over(rows, value)]
        if findings:
            raise CatalogError(*findings)
        return Catalog(rows)

    def with_edits(self, facts: Iterable[EditFact]) -> Catalog:
        """The catalog with edit types that plugins register."""
        return Catalog({**self.rows, "edits": {**self.rows["edits"], **{fact.type: fact for fact in facts}}})

    def with_capabilities(self, model_info: Any, as_of: str | None = None) -> Catalog:
        """The catalog with one live answer of the Models API over it; what the answer leaves null stays.

        Args:
            model_info: the SDK's ``BetaModelInfo`` or ``ModelInfo``, or the same as a dict.
            as_of: the day of the answer, for a model that had no row; today where not given.

        Raises:
            CatalogError: the answer is no object with an ``id``.
        """
        answer = model_info if isinstance(model_info, Mapping) else _as_dict(model_info)
        if not isinstance(answer.get("id"), str):
            help = "pass what client.beta.models.retrieve(id) returns"
            raise CatalogError(Finding("catalog-capabilities", "error", "the model information has no id", help))
        known = self.find_model(answer["id"])
        models = dict(self.models)
        models[known.id] = facts_from(answer, known.facts or unknown_model(known.id, as_of or date.today().isoformat()))
        return Catalog({**self.rows, "models": models})

    def to_dict(self) -> dict[str, Any]:
        """All rows as JSON: an overlay that changes nothing."""
        tables = {name: {key: plain(row) for key, row in table.items()} for name, table in self.rows.items()}
        for name, table in tables.items():
            for row in table.values():
                del row[key_of(TABLES[name])]
        return tables


def _read(overlay: JsonText | Mapping[str, Any] | str | Path) -> tuple[Any, Callable[[str], Place]]:
    """What an overlay says, and where things stand in it."""
    if isinstance(overlay, Mapping):
        return overlay, Place
    if not isinstance(overlay, JsonText):
        try:
            overlay = read_json_file(overlay, rule=RULE)
        except MalformedInput as error:
            raise CatalogError(*error.findings) from None
    return overlay.value, overlay.place


def _by_feature(betas: Iterable[BetaFact]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for beta in betas:
        if beta.state == "needed":
            found[beta.feature] = (*found.get(beta.feature, ()), beta.name)
    return found


@functools.cache
def default_catalog() -> Catalog:
    """The catalog that ships with the package."""
    return Catalog({name: _load(name, row_type) for name, row_type in TABLES.items()})


def _load(name: str, row_type: type) -> dict[str, Any]:
    path = DATA / f"{name}.json"
    raw = json.loads(path.read_bytes()) if path.exists() else {}
    key = key_of(row_type)
    return {id: make_row(row_type, {key: id, **read_fields(row_type, row)}) for id, row in raw.items()}


def _as_dict(model_info: Any) -> Mapping[str, Any]:
    to_dict = getattr(model_info, "to_dict", None)
    answer = to_dict(mode="json") if callable(to_dict) else {}
    return answer if isinstance(answer, Mapping) else {}
