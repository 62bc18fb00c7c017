from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder of its own, 80 columns, no colour, and no plugin that happens to be installed."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"COLUMNS": "80", "NO_COLOR": "1", "CTXENGINE_DISABLE_PLUGINS": "1"}.items():
        monkeypatch.setenv(name, value)
    for name in ("CTXENGINE_MODE", "CTXENGINE_DEBUG", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
