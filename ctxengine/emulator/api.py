"""The Messages API without HTTP: a call in, an answer out."""

from __future__ import annotations

import hmac
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from ctxengine.catalog import ModelFact
from ctxengine.catalog.facts import ON_DEMAND_COMPACTION
from ctxengine.emulator.account import INVOKE_MODEL, Account
from ctxengine.emulator.eventstream import frame
from ctxengine.emulator.models import model_info, page_of, served
from ctxengine.emulator.reading import Asked, read_header_call, read_invoke_call, refuse
from ctxengine.emulator.streaming import events_of, sse
from ctxengine.emulator.wire import Answer, Call, Ending, Received, Refused, error_answer, json_answer
from ctxengine.request import BETA_HEADER
from ctxengine.semantics import refusal

KEY_HEADERS = ("x-api-key", "authorization")
BUSY = (429, 529)
RETRY_AFTER = {"retry-after": "1"}
ENDINGS: Mapping[str, Ending] = {"drop": "dropped", "stall": "stalled"}


@dataclass(frozen=True, slots=True)
class Streamed:
    """A way of writing events on the wire."""

    content_type: str
    encode: Callable[[Mapping[str, Any]], bytes]


SSE = Streamed("text/event-stream; charset=utf-8", sse)
AWS = Streamed("application/vnd.amazon.eventstream", frame)


@dataclass(slots=True)
class Api:
    """Routes calls, and makes errors of what is refused."""

    account: Account
    requests: deque[Received]
    """The newest, for tests to look at."""
    failure: Exception | None = None

    def answer(self, call: Call) -> Answer:
        """The answer to any call; an error is an answer too."""
        request_id = self.account.new_id("req")
        try:
            answer = self._route(call)
        except Refused as refused:
            error = refused.error
            answer = error_answer(error, request_id, RETRY_AFTER if error.status in BUSY else {})
        except Exception as failure:  # whatever goes wrong in here, a client of the API sees no more than this of it
            self.failure = failure
            answer = error_answer(refusal(self.account.setting.catalog, "load-500"), request_id)
        return replace(answer, headers={**answer.headers, "request-id": request_id})

    def _route(self, call: Call) -> Answer:
        catalog = self.account.setting.catalog
        found = ((match, method, action) for path, method, action in ROUTES if (match := path.fullmatch(call.path)))
        match, method, action = next(found, None) or refuse(catalog, "http-path")
        if call.method != method:
            refuse(catalog, "http-method")
        if not any(call.headers.get(name) for name in KEY_HEADERS):
            refuse(catalog, "http-key")
        return action(self, call, *(unquote(part) for part in match.groups()))

    def create(self, call: Call) -> Answer:
        setting = self.account.setting
        return self._message(call, read_header_call(call, setting.catalog, "create"), setting.platform, SSE)

    def invoke(self, call: Call, model: str, streaming: str = "") -> Answer:
        asked = read_invoke_call(call, self.account.setting.catalog, model, stream=bool(streaming))
        return self._message(call, asked, INVOKE_MODEL, AWS)

    def count_tokens(self, call: Call) -> Answer:
        self._offers("count_tokens")
        asked = read_header_call(call, self.account.setting.catalog, "count_tokens")
        self._remember(call, asked)
        return json_answer(self.account.counts(asked))

    def models(self, call: Call) -> Answer:
        page = page_of([self._shown(call, model) for model in self._served()], call.query)
        if page is None:
            refuse(self.account.setting.catalog, "shape-type", path="query", said="limit, after_id or before_id")
        return json_answer(page)

    def model(self, call: Call, name: str) -> Answer:
        catalog = self.account.setting.catalog
        facts = catalog.find_model(name).facts
        if facts is None or facts not in self._served():
            refuse(catalog, "model-unknown", model=name)
        return json_answer(self._shown(call, facts))

    def _message(self, call: Call, asked: Asked, platform: str, streamed: Streamed) -> Answer:
        self._remember(call, asked)
        secret = "".join(call.headers.get(name, "") for name in KEY_HEADERS)
        setting = self.account.setting
        owner = hmac.new(setting.signer.key, secret.encode(), "sha256").hexdigest()
        message, fault = self.account.message(asked, platform, owner)
        answer = json_answer(message)
        if asked.stream:
            parts = tuple(streamed.encode(event) for event in events_of(message))
            answer = Answer(200, {"content-type": streamed.content_type, "cache-control": "no-cache"}, parts)
        return replace(_spoilt(answer, fault) if fault else answer, wait=setting.latency)

    def _served(self) -> list[ModelFact]:
        self._offers("models_api")
        return served(self.account.setting.catalog, self.account.setting.today)

    def _shown(self, call: Call, model: ModelFact) -> dict[str, Any]:
        setting = self.account.setting
        named = call.headers.get(BETA_HEADER, "").split(",")
        on_demand = any(beta in named for beta in setting.catalog.betas_for(ON_DEMAND_COMPACTION))
        return model_info(model, setting.today, on_demand=on_demand)

    def _offers(self, feature: str) -> None:
        setting = self.account.setting
        if setting.catalog.platforms[setting.platform].supports(feature) is False:
            refuse(setting.catalog, "http-path")

    def _remember(self, call: Call, asked: Asked) -> None:
        body = {name: value for name, value in asked.kwargs.items() if name not in ("extra_headers", "betas")}
        self.requests.append(Received(call.method, call.path, asked.betas, body))


def _spoilt(answer: Answer, fault: str) -> Answer:
    """The answer as a fault leaves it: half of it, or whole with an event in the middle that is cut off."""
    parts, half = answer.parts, len(answer.parts) // 2
    if fault in ENDINGS:
        kept = parts[:half] or (parts[0][: len(parts[0]) // 2],)
        return replace(answer, parts=kept, ending=ENDINGS[fault])
    broken = parts[half][: len(parts[half]) // 2].rstrip() + b"\n\n"
    return replace(answer, parts=(*parts[:half], broken, *parts[half + 1 :]))


ROUTES: tuple[tuple[re.Pattern[str], str, Callable[..., Answer]], ...] = (
    (re.compile("/v1/messages"), "POST", Api.create),
    (re.compile("/v1/messages/count_tokens"), "POST", Api.count_tokens),
    (re.compile("/v1/models"), "GET", Api.models),
    (re.compile("/v1/models/([^/]+)"), "GET", Api.model),
    (re.compile("/model/([^/]+)/invoke"), "POST", Api.invoke),
    (re.compile("/model/([^/]+)/invoke-(with-response-stream)"), "POST", Api.invoke),
)
"""Path, method and what answers; the groups of a path are its arguments."""
