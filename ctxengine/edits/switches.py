"""Points on which sources differ about what an edit does, with the value that is used for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ctxengine.catalog import Catalog, default_catalog
from ctxengine.errors import CatalogError
from ctxengine.findings import Finding, did_you_mean, shown


@dataclass(frozen=True, slots=True)
class Switches:
    """The catalog's switches, each as it ships or as the caller sets it."""

    values: Mapping[str, str]
    tiny_result: int
    """UTF-8 bytes up to which a result of nothing but text is tiny."""

    @property
    def judges_what_is_left(self) -> bool:
        """Whether the trigger of tool clearing looks at what earlier edits left."""
        return self["clear_tool_uses.trigger_size"] == "left_by_earlier_edits"

    def __getitem__(self, name: str) -> str:
        return self.values[name]


def switches_of(given: Switches | Mapping[str, str] | None = None, catalog: Catalog | None = None) -> Switches:
    """All switches, with ``given`` values in place of the catalog's.

    Raises:
        CatalogError: there is no switch of that name, or it has no such value.
    """
    if isinstance(given, Switches):
        return given
    catalog = catalog or default_catalog()
    findings = [_wrong(name, value, catalog) for name, value in (given or {}).items()]
    if any(findings):
        raise CatalogError(*(finding for finding in findings if finding))
    values = {name: row.value for name, row in catalog.switches.items()} | dict(given or {})
    return Switches(values, int(catalog.limit("clear_tool_uses_20250919.tiny_result").at_most or 0))


def _wrong(name: str, value: str, catalog: Catalog) -> Finding | None:
    row = catalog.switches.get(name)
    if row is None:
        help = did_you_mean(name, catalog.switches)
        return Finding("switch-unknown", "error", f"there is no switch {shown(name)}", help)
    known = (row.value, *row.alternatives)
    if value not in known:
        return Finding("switch-unknown", "error", f"{name} has no such value", f"use {' or '.join(known)}")
    return None
