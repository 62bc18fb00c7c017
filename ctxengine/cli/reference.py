"""``docs/cli.md``: the help of every command, as the commands give it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from ctxengine.cli.group import COMMANDS, cli

HEAD = """# Command line

`ctxengine COMMAND --help` says the same. Exit codes: **1** where something is wrong with a policy or request (with
`--strict`, a warning is enough; `build` also where the API would refuse the request), **2** where an input cannot be
read or the command line is mistaken, 128 and the signal's number where one ended it (**130** after Ctrl-C), else **0**.
Results go to stdout, errors and notes to stderr; with `--format json` errors too are JSON on stdout,
`{"findings": [...]}`.

| Variable | Does |
|---|---|
| `CTXENGINE_MODE` | `enforce`, `shadow` or `off`, whatever the policies say |
| `CTXENGINE_DISABLE_PLUGINS` | `1` leaves out all plugins |
| `CTXENGINE_DEBUG` | `1` shows the traceback where ctxengine itself fails |
| `NO_COLOR` | any value: no colour |
"""
WIDTH = 80


def cli_markdown() -> str:
    """The page: the group's help, then that of each command."""
    return "\n".join(_sections()) + "\n"


def _sections() -> Iterator[str]:
    yield HEAD
    with click.Context(cli, info_name="ctxengine", terminal_width=WIDTH, **cli.context_settings) as parent:
        yield _block(cli.get_help(parent))
        for name in COMMANDS:
            command = cli.get_command(parent, name)
            assert command is not None
            with click.Context(command, info_name=name, parent=parent, terminal_width=WIDTH) as context:
                yield f"\n## {name}\n\n{_block(command.get_help(context))}"


def _block(text: str) -> str:
    return f"```text\n{text}\n```"


if __name__ == "__main__":
    click.echo(cli_markdown(), nl=False)
