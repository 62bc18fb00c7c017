"""A call as ``messages.create`` arguments. What is not understood is refused, in the API's words where known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from ctxengine.catalog import Catalog
from ctxengine.check.generation import SAMPLING
from ctxengine.emulator.wire import Call, Refused
from ctxengine.errors import MalformedInput
from ctxengine.jsontext import read_json
from ctxengine.request import BETA_HEADER, split_betas
from ctxengine.semantics import refusal
from ctxengine.shapes import LIST, OBJECT, PLAIN, request_flaw

VERSION_HEADER = "anthropic-version"
OF_THE_SDK = frozenset(
    {"betas", "extra_body", "extra_headers", "extra_query", "timeout", "user_profile_id", "workspace_id"}
)
"""Arguments of the SDK's methods that are no fields of the body."""
SHARES = ("temperature", "top_p")
NOT_EMULATED = ("diagnostics", "fallback_credit_token", "fallbacks", "mcp_servers")
MISPLACED = ("tag", "compaction")
"""A compaction block where there can be none is for the rules: the API has a code of its own for it."""
MESSAGE = frozenset({"role", "content"})
"""The fields of a message that are emulated."""
MAX_DEPTH = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a message, or for the count of one."""

    kwargs: Mapping[str, Any]
    """As ``messages.create`` takes them, with the headers in ``extra_headers``."""
    betas: tuple[str, ...]
    stream: bool = False


def body_of(call: Call, catalog: Catalog) -> dict[str, Any]:
    """The JSON object that a call sends."""
    if len(call.body) > (catalog.limit("request.bytes").at_most or 0):
        refuse(catalog, "http-size")
    try:
        body = read_json(call.body, "body", rule="request-shape", max_depth=MAX_DEPTH).value
    except MalformedInput:
        refuse(catalog, "http-json")
    if not isinstance(body, dict):
        refuse(catalog, "shape-type", path="body", said=OBJECT)
    return body


def read_header_call(call: Call, catalog: Catalog, surface: str) -> Asked:
    """A request whose model stands in the body, and whose version and betas stand in headers."""
    body = body_of(call, catalog)
    headers = {VERSION_HEADER: call.headers.get(VERSION_HEADER)}
    if BETA_HEADER in call.headers:
        headers[BETA_HEADER] = call.headers[BETA_HEADER]
    kwargs = _arguments(body, headers, catalog, surface)
    return Asked(kwargs, split_betas([headers.get(BETA_HEADER)]), bool(body.get("stream")))


def read_invoke_call(call: Call, catalog: Catalog, model: str, *, stream: bool) -> Asked:
    """A request as InvokeModel takes it: the model in the path, version and betas in the body."""
    body = body_of(call, catalog)
    betas = body.pop("anthropic_beta", None)
    betas = [] if betas is None else betas
    if not isinstance(betas, list):
        refuse(catalog, "shape-type", path="anthropic_beta", said=LIST)
    for index, beta in enumerate(betas):
        if not isinstance(beta, str):
            refuse(catalog, "shape-type", path=f"anthropic_beta.{index}", said=PLAIN["string"][1])
    version = body.pop("anthropic_version", None)
    if version is None:
        refuse(catalog, "shape-missing", path="anthropic_version")
    if not isinstance(version, str) or version not in catalog.vocabulary["api_versions"]:
        refuse(catalog, "shape-type", path="anthropic_version", said="a valid version")
    for name in ("model", "stream"):
        if name in body:
            refuse(catalog, "shape-extra", path=name)
    streamed = {"stream": True} if stream else {}
    kwargs = _arguments({"model": model, **body, **streamed}, {VERSION_HEADER: version}, catalog, "create")
    return Asked({**kwargs, "betas": betas}, split_betas(betas), stream)


def _arguments(body: Mapping[str, Any], headers: dict[str, Any], catalog: Catalog, surface: str) -> dict[str, Any]:
    _check_version(headers, catalog)
    _check_fields(body, catalog, surface)
    flaw = request_flaw(body)
    if flaw and (flaw.kind, flaw.said) != MISPLACED:
        refuse(catalog, f"shape-{flaw.kind}", path=flaw.path, said=flaw.said)
    _check_emulated(body, catalog)
    kwargs = {name: value for name, value in body.items() if value is not None}
    return {**kwargs, "extra_headers": headers} if headers else kwargs


def _check_version(headers: dict[str, Any], catalog: Catalog) -> None:
    """The version must be known; the newest needs no mention, as it is what the rules are about."""
    version, known = headers.get(VERSION_HEADER), catalog.vocabulary["api_versions"]
    if not version:
        refuse(catalog, "http-version")
    if version not in known:
        refuse(catalog, "http-version:unknown")
    if version == max(name for name in known if name[0].isdigit()):
        del headers[VERSION_HEADER]


def _check_fields(body: Mapping[str, Any], catalog: Catalog, surface: str) -> None:
    for name in ("model", "max_tokens", "messages"):
        if body.get(name) is None and not (surface == "count_tokens" and name == "max_tokens"):
            refuse(catalog, "shape-missing", path=name)
    known = catalog.surfaces[surface] - OF_THE_SDK | {*SAMPLING, "stream"}
    for name in body:
        if name not in known:
            refuse(catalog, "shape-extra", path=name)
    most = body.get("max_tokens")
    if isinstance(most, int) and most < 0:
        refuse(catalog, "shape-type", path="max_tokens", said="greater than or equal to 0")
    for name in SHARES:
        value = body.get(name)
        if isinstance(value, (int, float)) and not 0 <= value <= 1:
            refuse(catalog, "shape-range", path=name)


def _check_emulated(body: Mapping[str, Any], catalog: Catalog) -> None:
    """What the API takes, but not here; threads it takes with little else."""
    if body.get("thread"):
        named = next((name for name in ("context_management", "fallbacks") if body.get(name)), "")
        if named:
            refuse(catalog, "thread-unsupported", path=named, unsupported=named)
        refuse(catalog, "thread-unsupported:here", path="thread")
    for name in NOT_EMULATED:
        if body.get(name):
            refuse(catalog, "not-emulated", path=name)
    for index, message in enumerate(body["messages"]):
        for name in message:
            if name not in MESSAGE:
                refuse(catalog, "not-emulated", path=f"messages.{index}.{name}")
    if isinstance(body.get("container"), dict) and body["container"].get("skills"):
        refuse(catalog, "not-emulated", path="container.skills")


def refuse(catalog: Catalog, id: str, **values: Any) -> NoReturn:
    raise Refused(refusal(catalog, id, **values))
