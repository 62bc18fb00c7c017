"""``ctxengine init``: a policy to begin with."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ctxengine.cli.output import plural, unwritable
from ctxengine.errors import MalformedInput
from ctxengine.findings import Finding, Place
from ctxengine.policy import policy_schema

STARTER = Path(__file__).with_name("starter.json")
POLICY, SCHEMA = "policy.json", "policy.v1.schema.json"


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Write a starter policy and, beside it, its schema.

    Any editor that knows JSON Schema then completes and explains the policy, offline. Files that exist are left alone.
    """
    files = {
        folder / POLICY: STARTER.read_text(encoding="utf-8"),
        folder / SCHEMA: json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n",
    }
    for path in filter(Path.exists, files):
        message, remedy = "there is such a file already, and it is not overwritten", "move it, or name another folder"
        raise MalformedInput(Finding("usage", "error", message, remedy, Place(file=str(path))))
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise unwritable(path, error) from None
    click.echo(f"{plural(len(files), 'file')} written: {', '.join(map(str, files))}")
    click.echo(f"Next: ctxengine check {folder / POLICY} --model all --platform all")
