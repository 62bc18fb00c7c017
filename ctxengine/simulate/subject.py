"""What a transcript is replayed as: for which model and platform, and whether it thinks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ctxengine.catalog import Catalog
from ctxengine.conversation import THINKING
from ctxengine.errors import CtxengineError
from ctxengine.findings import Finding, Place, nearest, shown
from ctxengine.target import Target, target_of
from ctxengine.transcripts import Transcript


def target_for(transcript: Transcript, catalog: Catalog, model: str | None, platform: str | None, file: str) -> Target:
    """The model and platform whose rules, sizes and prices hold.

    Raises:
        CtxengineError: neither the caller nor the conversation names a model.
    """
    name = model or transcript.request.get("model")
    if not isinstance(name, str) or not name:
        message = "the conversation names no model, so neither sizes nor prices are known"
        raise CtxengineError(Finding("simulate-model", "error", message, "add --model M", Place("model", file)))
    return target_of(catalog, model=name, platform=platform, thinking=transcript.request.get("thinking"))


def unpriced(target: Target, catalog: Catalog, file: str) -> Iterator[Finding]:
    """A warning where the catalog does not know enough of the model for a cost."""
    if target.facts is None:
        message = f"the catalog knows no model {shown(target.model)}: sizes are rough, and prices unknown"
        near = nearest(target.model, catalog.models)
        such = f", such as {' or '.join(near)}" if near else ""
        help = f"give --model one that it knows{such}: ctxengine catalog models shows them"
    elif not target.facts.prices:
        message = f"the catalog knows no price of {target.model}"
        help = "add --model M for a model with a price, or leave such conversations out"
    else:
        return
    yield Finding("simulate-price", "warning", message, help, Place("model", file))


def with_thinking(transcript: Transcript, catalog: Catalog, model: Any) -> Transcript:
    """Logs do not show the request's ``thinking``; where there are thinking blocks, it was on."""
    request = transcript.request
    if request.get("thinking") is not None or not any(map(_thinks, request["messages"])):
        return transcript
    facts = catalog.find_model(str(model)).facts
    modes = facts.thinking_modes if facts else None
    mode = "adaptive" if modes is None or "adaptive" in modes else "enabled"
    return replace(transcript, request={**request, "thinking": {"type": mode}})


def _thinks(message: Mapping[str, Any]) -> bool:
    content = message["content"]
    return isinstance(content, list) and any(block["type"] in THINKING for block in content)
