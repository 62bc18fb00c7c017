"""What the tests of this room share: a request, and a way to install a plugin without a package manager."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ctxengine.catalog import default_catalog
from ctxengine.extension.host import Contributed, Host
from ctxengine.policy import Situation, layer_from_mapping, resolve
from ctxengine.prefix import scan_request
from ctxengine.request import read_request
from ctxengine.target import target_of

MODEL = "claude-opus-4-6"
TOOLS = [{"name": "read", "input_schema": {}}, {"name": "find", "input_schema": {}, "defer_loading": True}]
MESSAGES = [
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": [{"type": "thinking", "thinking": "…"}, {"type": "text", "text": "Hi"}]},
    {"role": "user", "content": [{"type": "text", "text": ""}]},
]
REQUEST = {"model": MODEL, "system": "Be kind.", "tools": TOOLS, "messages": MESSAGES}

Asks = Callable[..., Contributed]
Installs = Callable[..., None]


@pytest.fixture(autouse=True)
def _switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CTXENGINE_DISABLE_PLUGINS", raising=False)


@pytest.fixture
def ask() -> Asks:
    """What a host's plugins contribute to a small request under a policy."""

    def asked(host: Host, *used: str, **policy: Any) -> Contributed:
        catalog = default_catalog()
        target = target_of(catalog, model=MODEL)
        types = {*catalog.edits, *(item.fact.type for item in host.edits)}
        resolved = resolve([layer_from_mapping({"version": "1", **policy})], Situation(MODEL, "anthropic", None))
        return host.contribute(used, target, scan_request(read_request(REQUEST))[1], resolved, types)

    return asked


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installs:
    """Puts a distribution with one entry point and its module on the path, as an installer would."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def installed(
        name: str, source: str, *, distribution: str, version: str = "1.0", requires: Sequence[str] = ()
    ) -> None:
        module = f"module_of_{distribution.replace('-', '_')}"
        monkeypatch.delitem(sys.modules, module, raising=False)
        info = tmp_path / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        lines = [f"Name: {distribution}", f"Version: {version}", *(f"Requires-Dist: {one}" for one in requires)]
        (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", *lines, ""]))
        if name:
            (info / "entry_points.txt").write_text(f"[ctxengine]\n{name} = {module}\n")
            (tmp_path / f"{module}.py").write_text(source)

    return installed
