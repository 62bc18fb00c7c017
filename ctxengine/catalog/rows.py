"""Rows of the catalog from plain JSON, checked against the types their dataclass declares."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import MappingProxyType, NoneType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from ctxengine.catalog.facts import ISO_DATE
from ctxengine.findings import did_you_mean, shown

Row = TypeVar("Row")
Reader = Callable[[Any], Any]

LARGEST = 10**12
"""No fact is a larger number, and none is negative."""
_SCALARS: Mapping[Any, tuple[tuple[type, ...], str]] = {
    str: ((str,), "a string"),
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
}


class Misfit(Exception):
    """A value that does not fit its field: ``path`` leads to it from where reading began."""

    def __init__(self, path: str, message: str, help: str = "") -> None:
        super().__init__(message)
        self.path, self.message, self.help = path, message, help

    def below(self, key: object) -> Misfit:
        return Misfit(f"{key}.{self.path}" if self.path else str(key), self.message, self.help)


class Field(NamedTuple):
    hint: Any
    read: Reader
    required: bool
    nullable: bool


@functools.cache
def fields_of(cls: type) -> Mapping[str, Field]:
    """The fields of a row type, in their order; the first is the row's key."""
    hints = get_type_hints(cls, include_extras=True)
    return {
        each.name: Field(
            hints[each.name],
            _reader(hints[each.name]),
            each.default is MISSING and each.default_factory is MISSING,
            NoneType in get_args(hints[each.name]),
        )
        for each in fields(cls)
    }


def key_of(cls: type) -> str:
    """The field that holds the row's key in its table."""
    return next(iter(fields_of(cls)))


def read_fields(cls: type, raw: Any) -> dict[str, Any]:
    """The fields that ``raw`` gives, checked and frozen; raises ``Misfit``."""
    known = fields_of(cls)
    made = {}
    for name, value in _object(raw).items():
        if name not in known:
            raise Misfit(name, f"there is no field {shown(name)}", did_you_mean(name, known))
        try:
            made[name] = known[name].read(value)
        except Misfit as misfit:
            raise misfit.below(name) from None
    return made


def make_row(cls: Callable[..., Row], given: Mapping[str, Any]) -> Row:
    """A whole row; a field that is absent is null where it may be, and a ``Misfit`` where not."""
    known = fields_of(cls)
    missing = [name for name, field in known.items() if name not in given and field.required and not field.nullable]
    if missing:
        raise Misfit("", f"a new row also needs {', '.join(missing)}", "give every field that may not be null")
    nulls = {name: None for name, field in known.items() if field.nullable and field.required}
    return cls(**{**nulls, **given})


_PLAIN = frozenset({str, int, float, bool, NoneType})


def plain(value: Any) -> Any:
    """A row, or any value in it or like it, as JSON in fresh dicts and lists."""
    if value.__class__ in _PLAIN:
        return value
    if isinstance(value, (dict, MappingProxyType, Mapping)):  # the first two spare the abstract class's slow test
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(child) for child in value]
    return {each.name: plain(getattr(value, each.name)) for each in fields(value)} if is_dataclass(value) else value


@functools.cache
def _reader(hint: Any) -> Reader:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return _frozen
    if hint in _SCALARS:
        return functools.partial(_scalar, *_SCALARS[hint], hint is not bool)
    if origin is Annotated:
        return _date if ISO_DATE in arguments else _pattern
    if origin is Literal:
        return functools.partial(_word, arguments)
    if NoneType in arguments:
        return functools.partial(_nullable, _reader(next(each for each in arguments if each is not NoneType)))
    if origin is tuple:
        return functools.partial(_sequence, _reader(arguments[0]))
    if is_dataclass(hint):
        return lambda value: make_row(hint, read_fields(hint, value))  # type: ignore[arg-type]
    return functools.partial(_mapping, _reader(arguments[1]))


def _scalar(types: tuple[type, ...], title: str, no_bool: bool, value: Any) -> Any:
    if not isinstance(value, types) or (no_bool and isinstance(value, bool)):
        raise Misfit("", f"this must be {title}")
    if isinstance(value, (int, float)) and not 0 <= value <= LARGEST:
        raise Misfit("", f"this must be {title} from 0 to {LARGEST:,}")
    return value


def _date(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(ISO_DATE, value):
        raise Misfit("", "this must be a date such as 2026-11-20")
    return value


def _pattern(value: Any) -> str:
    try:
        re.compile(value)
    except (re.error, TypeError, OverflowError, RecursionError):
        raise Misfit("", "this must be a regular expression") from None
    return str(value)


def _word(words: tuple[str, ...], value: Any) -> Any:
    if value not in words:
        raise Misfit("", f"this must be one of {', '.join(words)}")
    return value


def _nullable(read: Reader, value: Any) -> Any:
    return None if value is None else read(value)


def _sequence(read: Reader, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise Misfit("", "this must be a list")
    return tuple(_read_at(read, index, item) for index, item in enumerate(value))


def _mapping(read: Reader, value: Any) -> Mapping[str, Any]:
    return MappingProxyType({key: _read_at(read, key, item) for key, item in _object(value).items()})


def _read_at(read: Reader, key: object, value: Any) -> Any:
    try:
        return read(value)
    except Misfit as misfit:
        raise misfit.below(key) from None


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Misfit("", "this must be an object")
    return value


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _mapping(_frozen, value)
    return tuple(_frozen(child) for child in value) if isinstance(value, list) else value
