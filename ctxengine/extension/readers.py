"""A plugin's reader of transcripts, guarded: what it does wrong is said of the file at hand, and other files go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from ctxengine.errors import CtxengineError, TranscriptError
from ctxengine.extension.loading import PluginInfo, Unusable, failed
from ctxengine.findings import Place
from ctxengine.transcripts import READERS, Draft, Notes, Reader, Row, draft_flaw


def read_reader(answer: Any, taken: set[str], info: PluginInfo) -> Reader:
    """The reader, of a format that nobody else reads, and guarded."""
    if not isinstance(answer, Reader) or not callable(answer.sniff) or not callable(answer.read):
        raise Unusable(f"returned a {type(answer).__name__} where a Reader with sniff and read is expected")
    if not isinstance(answer.name, str) or not answer.name:
        raise Unusable("returned a reader without the name of a format")
    if answer.name in taken or any(answer.name == reader.name for reader in READERS):
        raise Unusable(f"returned a reader of the format {answer.name}, which has one already")
    taken.add(answer.name)
    return Reader(answer.name, _guarded_sniff(answer), _guarded_read(answer, info))


def _guarded_sniff(reader: Reader) -> Callable[[Any], bool]:
    def sniff(value: Any) -> bool:
        try:
            return bool(reader.sniff(value))
        except Exception:  # it does not know a value that it cannot even look at
            return False

    return sniff


def _guarded_read(reader: Reader, info: PluginInfo) -> Callable[[Iterable[Row], Notes], Iterable[Draft]]:
    def refused(error: Exception) -> TranscriptError:
        return TranscriptError(failed(info, f"its reader of the format {reader.name}", error, strict=True))

    def read(rows: Iterable[Row], notes: Notes) -> Iterator[Draft]:
        try:
            for draft in reader.read(rows, notes):
                flaw = draft_flaw(draft)
                if flaw:
                    raise Unusable(f"yielded {flaw}")
                yield replace(draft, place=_guarded_place(draft.place, refused)) if draft.place else draft
        except CtxengineError:
            raise
        except Exception as error:
            raise refused(error) from None

    return read


def _guarded_place(
    place: Callable[[int], Place], refused: Callable[[Exception], TranscriptError]
) -> Callable[[int], Place]:
    def guarded(index: int) -> Place:
        try:
            found = place(index)
            if not isinstance(found, Place):
                raise Unusable("said where a message stands with something else than a Place")
        except Exception as error:
            raise refused(error) from None
        return found

    return guarded
