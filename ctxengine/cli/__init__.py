"""The command line: one module per command, loaded when it is called."""

from __future__ import annotations


def main() -> None:
    """Entry point of ``ctxengine``."""
    from ctxengine.cli.group import cli

    cli(prog_name="ctxengine")
