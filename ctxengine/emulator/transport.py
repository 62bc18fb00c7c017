"""The emulator as an httpx2 transport, for ``Anthropic(http_client=…)``: no socket, no thread."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import httpx2

from ctxengine.emulator.wire import Answer, Call

FOREVER = 600.0
"""Seconds that a stalled answer waits where the client sets no timeout of its own."""


class Transport(httpx2.BaseTransport):
    """Answers in the caller's own thread."""

    def __init__(self, answer: Callable[[Call], Answer], sleep: Callable[[float], None]) -> None:
        self._answer, self._sleep = answer, sleep

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = self._answer(_call(request, request.read()))
        if answer.wait:
            self._sleep(answer.wait)
        stream = _Stream(answer, request, self._sleep)
        return httpx2.Response(answer.status, headers=dict(answer.headers), stream=stream)


class AsyncTransport(httpx2.AsyncBaseTransport):
    """Answers on the caller's own loop."""

    def __init__(self, answer: Callable[[Call], Answer], sleep: Callable[[float], Awaitable[None]]) -> None:
        self._answer, self._sleep = answer, sleep

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = self._answer(_call(request, await request.aread()))
        if answer.wait:
            await self._sleep(answer.wait)
        stream = _AsyncStream(answer, request, self._sleep)
        return httpx2.Response(answer.status, headers=dict(answer.headers), stream=stream)


class _Stream(httpx2.SyncByteStream):
    def __init__(self, answer: Answer, request: httpx2.Request, sleep: Callable[[float], None]) -> None:
        self._parts, self._answer, self._request, self._sleep = answer.parts, answer, request, sleep

    def __iter__(self) -> Iterator[bytes]:
        yield from self._parts
        if self._answer.ending == "stalled":
            self._sleep(_patience(self._request))
        if self._answer.ending != "whole":
            raise _broken(self._answer, self._request)


class _AsyncStream(httpx2.AsyncByteStream):
    def __init__(self, answer: Answer, request: httpx2.Request, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._parts, self._answer, self._request, self._sleep = answer.parts, answer, request, sleep

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            yield part
        if self._answer.ending == "stalled":
            await self._sleep(_patience(self._request))
        if self._answer.ending != "whole":
            raise _broken(self._answer, self._request)


def _call(request: httpx2.Request, body: bytes) -> Call:
    headers = {name.lower(): value for name, value in request.headers.items()}
    path = request.url.raw_path.decode("ascii").partition("?")[0]
    return Call(request.method, path, dict(request.url.params), headers, body)


def _patience(request: httpx2.Request) -> float:
    timeout = request.extensions.get("timeout", {}).get("read")
    return FOREVER if timeout is None else float(timeout)


def _broken(answer: Answer, request: httpx2.Request) -> httpx2.TransportError:
    if answer.ending == "stalled":
        return httpx2.ReadTimeout("the emulated server stopped answering", request=request)
    return httpx2.RemoteProtocolError("the emulated server closed the connection", request=request)
