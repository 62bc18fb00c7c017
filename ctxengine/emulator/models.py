"""The Models API, told from the catalog: what the catalog does not know is null, as unknown is there too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from ctxengine.catalog import Catalog, ModelFact
from ctxengine.catalog.facts import SUMMARIZE
from ctxengine.shapes import REQUEST, words_of

EPOCH = "1970-01-01"
"""The day of what has no known day."""
UNKNOWN = (
    "batch", "citations", "code_execution", "image_input", "pdf_input", "server_tools", "structured_outputs",
)  # fmt: skip
"""Capabilities that have nothing to do with context: the catalog does not hold them."""
PAGE, LARGEST_PAGE = 20, 1000
DIGITS = re.compile("[0-9]{1,9}")


def served(catalog: Catalog, today: date) -> list[ModelFact]:
    """The models that requests can name, newest first."""
    known = [model for model in catalog.models.values() if _lifecycle(model, today) != "retired"]
    return sorted(known, key=lambda model: (model.released or EPOCH, model.id), reverse=True)


def model_info(model: ModelFact, today: date, *, on_demand: bool) -> dict[str, Any]:
    """One model as ``/v1/models/{id}`` shows it; ``on_demand`` with the beta that lists that capability."""
    return {
        "type": "model",
        "id": model.id,
        "display_name": _title(model.id),
        "created_at": f"{model.released or EPOCH}T00:00:00Z",
        "lifecycle": _lifecycle(model, today),
        "retires_at": f"{model.retires}T00:00:00Z" if model.retires else None,
        "max_input_tokens": model.window,
        "max_tokens": model.max_output,
        "capabilities": _capabilities(model, on_demand=on_demand),
    }


def page_of(entries: list[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any] | None:
    """A page of a list by ``limit``, ``after_id`` and ``before_id``; ``None`` where the query makes no sense."""
    ids, limit = [entry["id"] for entry in entries], query.get("limit", str(PAGE))
    after, before = query.get("after_id"), query.get("before_id")
    unknown = {each for each in (after, before) if each is not None} - set(ids)
    if not DIGITS.fullmatch(limit) or not 1 <= int(limit) <= LARGEST_PAGE or unknown or (after and before):
        return None
    rest = entries[ids.index(after) + 1 :] if after else entries[: ids.index(before)] if before else entries
    data = rest[-int(limit) :] if before else rest[: int(limit)]
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return {"data": data, "has_more": len(rest) > len(data), "first_id": first, "last_id": last}


def _capabilities(model: ModelFact, *, on_demand: bool) -> dict[str, Any]:
    edits = {name: known for name, known in model.edits.items() if name != SUMMARIZE}
    modes = model.thinking_modes
    every = words_of(REQUEST, "thinking")
    types = {mode: None if modes is None else {"supported": mode in modes} for mode in every}
    each = {name: _one(known) for name, known in edits.items()}
    found: dict[str, Any] = {
        **dict.fromkeys(UNKNOWN),
        "context_management": {"supported": _any(edits.values()), **each},
        "effort": None if model.efforts is None else _efforts(model.efforts),
        "thinking": {"supported": None if modes is None else modes != ("disabled",), "types": types},
    }
    if on_demand:
        known = model.edits.get(SUMMARIZE)
        found["compaction"] = {"supported": known, SUMMARIZE: _one(known)}
    return found


def _efforts(levels: Sequence[str]) -> dict[str, Any]:
    return {
        "supported": bool(levels),
        **{level: _one(level in levels) for level in words_of("BetaOutputConfigParam", "effort")},
    }


def _one(known: bool | None) -> dict[str, bool] | None:
    return None if known is None else {"supported": known}


def _any(known: Iterable[bool | None]) -> bool | None:
    values = set(known)
    return True if True in values else None if None in values else False


def _lifecycle(model: ModelFact, today: date) -> str:
    if model.retires is None:
        return "active"
    return "retired" if model.retires <= today.isoformat() else "deprecated"


def _title(id: str) -> str:
    """``claude-x-5-5`` as a person would write it: Claude X 5.5."""
    words = re.sub(r"(?<=\d)-(?=\d)", ".", re.sub(r"-\d{8}$", "", id)).split("-")
    return " ".join(word.capitalize() for word in words)
