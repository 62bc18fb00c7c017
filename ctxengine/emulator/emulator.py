"""The Messages API for tests: in the same process through a transport, or on loopback."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctxengine.catalog import Catalog, default_catalog
from ctxengine.edits.effect import Count
from ctxengine.edits.switches import Switches, switches_of
from ctxengine.emulator.account import Account, Setting
from ctxengine.emulator.api import Api
from ctxengine.emulator.faults import read_faults
from ctxengine.emulator.replies import Speaker, speaker_of
from ctxengine.emulator.wire import Answer, Call, Received
from ctxengine.semantics import Signer
from ctxengine.transcripts import Transcript

if TYPE_CHECKING:
    from ctxengine.emulator.transport import AsyncTransport, Transport

KEY = b"ctxengine emulator"
"""What every emulator signs with, so that a history may go on with another one, and runs come out the same."""
KEPT = 256
BASE_URL = "http://emulator.invalid"
"""What clients on a transport are given: nothing is ever sent there."""


class Emulator:
    """One emulated account: a scripted model, a prompt cache, signatures, and faults that are to come.

    Args:
        script: what the model says: a file (recorded conversation or rules), a ``Transcript``, or a list of replies or
            rules. Without one it echoes the user.
        platform: as the catalog names it; ``/model/…`` paths are always Bedrock's.
        faults: as for ``read_faults``: ``429:2,drop``.
        clock: seconds since 1970; the prompt cache and retirements go by it.
        sleep: waits in place of ``time.sleep`` and ``asyncio.sleep``.
        latency_ms: how long the model takes to begin.
        count: tokens of any JSON value, in place of the estimate.
        switches: values for disputed points, by name.
        binds: whether thinking after a changed prefix is refused by default, as for accounts made since
            2026-08-31.
        kept: how many of the newest requests ``requests`` holds.

    Raises:
        MalformedInput: the script, the faults or a switch cannot be read.
    """

    def __init__(
        self,
        script: str | Path | Transcript | Sequence[Any] | None = None,
        *,
        platform: str = "anthropic",
        faults: str = "",
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] | None = None,
        latency_ms: float = 0.0,
        count: Count | None = None,
        switches: Switches | Mapping[str, str] | None = None,
        binds: bool = True,
        kept: int = KEPT,
        catalog: Catalog | None = None,
    ) -> None:
        catalog = catalog or default_catalog()
        speaker: Speaker = speaker_of(script)
        signer = Signer(KEY, foreign=isinstance(script, (str, Path, Transcript)))
        name = catalog.platform(platform).name
        chosen = switches_of(switches, catalog)
        setting = Setting(
            catalog=catalog,
            platform=name,
            clock=clock,
            signer=signer,
            switches=chosen,
            binds=binds,
            latency=latency_ms / 1000,
            count=count,
        )
        self._api = Api(Account(setting, speaker, read_faults(faults)), deque(maxlen=kept))
        self._sleep, self._lock = sleep, threading.Lock()

    @property
    def requests(self) -> Sequence[Received]:
        """The newest requests for messages and counts that came in, oldest first; at most ``kept``."""
        return tuple(self._api.requests)

    @property
    def failure(self) -> Exception | None:
        """What went wrong inside, ours or a callable's of yours, where a 500 that no fault asked for hides it."""
        return self._api.failure

    def answer(self, call: Call) -> Answer:
        """The answer to one call; calls are answered one after the other."""
        with self._lock:
            return self._api.answer(call)

    def transport(self) -> Transport:
        """For ``httpx2.Client(transport=…)``."""
        from ctxengine.emulator.transport import Transport

        return Transport(self.answer, self._sleep or time.sleep)

    def async_transport(self) -> AsyncTransport:
        """For ``httpx2.AsyncClient(transport=…)``."""
        from ctxengine.emulator.transport import AsyncTransport

        return AsyncTransport(self.answer, self.async_sleep)

    async def async_sleep(self, seconds: float) -> None:
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep
        if self._sleep is None:
            await wait(seconds)
        else:
            self._sleep(seconds)

    def client_options(self) -> dict[str, Any]:
        """Keyword arguments for ``Anthropic``: key, base URL and an HTTP client on this emulator."""
        import httpx2

        return {
            "api_key": "emulated",
            "base_url": BASE_URL,
            "http_client": httpx2.Client(transport=self.transport()),
        }

    def async_client_options(self) -> dict[str, Any]:
        """The same for ``AsyncAnthropic``."""
        import httpx2

        return {
            "api_key": "emulated",
            "base_url": BASE_URL,
            "http_client": httpx2.AsyncClient(transport=self.async_transport()),
        }

    @contextmanager
    def serve(self, port: int = 0, *, log: bool = False) -> Iterator[str]:
        """Serve on 127.0.0.1 as long as the block lasts; gives the base URL. Needs the extra ``emulator``.

        Args:
            log: whether stderr has a line for each request: its method, path and status.
        """
        from ctxengine.emulator.serving import serving

        with serving(self, port, log=log) as base_url:
            yield base_url
