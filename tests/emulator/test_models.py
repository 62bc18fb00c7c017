"""The Models API of the emulator: what the catalog knows, in the API's shape."""

from __future__ import annotations

import anthropic
import pytest

from ctxengine.catalog import default_catalog
from tests.emulator.sdk import ON_DEMAND, client, emulator

CATALOG = default_catalog()
LISTED = [model.id for model in client(emulator()).models.list(limit=1000)]


def test_pages() -> None:
    """The SDK walks the pages of the list, forwards and backwards, without losing or repeating a model."""
    models = client(emulator()).beta.models
    assert [model.id for model in models.list(limit=3)] == LISTED
    assert len(LISTED) == len(set(LISTED)) > 10
    assert [model.id for model in models.list(before_id=LISTED[5], limit=2).data] == LISTED[3:5]


@pytest.mark.parametrize("id", LISTED)
def test_capabilities_are_the_catalogs(id: str) -> None:
    """Laid over the catalog, an answer of the Models API changes no fact: it says what the catalog says."""
    answer = client(emulator()).beta.models.retrieve(id, betas=[ON_DEMAND])
    told = CATALOG.with_capabilities(answer, "2026-11-20").models[id]
    known = CATALOG.models[id]
    for fact in ("window", "max_output", "thinking_modes", "edits", "released", "retires"):
        assert getattr(told, fact) == getattr(known, fact), fact


def test_aliases_and_unknown_models() -> None:
    """An alias resolves; an unknown id is a 404 in the API's words; a retired model is not served."""
    models = client(emulator()).models
    assert models.retrieve("claude-haiku-4-5-20251001").id == "claude-haiku-4-5"
    assert models.retrieve("claude-opus-5-5").display_name == "Claude Opus 5.5"
    for id in ("claude-nonesuch", "claude-2.1"):
        with pytest.raises(anthropic.NotFoundError, match=f"model: {id}"):
            models.retrieve(id)


@pytest.mark.parametrize("query", [{"limit": 0}, {"after_id": "claude-nonesuch"}])
def test_senseless_pages(query: dict[str, object]) -> None:
    """A page that cannot be is a 400."""
    with pytest.raises(anthropic.BadRequestError):
        client(emulator()).get("/v1/models", cast_to=object, options={"params": query})


def test_platforms_without_it() -> None:
    """Where a platform has no Models API, the path is not there."""
    with pytest.raises(anthropic.NotFoundError):
        client(emulator(platform="foundry")).models.list()
