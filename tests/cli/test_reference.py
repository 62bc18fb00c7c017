"""The page about the command line is the one the commands make."""

from __future__ import annotations

from pathlib import Path

import click

from ctxengine.cli.group import COMMANDS, cli
from ctxengine.cli.reference import cli_markdown

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def test_page_is_current() -> None:
    """docs/cli.md holds every command's help as it is now."""
    assert PAGE.read_text(encoding="utf-8") == cli_markdown(), "python -m ctxengine.cli.reference > docs/cli.md"


def test_one_line_helps_are_the_commands_own() -> None:
    """What the table says of a command is the first line of its own help."""
    with click.Context(cli) as context:
        commands = {name: cli.get_command(context, name) for name in COMMANDS}
    assert {name: command and (command.help or "").splitlines()[0] for name, command in commands.items()} == COMMANDS
