"""What a policy is compiled for: a model on a platform, with thinking on or off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ctxengine.catalog import Catalog
from ctxengine.catalog.facts import ModelFact, PlatformFact


@dataclass(frozen=True, slots=True)
class Target:
    """Model and platform as the catalog knows them, and whether the request at hand thinks."""

    model: str
    """Canonical id where the catalog knows the model, else the id as given."""
    asked_model: str
    """The id as the caller wrote it."""
    facts: ModelFact | None
    platform: PlatformFact
    thinking: str
    """``thinking.type`` of the request, or "default" where it has none."""

    @property
    def thinks(self) -> bool | None:
        """Whether the request thinks; ``None`` where that hangs on an unknown default."""
        if self.thinking in ("enabled", "adaptive"):
            return True
        if self.thinking in ("disabled", "between_tools"):
            return False
        if self.facts is None or self.facts.thinking_default is None:
            return None
        return self.facts.thinking_default == "on"


def target_of(
    catalog: Catalog, *, model: str, platform: str | None = None, thinking: Mapping[str, Any] | str | None = None
) -> Target:
    """The target of a request; a platform that is not given is read off the model id, and is else the Claude API.

    Raises:
        RequestError: the platform is unknown (the message lists those that exist).
    """
    match = catalog.find_model(model)
    mode = thinking.get("type") if isinstance(thinking, Mapping) else thinking
    return Target(
        model=match.id,
        asked_model=model,
        facts=match.facts,
        platform=catalog.platform(platform or match.platform or "anthropic"),
        thinking=mode if isinstance(mode, str) else "default",
    )
