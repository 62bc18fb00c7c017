"""The SDK's seven clients on a mock transport, and what they put on the wire, brought to one form."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import anthropic
import httpx2

REPLY = {
    "id": "msg_offline",
    "type": "message",
    "role": "assistant",
    "model": "offline",
    "content": [],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
_seen: list[httpx2.Request] = []


def _answer(request: httpx2.Request) -> httpx2.Response:
    _seen[:] = [request]
    return httpx2.Response(200, json=REPLY)


HTTP = httpx2.Client(transport=httpx2.MockTransport(_answer))
AWS = {"api_key": "offline", "aws_region": "us-east-1"}
CLIENTS: Mapping[str, Callable[[], Any]] = {
    "anthropic": lambda: anthropic.Anthropic(api_key="offline", http_client=HTTP),
    "aws": lambda: anthropic.AnthropicAWS(**AWS, workspace_id="offline", http_client=HTTP),
    "bedrock": lambda: anthropic.AnthropicBedrock(**AWS, http_client=HTTP),
    "bedrock_mantle": lambda: anthropic.AnthropicBedrockMantle(**AWS, http_client=HTTP),
    "vertex": lambda: anthropic.AnthropicVertex(
        region="global", project_id="offline", access_token="offline", http_client=HTTP
    ),
    "google_cloud": lambda: anthropic.AnthropicGoogleCloud(
        project="offline", workspace_id="offline", token_provider=lambda: "offline", http_client=HTTP
    ),
    "foundry": lambda: anthropic.AnthropicFoundry(resource="offline", api_key="offline", http_client=HTTP),
}
SPELLINGS = {"bedrock": "us.anthropic.{}-v1:0", "bedrock_mantle": "anthropic.{}", "vertex": "{}@20261001"}
"""Platform → how it spells a model's id, where that differs from the Claude API."""

Marks = dict[tuple[int, int, int], Any]
"""(section, index, block), as in ``Position`` → the ``cache_control`` found there."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it left the client."""

    body: dict[str, Any]
    """Without cache marks and without what the platform moves elsewhere or adds: model, version, betas."""
    model: str
    betas: list[str]
    marks: Marks


def send(platform: str, kwargs: Mapping[str, Any]) -> Sent:
    """Hand the arguments to the platform's client and take apart what it sends."""
    CLIENTS[platform]().beta.messages.create(**kwargs)
    request = _seen[0]
    body = json.loads(request.content)
    betas = request.headers.get("anthropic-beta")
    listed = body.pop("anthropic_beta", None) if platform == "bedrock" else betas and betas.split(",")
    body.pop("anthropic_version", None)
    model = body.pop("model", None) or unquote(request.url.path).rsplit("/models/")[-1].rsplit("/model/")[-1]
    return Sent(body, model.removesuffix("/invoke").removesuffix(":rawPredict"), listed or [], _unmark(body))


def _unmark(body: dict[str, Any]) -> Marks:
    """Take the cache marks out of a body."""
    marks = {(3, -1, -1): body.pop("cache_control")} if "cache_control" in body else {}
    for section, name in enumerate(("tools", "system")):
        for index, item in enumerate(body.get(name, ())):
            if isinstance(item, dict) and "cache_control" in item:
                marks[section, index, -1] = item.pop("cache_control")
    for index, message in enumerate(body["messages"]):
        for at, block in enumerate(message["content"] if isinstance(message["content"], list) else ()):
            if "cache_control" in block:
                marks[2, index, at] = block.pop("cache_control")
    return marks
