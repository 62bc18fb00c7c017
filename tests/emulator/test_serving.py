"""The emulator on loopback, and the command that starts it: real sockets, real processes."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anthropic
import httpx2
import pytest

from ctxengine.errors import MalformedInput
from tests.emulator.sdk import HELLO, emulator

ROOT = Path(__file__).parents[2]
KEY = "sk-ant-secret"


def _client(base_url: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key=KEY, base_url=base_url, max_retries=0, timeout=10)


def test_messages_over_a_socket() -> None:
    """Create, stream and models work over HTTP as they do in the process."""
    with emulator().serve() as base_url, _client(base_url) as client:
        assert base_url.startswith("http://127.0.0.1:")
        assert client.messages.create(**HELLO).content[0].text == "Hello there"
        with client.messages.stream(**HELLO) as events:
            assert events.get_final_text() == "Hello there"
        assert client.models.retrieve("claude-opus-5-5").id == "claude-opus-5-5"
        with pytest.raises(anthropic.NotFoundError):
            client.models.retrieve("claude/nonesuch")


def test_betas_on_several_lines() -> None:
    """A header that is there more than once counts as one with commas."""
    betas = [("anthropic-beta", "context-management-2025-06-27"), ("anthropic-beta", "files-api-2025-04-14")]
    edits = {"edits": [{"type": "clear_tool_uses_20250919"}]}
    headers = [("x-api-key", KEY), ("anthropic-version", "2023-06-01"), *betas]
    with emulator().serve() as base_url:
        answer = httpx2.post(f"{base_url}/v1/messages", headers=headers, json={**HELLO, "context_management": edits})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("streamed", [True, False])
def test_a_dropped_connection(streamed: bool, capfd: pytest.CaptureFixture[str]) -> None:
    """The connection really breaks; nothing is said about it, and the server goes on."""
    with emulator(faults="drop").serve() as base_url, _client(base_url) as client:
        with pytest.raises((anthropic.APIConnectionError, httpx2.RemoteProtocolError)):
            list(client.messages.create(**HELLO, stream=True)) if streamed else client.messages.create(**HELLO)
        assert client.messages.create(**HELLO).content[0].text == "Hello there"
    assert "".join(capfd.readouterr()) == ""


def test_a_stalled_connection(capfd: pytest.CaptureFixture[str]) -> None:
    """A stalled answer ends with the client's patience, and does not keep the server from stopping, quietly."""
    with emulator(faults="stall").serve() as base_url, _client(base_url) as client, pytest.raises(httpx2.ReadTimeout):
        list(client.with_options(timeout=0.2).messages.create(**HELLO, stream=True))
    with emulator(faults="stall").serve() as base_url:
        waiting = _client(base_url).messages.create(**HELLO, stream=True)
    waiting.close()
    assert "".join(capfd.readouterr()) == ""


def test_keys_and_bodies_are_not_logged(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither a log nor an output holds anything of a request."""
    caplog.set_level(0, "uvicorn")
    with emulator(["Certainly."], faults="500,drop").serve() as base_url, _client(base_url) as client:
        for _ in range(2):
            with pytest.raises(anthropic.APIError):
                client.messages.create(**HELLO)
        client.messages.create(**HELLO)
    said = caplog.text + "".join(capfd.readouterr())
    assert not re.search(f"{KEY}|Hello|Certainly", said)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("OPTIONS", "/v1/messages", 405),
        ("FOO", "/v1/messages", 405),
        ("PUT", "/nowhere", 404),
        ("GET", "/v1/models?limit=" + "9" * 5000, 400),
        ("GET", "/v1/models?limit=%D9%A3", 400),
    ],
)
def test_errors_over_a_socket(method: str, path: str, status: int) -> None:
    """Whatever the path and the method, an error has the API's shape and the id of its request."""
    with emulator().serve() as base_url:
        answer = httpx2.request(method, base_url + path, headers={"x-api-key": KEY})
    said = answer.json()
    assert (answer.status_code, said["type"], said["request_id"]) == (status, "error", answer.headers["request-id"])


def test_an_upload_that_is_cut(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """A client that goes away in the middle of its request is nothing to speak of."""
    with emulator().serve() as base_url:
        with socket.create_connection(("127.0.0.1", int(base_url.rpartition(":")[2]))) as upload:
            upload.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n{")
        with _client(base_url) as client:
            assert client.messages.create(**HELLO).content[0].text == "Hello there"
    assert "".join(capfd.readouterr()) + caplog.text == ""


def test_a_taken_port() -> None:
    """A port that is taken is an error that says so."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(MalformedInput, match=str(port)), emulator().serve(port):
            pass


@contextmanager
def _command(*args: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "ctxengine.cli", "emulate", *args]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_command(tmp_path: Path) -> None:
    """It prints the base URL and serves there until it is stopped."""
    script = tmp_path / "rules.json"
    script.write_text('[{"when": "Hello", "reply": "Good morning."}]')
    with _command("--script", str(script), "--faults", "529") as process:
        assert process.stdout is not None
        with _client(process.stdout.readline().strip()) as client:
            with pytest.raises(anthropic.OverloadedError):
                client.messages.create(**HELLO)
            assert client.messages.create(**HELLO).content[0].text == "Good morning."
            with pytest.raises(anthropic.NotFoundError):
                client.get("/v1/nothing?key=secret", cast_to=object)
        process.terminate()
        _, said = process.communicate(timeout=60)
    assert [line for line in said.splitlines() if "/v1/" in line] == [
        "POST /v1/messages 529", "POST /v1/messages 200", "GET /v1/nothing 404",
    ]  # fmt: skip
    assert "secret" not in said and "Hello" not in said


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--echo", "--script", __file__), "cannot both be given"),
        (("--script", __file__), "transcript-malformed"),
        (("--faults", "flood"), "there is no fault"),
        (("--platform", "mars"), "mars"),
    ],
)
def test_mistaken_commands(args: tuple[str, ...], says: str) -> None:
    """What cannot be served ends in exit code 2 and a word why."""
    with _command(*args) as process:
        _, said = process.communicate(timeout=60)
    assert (process.returncode, says in said) == (2, True), said
