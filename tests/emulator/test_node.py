"""The TypeScript SDK against the emulator."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.emulator.sdk import CM, HELLO, compacting, emulator

PROGRAM = """
import { readFileSync } from "node:fs";
import Anthropic from "@anthropic-ai/sdk";
const { baseURL, hello, compacting, clearing } = JSON.parse(readFileSync(0));
const client = new Anthropic({ apiKey: "any", baseURL, maxRetries: 2 });
const created = await client.beta.messages.create(hello);
const streamed = await client.beta.messages.stream(compacting).finalMessage();
const cleared = await client.beta.messages.create(clearing);
const counted = await client.beta.messages.countTokens({ model: hello.model, messages: hello.messages });
const model = await client.models.retrieve(hello.model);
let refused = null;
await client.models.retrieve("claude-nonesuch").catch((error) => { refused = error.status; });
console.log(JSON.stringify({ created, streamed, cleared, counted, model, refused }));
"""


@pytest.mark.node
def test_the_typescript_sdk(tmp_path: Path) -> None:
    """It creates, streams a compaction, counts, lists a model, reads errors, and retries past an overload."""
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "@anthropic-ai/sdk"]
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "program.mjs").write_text(PROGRAM)
    subprocess.run(install, cwd=tmp_path, check=True, capture_output=True)
    clearing = {**HELLO, "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}, "betas": [CM]}
    with emulator(["Hello.", "Done.", "Cleared."], faults="529").serve() as base_url:
        given = {"baseURL": base_url, "hello": HELLO, "compacting": compacting(), "clearing": clearing}
        done = subprocess.run(
            ["node", "program.mjs"], input=json.dumps(given), cwd=tmp_path, check=False, capture_output=True, text=True
        )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["created"]["content"] == [{"type": "text", "text": "Hello."}]
    assert [block["type"] for block in said["streamed"]["content"]] == ["compaction", "text"]
    assert said["streamed"]["content"][0]["content"].startswith("Summary")
    assert [entry["type"] for entry in said["streamed"]["usage"]["iterations"]] == ["compaction", "message"]
    assert said["cleared"]["context_management"] == {"applied_edits": []}
    assert said["counted"]["input_tokens"] == said["created"]["usage"]["input_tokens"]
    assert (said["model"]["id"], said["refused"]) == (HELLO["model"], 404)
