"""Commands that write files: whole, or not at all, and never over what is there."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from ctxengine.cli.group import cli

SCHEMAS = Path(__file__).parents[2] / "schemas"


def _run(*args: str) -> int:
    return CliRunner().invoke(cli, args).exit_code


def test_init_writes_a_policy_that_passes(tmp_path: Path) -> None:
    """The starter is sound for every model and platform, and its schema is the published one."""
    assert _run("init", "here") == 0
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == ["policy.json", "policy.v1.schema.json"]
    starter = json.loads((tmp_path / "here" / "policy.json").read_text(encoding="utf-8"))
    schema = (tmp_path / "here" / starter["$schema"]).read_text(encoding="utf-8")
    assert json.loads(schema) == json.loads((SCHEMAS / "policy.v1.schema.json").read_text(encoding="utf-8"))
    assert _run("check", "here/policy.json") == 0
    assert _run("check", "here/policy.json", "--model", "all", "--platform", "all", "--as-of", "2026-11-20") == 0


def test_init_leaves_files_alone(tmp_path: Path) -> None:
    """Where one of the two files exists, none is written."""
    (tmp_path / "policy.v1.schema.json").write_text("mine", encoding="utf-8")
    assert _run("init") == 2
    assert [path.name for path in tmp_path.iterdir()] == ["policy.v1.schema.json"]
    assert (tmp_path / "policy.v1.schema.json").read_text(encoding="utf-8") == "mine"


def test_build_writes_what_it_would_print(tmp_path: Path) -> None:
    """``--out`` holds the same JSON as stdout, and leaves nothing else behind."""
    request = {"model": "claude-opus-4-6", "max_tokens": 9, "messages": [{"role": "user", "content": "Grüße"}]}
    (tmp_path / "r.json").write_text(json.dumps(request), encoding="utf-8")
    args = ("build", "--policy", "ctxengine:minimal", "--request", "r.json")
    printed = CliRunner().invoke(cli, args).stdout
    assert _run(*args, "--out", "out.json") == 0
    assert (tmp_path / "out.json").read_text(encoding="utf-8") == printed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.json", "r.json"]


def test_a_refused_build_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """An earlier result stays where the new one would be refused."""
    (tmp_path / "r.json").write_text('{"model": "claude-opus-4-6", "max_tokens": 9, "messages": []}', encoding="utf-8")
    (tmp_path / "out.json").write_text("before", encoding="utf-8")
    assert _run("build", "--policy", "ctxengine:minimal", "--request", "r.json", "--out", "out.json") == 1
    assert (tmp_path / "out.json").read_text(encoding="utf-8") == "before"


def test_a_linked_result_stays_a_link(tmp_path: Path) -> None:
    """``simulate --out`` writes what a link points to."""
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    (tmp_path / "c.json").write_text(json.dumps({"model": "claude-opus-4-6", "messages": messages}), encoding="utf-8")
    (tmp_path / "real").mkdir()
    (tmp_path / "out.jsonl").symlink_to(tmp_path / "real" / "rows.jsonl")
    assert _run("simulate", "c.json", "--policy", "ctxengine:agentic", "--out", "out.jsonl") == 0
    assert (tmp_path / "out.jsonl").is_symlink()
    assert len((tmp_path / "real" / "rows.jsonl").read_text(encoding="utf-8").splitlines()) == 2
