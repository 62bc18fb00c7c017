"""Policies to layers: bytes, two gates, and everything a policy extends, base first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from ctxengine.catalog.catalog import RULE as OVERLAY_RULE
from ctxengine.errors import MalformedInput, PolicyError
from ctxengine.findings import Finding, Place, did_you_mean, shown
from ctxengine.jsontext import JsonText, read_json, read_json_file
from ctxengine.policy.containment import Misplaced, contained
from ctxengine.policy.gate import MOST_FINDINGS, RULE, judge, without_notes
from ctxengine.policy.names import unknown_names
from ctxengine.policy.plain import MAX_DEPTH, plain

MAX_BYTES = 1 << 20
MAX_FILES = 32
PRESET = "ctxengine:"
_PRESETS = files("ctxengine.policy") / "presets"


@dataclass(frozen=True, slots=True)
class Layer:
    """One policy document that passed both gates."""

    name: str
    """The file as given, ``ctxengine:NAME`` for a preset, or what an in-code policy is called."""
    document: JsonText | None = field(repr=False)
    """The file with its text, for line numbers; ``None`` for a policy in code."""
    data: Mapping[str, Any] = field(repr=False)
    """The document as plain JSON, without ``$schema`` and ``$comment``."""
    catalog: JsonText | None = field(default=None, repr=False)
    """The catalog rows of the file the policy names."""

    def place(self, path: str) -> Place:
        return self.document.place(path) if self.document else Place(path)


def presets() -> tuple[str, ...]:
    """Names of the policies that come with the package."""
    return tuple(sorted(item.name.removesuffix(".json") for item in _PRESETS.iterdir() if item.name.endswith(".json")))


def load_layers(*paths: str | Path, known_edits: Collection[str] | None = None) -> tuple[Layer, ...]:
    """Read policy files, or presets such as ``ctxengine:agentic``, each with what it extends, base first.

    A file that is reached twice counts where it is reached first.

    Args:
        known_edits: edit types that exist; those in the policies' own catalog files are added. ``None``: any may.

    Raises:
        PolicyError: one finding per problem, with file, line, column and path.
    """
    loader = _Loader()
    for path in map(str, paths):
        if path.startswith(PRESET):
            loader.add_preset(path, Place())
        else:
            loader.add_entry(path)
    return _with_known_names(loader.layers, known_edits)


def layers_from_mapping(
    data: Mapping[str, Any], name: str = "policy", *, known_edits: Collection[str] | None = None
) -> tuple[Layer, ...]:
    """The same for a policy in code. ``version`` may be left out; files it names are found from the current folder."""
    if not isinstance(data, Mapping):
        _refuse("a policy in code is a mapping", "pass a dict, such as one that json.loads returns", Place(name))
    loader = _Loader(Path.cwd())
    document = JsonText(name, plain({"version": "1", **data}), "")
    loader.add(document, loader.folder / name, (), Place)
    return _with_known_names(loader.layers, known_edits)


def layer_from_mapping(data: Mapping[str, Any], name: str = "policy") -> Layer:
    """A policy in code as the one layer it is.

    Raises:
        PolicyError: it is no policy, or extends others, which one layer cannot bring along.
    """
    if isinstance(data, Mapping) and data.get("extends"):
        _refuse("extends brings further layers along, and this is one", "use layers_from_mapping", Place("extends"))
    return layers_from_mapping(data, name)[0]


class _Loader:
    """Follows ``extends`` from one entry after another."""

    def __init__(self, folder: Path = Path()) -> None:
        self.layers: list[Layer] = []
        self.folder = folder
        self._seen: set[str] = set()
        self._files = 0

    def add_entry(self, name: str) -> None:
        if name in presets() and not Path(name).exists():
            _refuse(f"there is no file {shown(name)}", f"did you mean the preset {PRESET}{name}?", Place(file=name))
        with _policy_errors():
            read_json_file(name, rule=RULE, max_bytes=MAX_BYTES, max_depth=MAX_DEPTH)
        path = Path(name).resolve()
        self.folder, self._files = path.parent, 0
        self.add_file(path, name, (), Place(file=name))

    def add_preset(self, reference: str, where: Place) -> None:
        name = reference.removeprefix(PRESET)
        if name not in presets():
            _refuse(f"there is no preset {shown(name)}", did_you_mean(name[:60], presets(), PRESET), where)
        if reference not in self._seen:
            self._seen.add(reference)
            document = read_json((_PRESETS / f"{name}.json").read_bytes(), reference, rule=RULE)
            self.add(document, Path(reference), (), document.place)

    def add_file(self, path: Path, name: str, chain: tuple[tuple[str, str], ...], where: Place) -> None:
        key = str(path)
        if any(key == earlier for earlier, _ in chain):
            names = " -> ".join([*(shown for _, shown in chain), name])
            _refuse(f"extends runs in a circle: {names}", "take one of these references out", where)
        if key in self._seen:
            return
        self._seen.add(key)
        self._files += 1
        if self._files > MAX_FILES:
            _refuse(f"more than {MAX_FILES} files along extends", "join some of them", where)
        with _policy_errors():
            document = replace(read_json_file(path, rule=RULE, max_bytes=MAX_BYTES, max_depth=MAX_DEPTH), name=name)
        self.add(document, path, (*chain, (key, name)), document.place)

    def add(
        self, document: JsonText, path: Path, chain: tuple[tuple[str, str], ...], place: Callable[[str], Place]
    ) -> None:
        """Judge a document, add what it extends, then itself."""
        wrong = judge(document.value, place)
        if wrong and isinstance(document.value, Mapping) and "messages" in document.value:
            _refuse("this is a request, not a policy", "give a policy here, and the request with --request", place(""))
        if wrong:
            raise PolicyError(*wrong)
        data = without_notes(document.value)
        for index, reference in enumerate(data.get("extends", ())):
            where = f"extends.{index}"
            if reference.startswith(PRESET):
                self.add_preset(reference, place(where))
            else:
                target = self._contained(reference, path, where, place)
                self.add_file(target, str(Path(document.name).parent / reference), chain, place(where))
        overlay = None
        if "catalog" in data:
            file = self._contained(data["catalog"], path, "catalog", place)
            with _policy_errors():
                overlay = read_json_file(file, rule=OVERLAY_RULE)
        self.layers.append(Layer(document.name, document if document.text else None, data, overlay))

    def _contained(self, reference: str, path: Path, where: str, place: Callable[[str], Place]) -> Path:
        try:
            return contained(reference, path.parent, self.folder)
        except Misplaced as why:
            _refuse(why.message, why.remedy, place(where))


def _with_known_names(layers: list[Layer], known_edits: Collection[str] | None) -> tuple[Layer, ...]:
    """The layers, once every edit type and locked path in them is known to exist."""
    if known_edits is not None:
        known_edits = {*known_edits, *(type for layer in layers for type in _own_edits(layer))}
    said = ((layer, *unknown) for layer in layers for unknown in unknown_names(layer.data, known_edits))
    wrong = [
        Finding(RULE, "error", message, remedy, layer.place(path))
        for layer, path, message, remedy in islice(said, MOST_FINDINGS)
    ]
    if wrong:
        raise PolicyError(*wrong)
    return tuple(layers)


def _own_edits(layer: Layer) -> Iterator[str]:
    """Edit types a policy's catalog file adds; whether that file is a catalog is judged where it is laid over."""
    overlay = layer.catalog.value if layer.catalog else None
    rows = overlay.get("edits") if isinstance(overlay, dict) else None
    yield from rows if isinstance(rows, dict) else ()


@contextmanager
def _policy_errors() -> Iterator[None]:
    try:
        yield
    except MalformedInput as error:
        raise PolicyError(*error.findings) from None


def _refuse(message: str, remedy: str, where: Place) -> NoReturn:
    raise PolicyError(Finding(RULE, "error", message, remedy, where))
