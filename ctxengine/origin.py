"""Who asked for a value: the layer, request, argument or plugin, and the place in it."""

from __future__ import annotations

from dataclasses import dataclass

from ctxengine.findings import Place
from ctxengine.jsontext import JsonText


@dataclass(frozen=True, slots=True)
class Origin:
    """The source of a value: a file as given, ``request``, ``argument``, ``plugin NAME``, ``history`` or ``engine``."""

    source: str
    path: str = ""
    document: JsonText | None = None

    @property
    def place(self) -> Place:
        """File, line and column; looked up only when asked for, since it parses the file again."""
        return self.document.place(self.path) if self.document else Place(self.path, None)

    def __str__(self) -> str:
        place = self.place
        if place.file is None:
            return f"{self.source} {self.path}".strip()
        return str(place)
