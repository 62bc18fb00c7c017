"""The emulator on loopback: a starlette application, and uvicorn in a thread for as long as it is needed."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from ctxengine.emulator.wire import Answer, Call
from ctxengine.errors import MalformedInput
from ctxengine.findings import Finding

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send
    from uvicorn import Server

HOST = "127.0.0.1"
LOGGING: Mapping[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "quiet": {"()": "ctxengine.emulator.serving.Quiet"},
        "hanging": {"()": "ctxengine.emulator.serving.Hanging"},
        "brief": {"()": "ctxengine.emulator.serving.Brief"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "filters": ["quiet"]}},
    "loggers": {
        "uvicorn.error": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
        "uvicorn.access": {"handlers": ["stderr"], "filters": ["brief"], "level": "INFO", "propagate": False},
        "asyncio": {"filters": ["hanging"]},
    },
}
ACCESS = 5
"""What uvicorn tells of a request: client, method, path, version of HTTP, status."""
TICK = 0.01
"""Seconds between two looks at whether the server has started."""


class Answering(Protocol):
    def answer(self, call: Call) -> Answer: ...

    async def async_sleep(self, seconds: float) -> None: ...


class Dropped(Exception):
    """Breaks the connection: the server closes it where the application fails in the middle of an answer."""


class Quiet(logging.Filter):
    """Keeps connections that were broken on purpose, or with the end of the server, out of the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], (Dropped, asyncio.CancelledError)))


class Hanging(logging.Filter):
    """Keeps out what asyncio says of each part that is sent to a client which has hung up."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith("socket.send() raised")


class Brief(logging.Filter):
    """Of a request, its method, its path without a query, and the status of the answer."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple) and len(record.args) == ACCESS:
            _, method, path, _, status = record.args
            record.msg, record.args = "%s %s %s", (method, str(path).partition("?")[0], status)
        return True


def application(emulator: Answering) -> ASGIApp:
    """The emulator as an ASGI application, for whoever has a server.

    No router stands before it: every path and method is answered in the API's shape.
    """
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import StreamingResponse

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        headers = {name.lower(): ",".join(request.headers.getlist(name)) for name in request.headers}
        path = scope.get("raw_path", request.url.path.encode()).decode("latin-1").partition("?")[0]
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        given = emulator.answer(Call(request.method, path, dict(request.query_params), headers, body))
        if given.wait:
            await emulator.async_sleep(given.wait)
        await StreamingResponse(_parts(given), given.status, dict(given.headers))(scope, receive, send)

    return answer


@contextmanager
def serving(emulator: Answering, port: int = 0, *, log: bool = False) -> Iterator[str]:
    """Serve on 127.0.0.1 in a thread of its own; gives the base URL.

    Args:
        log: whether stderr has a line for each request.

    Raises:
        MalformedInput: the extra is not installed, or the port cannot be had.
    """
    server = _server(emulator, log)
    with _bound(port) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            while thread.is_alive() and not server.started:
                thread.join(TICK)
            yield f"http://{HOST}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = server.force_exit = True
            thread.join()


def _server(emulator: Answering, log: bool) -> Server:
    try:
        from uvicorn import Config, Server
    except ImportError:
        finding = Finding("usage", "error", "serving needs starlette and uvicorn", "pip install 'ctxengine[emulator]'")
        raise MalformedInput(finding) from None
    return Server(Config(application(emulator), log_config=dict(LOGGING), access_log=log, lifespan="off"))


def _bound(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        message = f"cannot serve on port {port}: {error.strerror}"
        raise MalformedInput(Finding("usage", "error", message, "take another port, or 0 for a free one")) from None


async def _parts(answer: Answer) -> AsyncIterator[bytes]:
    for part in answer.parts:
        yield part
    if answer.ending == "stalled":
        await asyncio.Event().wait()
    if answer.ending == "dropped":
        raise Dropped
