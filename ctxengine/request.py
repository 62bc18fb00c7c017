"""The caller's ``messages.create`` keyword arguments, read once; the caller's objects are never changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from ctxengine.errors import RequestError
from ctxengine.findings import Finding, Place

BETA_HEADER = "anthropic-beta"
_ABSENT_TYPES = frozenset({"Omit", "NotGiven"})


@dataclass(frozen=True, slots=True)
class Request:
    """Keyword arguments of one request, with lists where the caller gave generators."""

    kwargs: Mapping[str, Any]
    """As given; ``Omit`` and ``NotGiven`` values included."""
    model: str
    system: Any
    tools: Sequence[Any]
    messages: Sequence[Any]
    betas: tuple[str, ...]
    """From ``betas`` and the ``anthropic-beta`` header, split, stripped, each once."""
    header_keys: tuple[str, ...]
    """Keys in ``extra_headers`` that spell ``anthropic-beta``."""
    edits: tuple[Any, ...]
    """The request's own ``context_management.edits``, unchecked."""

    def get(self, name: str) -> Any:
        """An argument, ``None`` where it is absent, ``Omit`` or ``NotGiven``."""
        value = self.kwargs.get(name)
        return None if value is None or type(value).__name__ in _ABSENT_TYPES else value

    def gives(self, name: str) -> bool:
        """Whether an argument is given, if only as ``None``."""
        return name in self.kwargs and type(self.kwargs[name]).__name__ not in _ABSENT_TYPES

    def with_messages(self, messages: Sequence[Any]) -> Request:
        return replace(self, messages=messages)

    @property
    def context_management(self) -> Mapping[str, Any]:
        value = self.get("context_management")
        return value if isinstance(value, Mapping) else {}


def read_request(kwargs: Mapping[str, Any]) -> Request:
    """Read the arguments; generators are turned into lists.

    Raises:
        RequestError: ``model`` is no string, ``system`` neither string nor list, or ``messages``, ``tools`` or
            ``context_management.edits`` no list.
    """
    request = Request(kwargs, "", None, (), (), (), (), ())
    model = request.get("model")
    if not isinstance(model, str) or not model:
        _refuse("model", "the request names no model", "pass model= with a model id")
    headers = request.get("extra_headers")
    keys = (
        tuple(key for key in headers or () if str(key).lower() == BETA_HEADER) if isinstance(headers, Mapping) else ()
    )
    return Request(
        kwargs,
        model,
        _system(request.get("system")),
        _listed(request.get("tools"), "tools"),
        _listed(request.get("messages"), "messages"),
        _betas(request.get("betas"), [headers[key] for key in keys] if keys else ()),
        keys,
        tuple(_listed(request.context_management.get("edits"), "context_management.edits")),
    )


def _system(system: Any) -> Any:
    return system if system is None or isinstance(system, str) else _listed(system, "system")


def _listed(value: Any, path: str) -> Sequence[Any]:
    if value is None:
        return ()
    if isinstance(value, (list, tuple)):
        return value
    if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__iter__"):
        _refuse(path, f"{path} is no list", f"pass {path} as a list")
    return list(value)


def with_content_lists(messages: Sequence[Any]) -> Sequence[Any]:
    """The same messages, with lists where a message's content is a generator."""
    return [_with_content_list(message) for message in messages]


def _with_content_list(message: Any) -> Any:
    known = isinstance(message, Mapping)
    content = message.get("content") if known else getattr(message, "content", None)
    if not isinstance(content, Iterator):
        return message
    head = message if known else {"role": getattr(message, "role", None)}
    return {**head, "content": list(content)}


def split_betas(values: Iterable[Any]) -> tuple[str, ...]:
    """Beta names from lists and header values: split on commas, stripped, each once."""
    names = (name.strip() for value in values if isinstance(value, str) for name in value.split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def _betas(betas: Any, headers: Sequence[Any]) -> tuple[str, ...]:
    if betas is None and not headers:
        return ()
    return split_betas([betas, *headers] if isinstance(betas, str) else [*_listed(betas, "betas"), *headers])


def _refuse(path: str, message: str, remedy: str) -> NoReturn:
    raise RequestError(Finding("request-shape", "error", message, remedy, Place(path)))
