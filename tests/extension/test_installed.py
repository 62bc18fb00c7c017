"""Installed plugins: found by their entry point, asked where a policy names them, told apart by distribution."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ctxengine.cli.group import cli
from ctxengine.extension.host import Host

ROOT = Path(__file__).resolve().parents[2]
CLEAR = "clear_tool_uses_20250919"
KEEPER = f"""
from ctxengine.extension import hookimpl

@hookimpl
def ctxengine_contribute_edits():
    return [{{"type": "{CLEAR}", "exclude_tools": ["memory"]}}]
"""


def names(host: Host) -> set[str]:
    return {info.name for info in host.plugins if info.hooks}


def test_asked_only_where_the_policy_names_it(install: Any, ask: Any) -> None:
    """An installed plugin contributes to a policy that uses it, and to no other."""
    install("keeper", KEEPER, distribution="keeper-plugin", version="1.2")
    host = Host()
    (info,) = (info for info in host.plugins if info.name == "keeper")
    assert (info.distribution, info.version, info.source) == ("keeper-plugin", "1.2", "entry point")
    assert info.hooks == ("ctxengine_contribute_edits",)
    assert ask(host).edits == ()
    assert [name for name, _ in ask(host, "keeper").edits] == ["keeper"]


def test_entry_points_can_be_left_out(install: Any) -> None:
    """A host of objects alone does not look for what is installed."""
    install("keeper", KEEPER, distribution="keeper-plugin")
    assert Host(entry_points=False).plugins == ()


def test_the_switch_leaves_installed_plugins_unloaded(install: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Switched off, a plugin's module is not even imported."""
    install("keeper", "raise RuntimeError", distribution="off-plugin")
    monkeypatch.setenv("CTXENGINE_DISABLE_PLUGINS", "1")
    host = Host()
    assert (host.plugins, host.findings) == ((), ())


def test_a_plugin_that_cannot_be_imported(install: Any, ask: Any) -> None:
    """It is named with its distribution, without the exception's text, and is known but not asked."""
    install("broken", "raise RuntimeError('sekret')", distribution="broken-plugin", version="3.1")
    install("keeper", KEEPER, distribution="keeper-plugin")
    host = Host()
    (finding,) = host.findings
    assert finding.message == "plugin broken (broken-plugin 3.1): loading it raised RuntimeError"
    asked = ask(host, "broken", "keeper")
    assert [name for name, _ in asked.edits] == ["keeper"] and asked.findings == ()


def test_a_plugin_made_for_another_version(install: Any) -> None:
    """A distribution that asks for another ctxengine is refused, and both versions are told."""
    install("", "", distribution="ctxengine", version="0.1.0")
    install("old", KEEPER, distribution="old-plugin", requires=["pydantic", "ctxengine>=9,<10"])
    install("new", KEEPER, distribution="new-plugin", requires=["ctxengine>=0.1"])
    host = Host()
    assert "new" in names(host) and "old" not in names(host)
    message = "loading it is refused: it is made for ctxengine <10,>=9, and this is 0.1.0"
    assert [finding.message for finding in host.findings] == [f"plugin old (old-plugin 1.0): {message}"]


def test_two_plugins_of_one_name(install: Any, ask: Any) -> None:
    """The first distribution in name order counts, and the finding names both."""
    install("same", KEEPER, distribution="b-plugin")
    install("same", KEEPER, distribution="a-plugin")
    host = Host()
    (finding,) = host.findings
    assert finding.message.startswith("plugin same (b-plugin 1.0)") and "plugin same (a-plugin 1.0)" in finding.message
    assert len(ask(host, "same").edits) == 1


def test_an_object_comes_before_its_own_entry_point(install: Any, ask: Any) -> None:
    """An installed plugin handed over as a module is one plugin, and contributes without being named."""
    install("keeper", KEEPER + 'name = "keeper"\n', distribution="twice-plugin")
    import module_of_twice_plugin

    host = Host([module_of_twice_plugin])
    assert host.findings == () and len(ask(host).edits) == 1


READER = """
from ctxengine.extension import hookimpl
from ctxengine.transcripts import Draft, Reader

@hookimpl
def ctxengine_transcript_readers():
    def read(rows, notes):
        for row in rows:
            yield Draft({"messages": [{"role": "user", "content": row.value["said"]}]})

    return [Reader("said", lambda value: "said" in value, read)]
"""


@pytest.mark.parametrize(
    "command",
    ["build --policy ctxengine:agentic", "check ctxengine:agentic", "explain --policy ctxengine:agentic",
     "diff --policy ctxengine:minimal --policy ctxengine:agentic"],
)  # fmt: skip
def test_commands_take_a_request_in_the_format_of_a_plugin(install: Any, command: str, tmp_path: Path) -> None:
    """What an installed plugin reads can be the request of a command, and is unknown without the plugin."""
    file = tmp_path / "chat.json"
    file.write_text(json.dumps({"said": "Hi"}))
    arguments = [*command.split(), "--request", str(file), "--model", "claude-opus-4-6"]
    refused = CliRunner().invoke(cli, arguments)
    assert refused.exit_code == 2 and "chat.json" in refused.output
    install("reader", READER, distribution="reader-plugin")
    assert CliRunner().invoke(cli, arguments).exit_code == 0


FOUND = """
import json
from ctxengine.extension.host import Host
host = Host()
print(json.dumps([[info.name, info.distribution, list(info.hooks)] for info in host.plugins]))
print(json.dumps([str(finding) for finding in host.findings]))
"""


@pytest.mark.parametrize(
    ("folder", "name", "hooks"),
    [
        ("examples/plugin", "example", 5),
        ("plugins/ctxengine-memory-guard", "memory-guard", 2),
        ("plugins/ctxengine-side-effects", "side-effects", 2),
    ],
)
def test_an_installed_distribution_is_seen(folder: str, name: str, hooks: int, tmp_path: Path) -> None:
    """Each plugin of this repository, built as a wheel and unpacked beside others, is found by its entry point."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    made = subprocess.run(build, cwd=ROOT / folder, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    path = os.pathsep.join([str(tmp_path / "site"), str(ROOT)])
    seen = subprocess.run(
        [sys.executable, "-c", FOUND], env={"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    plugins, findings = map(json.loads, seen.stdout.splitlines())
    assert findings == []
    assert [len(found) for plugin, _, found in plugins if plugin == name] == [hooks]
