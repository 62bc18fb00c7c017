"""What a policy is compiled for: a model on a platform, with thinking on or off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ctxengine.catalog import Catalog
from ctxengine.catalog.facts import EditFact, ModelFact, PlatformFact

THINKING, NOT_THINKING = ("adaptive", "enabled"), ("disabled", "between_tools")
"""The ``thinking.type`` values with which a request thinks from the start, and those with which it does not."""


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
    def window(self) -> int | None:
        """Context window in tokens, ``None`` where it is unknown."""
        return self.facts.window if self.facts else None

    @property
    def min_cache(self) -> int | None:
        """Shortest prefix, in tokens, that the model has cached on this platform."""
        if self.facts is None:
            return None
        return self.facts.min_cache_by_platform.get(self.platform.name) or self.facts.min_cache

    def model_lacks(self, edit: str) -> bool:
        """Whether the model is known not to support an edit type, or ``summarize``."""
        return self.facts is not None and self.facts.edits.get(edit) is False

    def platform_lacks(self, feature: str) -> bool:
        """Whether the platform is known to be without a feature for this model."""
        return self.platform.supports(feature, self.model) is False

    def lacking(self, edit: EditFact) -> str:
        """Which of the two does not support an edit, as a message names it; "" where both may."""
        if self.model_lacks(edit.type):
            return self.model
        return self.platform.title if self.platform_lacks(edit.feature) else ""

    @property
    def thinks(self) -> bool | None:
        """Whether the request thinks; ``None`` where that hangs on an unknown default."""
        if self.thinking in THINKING:
            return True
        if self.thinking in NOT_THINKING:
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
