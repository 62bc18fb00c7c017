"""A call as ``messages.create`` arguments. What is not understood is refused, in the API's words where known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from ctxengine.catalog import Catalog
from ctxengine.catalog.facts import SUMMARIZE
from ctxengine.emulator.models import MODES
from ctxengine.emulator.wire import Call, Refused
from ctxengine.errors import MalformedInput
from ctxengine.jsontext import read_json
from ctxengine.request import BETA_HEADER, split_betas
from ctxengine.semantics import refusal

VERSION_HEADER = "anthropic-version"
OF_THE_SDK = frozenset({"betas", "extra_body", "extra_headers", "extra_query", "timeout"})
"""Arguments of the SDK's methods that are no fields of the body."""
SAMPLING = frozenset({"temperature", "top_p", "top_k"})
"""Fields that older versions of the API took, and the SDK no longer offers."""
SHARES = ("temperature", "top_p")
NOT_EMULATED = ("container", "diagnostics", "fallback_credit_token", "fallbacks", "mcp_servers")
TEXT, LIST, OBJECT = (str, "a valid string"), (list, "a valid list"), (dict, "a valid dictionary")
TYPES: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "cache_control": OBJECT, "compaction": OBJECT, "context_management": OBJECT, "max_tokens": (int, "a valid integer"),
    "messages": LIST, "metadata": OBJECT, "model": TEXT, "output_config": OBJECT, "stop_sequences": LIST,
    "stream": (bool, "a valid boolean"), "system": ((str, list), "a valid string or list"), "thinking": OBJECT,
    "tool_choice": OBJECT, "tools": LIST,
}  # fmt: skip
INSIDE = {"context_management": {"edits"}, "compaction": {"type", "instructions"}}
"""The fields of arguments that are checked for others."""
ADAPTIVE = "adaptive"
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
        refuse(catalog, "shape-type", path="body", said=OBJECT[1])
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
    betas = body.pop("anthropic_beta", None) or []
    if not isinstance(betas, list):
        refuse(catalog, "shape-type", path="anthropic_beta", said=LIST[1])
    version = body.pop("anthropic_version", None)
    for name in ("model", "stream"):
        if name in body:
            refuse(catalog, "shape-extra", path=name)
    streamed = {"stream": True} if stream else {}
    kwargs = _arguments({"model": model, **body, **streamed}, {VERSION_HEADER: version}, catalog, "create")
    return Asked({**kwargs, "betas": betas}, split_betas(betas), stream)


def _arguments(body: Mapping[str, Any], headers: dict[str, Any], catalog: Catalog, surface: str) -> dict[str, Any]:
    _check_version(headers, catalog)
    _check_fields(body, catalog, surface)
    for index, message in enumerate(body["messages"]):
        _check_message(message, f"messages.{index}", catalog)
    for index, tool in enumerate(body.get("tools") or ()):
        _check_tool(tool, f"tools.{index}", catalog)
    for index, sequence in enumerate(body.get("stop_sequences") or ()):
        if not isinstance(sequence, str):
            refuse(catalog, "shape-type", path=f"stop_sequences.{index}", said=TEXT[1])
    _check_thinking(body, catalog)
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
    known = catalog.surfaces[surface] - OF_THE_SDK | SAMPLING | {"stream"}
    for name, value in body.items():
        if name not in known:
            refuse(catalog, "shape-extra", path=name)
        kind, said = TYPES.get(name, (object, ""))
        if value is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is int)):
            refuse(catalog, "shape-type", path=name, said=said)
    for name, fields in INSIDE.items():
        for key in set(body.get(name) or ()) - fields:
            refuse(catalog, "shape-extra", path=f"{name}.{key}")
    if (body.get("max_tokens") or 0) < 0:
        refuse(catalog, "shape-type", path="max_tokens", said="greater than or equal to 0")
    if (body.get("compaction") or {}).get("type", SUMMARIZE) != SUMMARIZE:
        refuse(catalog, "shape-type", path="compaction.type", said=f"'{SUMMARIZE}'")
    for name in SHARES:
        value = body.get(name)
        if isinstance(value, (int, float)) and not 0 <= value <= 1:
            refuse(catalog, "shape-range", path=name)
    for name in NOT_EMULATED:
        if body.get(name):
            refuse(catalog, "not-emulated", path=name)
    if body.get("thread"):
        refuse(catalog, "thread-unsupported", path="thread")


def _check_thinking(body: Mapping[str, Any], catalog: Catalog) -> None:
    """The mode must be one of the API's; of the models, only those that always adapt are known to take no other."""
    thinking = body.get("thinking")
    if thinking is None:
        return
    if "type" not in thinking:
        refuse(catalog, "shape-missing", path="thinking.type")
    if thinking["type"] not in MODES:
        refuse(catalog, "shape-tag", path="thinking", kind="…")
    facts = catalog.find_model(body["model"]).facts
    if facts and facts.thinking_modes == (ADAPTIVE,) and thinking["type"] != ADAPTIVE:
        refuse(catalog, "thinking-mode", path="thinking.type", kind=thinking["type"])


def _check_message(message: Any, path: str, catalog: Catalog) -> None:
    if not isinstance(message, dict):
        refuse(catalog, "shape-type", path=path, said=OBJECT[1])
    for name in ("role", "content"):
        if name not in message:
            refuse(catalog, "shape-missing", path=f"{path}.{name}")
    for name in message:
        if name not in ("role", "content"):
            refuse(catalog, "not-emulated", path=f"{path}.{name}")
    content = message["content"]
    for at, block in enumerate(content if isinstance(content, Sequence) and not isinstance(content, str) else ()):
        kind = block.get("type") if isinstance(block, dict) else None
        if isinstance(kind, str) and kind not in catalog.vocabulary["content_blocks"]:
            refuse(catalog, "shape-tag", path=f"{path}.content.{at}", kind="…")


def _check_tool(tool: Any, path: str, catalog: Catalog) -> None:
    """A tool of the user's own has a name and the schema of an object; those of the API's are known by their type."""
    if not isinstance(tool, dict):
        refuse(catalog, "shape-type", path=path, said=OBJECT[1])
    if tool.get("type", "custom") != "custom":
        return
    schema = tool.get("input_schema")
    for name in ("name", "input_schema"):
        if name not in tool:
            refuse(catalog, "shape-missing", path=f"{path}.custom.{name}")
    if not isinstance(schema, dict):
        refuse(catalog, "shape-type", path=f"{path}.custom.input_schema", said=OBJECT[1])
    if "type" not in schema:
        refuse(catalog, "shape-missing", path=f"{path}.custom.input_schema.type")
    if schema["type"] != "object":
        refuse(catalog, "shape-type", path=f"{path}.custom.input_schema.type", said="'object'")


def refuse(catalog: Catalog, id: str, **values: Any) -> NoReturn:
    raise Refused(refusal(catalog, id, **values))
