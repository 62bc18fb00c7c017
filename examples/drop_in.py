"""ctxengine before a client that exists: build the request, send it as ever. A mock transport keeps it offline."""

from __future__ import annotations

import json
from pathlib import Path

import anthropic
import httpx2

from ctxengine import Engine

HERE = Path(__file__).resolve().parent
REPLY = {
    "id": "msg_offline", "type": "message", "role": "assistant", "model": "claude-opus-4-6",
    "content": [{"type": "text", "text": "Here is the draft."}], "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 1},
}  # fmt: skip


def show(request: httpx2.Request) -> httpx2.Response:
    """What would have gone to the API."""
    print("anthropic-beta:", request.headers.get("anthropic-beta"))
    print("context_management:", json.dumps(json.loads(request.content).get("context_management"), indent=2))
    return httpx2.Response(200, json=REPLY)


client = anthropic.Anthropic(api_key="offline", http_client=httpx2.Client(transport=httpx2.MockTransport(show)))
engine = Engine.load(HERE / "policies" / "team.json")
conversation = json.loads((HERE / "transcripts" / "stdlib-audit.json").read_text(encoding="utf-8"))["request"]
response = client.beta.messages.create(**engine.build(**conversation))
print(response.content[0].text)
