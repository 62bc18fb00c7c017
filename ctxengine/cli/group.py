"""The table of commands, and what happens when one goes wrong: one readable message and an exit code."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from itertools import pairwise
from typing import Any

import click

from ctxengine.errors import CtxengineError, MalformedInput
from ctxengine.findings import Finding

COMMANDS = {
    "init": "Write a starter policy and, beside it, its schema.",
    "check": "Judge policies: alone, for a model and platform, or with a request.",
    "build": "Print the keyword arguments that a policy makes of a request.",
    "explain": "Show the plan for a request: what is sent, why, and who asked for it.",
    "diff": "Show what another policy would change for a request.",
    "simulate": "Replay recorded conversations under several policies, and compare.",
    "schema": "Print a JSON Schema, for editors and other programs.",
    "catalog": "Show the facts about models, betas, platforms, edits and limits.",
    "rules": "Show every rule that policies and requests are judged by.",
    "emulate": "Serve the Messages API's context management on this machine, with a scripted model.",
    "plugins": "Show the installed plugins and the hooks they implement.",
}
"""Command → its help in one line. The module of the same name holds the rest, and is imported when it is called."""

DEBUG = "CTXENGINE_DEBUG"
ARGS = "ctxengine.args"
FAILED, UNUSABLE, STOPPED = 1, 2, 130


class LazyGroup(click.Group):
    """Commands from the table; the door no exception leaves as a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"ctxengine.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[ARGS] = tuple(args)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            from ctxengine.findings import did_you_mean, shown

            ctx.fail(f"there is no command {shown(args[0])}; {did_you_mean(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CtxengineError as error:
            _say(ctx, error.findings)
            ctx.exit(UNUSABLE if isinstance(error, MalformedInput) else FAILED)
        except click.UsageError as error:
            if not _wants_json(ctx):
                raise
            _say(ctx, [Finding("usage", "error", error.format_message(), "see --help")])
            ctx.exit(UNUSABLE)
        except (KeyboardInterrupt, click.Abort):
            click.echo("stopped", err=True)
            ctx.exit(STOPPED)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except OSError as error:
            if os.environ.get(DEBUG) or error.errno == errno.EPIPE:
                raise
            message = f"the system refused to read or write: {error.strerror or type(error).__name__}"
            _say(ctx, [Finding("usage", "error", message, "check the path, its permissions, and the space left")])
            _let_go_of_stdout()
            ctx.exit(UNUSABLE)
        except Exception as error:
            if os.environ.get(DEBUG):
                raise
            remedy = f"please report it; set {DEBUG}=1 to see the traceback"
            _say(ctx, [Finding("internal", "error", f"ctxengine itself failed: {type(error).__name__}", remedy)])
            ctx.exit(UNUSABLE)


def _wants_json(ctx: click.Context) -> bool:
    args = ctx.meta.get(ARGS, ())
    return "--format=json" in args or ("--format", "json") in pairwise(args)


def _say(ctx: click.Context, findings: Iterable[Finding]) -> None:
    """Findings where whoever called looks for them: in the JSON on stdout, or as text on stderr, also where JSON has
    begun already."""
    from ctxengine.cli.output import BEGUN, print_findings, write_json

    found = list(findings)
    if _wants_json(ctx) and not ctx.meta.get(BEGUN):
        with suppress(OSError):
            write_json({"findings": [finding.to_dict() for finding in found]})
            return
    print_findings(found, stderr=True)


def _let_go_of_stdout() -> None:
    """What a stdout that cannot be written still holds goes nowhere: else the process ends with words of Python's."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="ctxengine")
def cli() -> None:
    """Policy for a model's context: check it, explain it, and build requests with it.

    A POLICY is a JSON file, or a preset such as ctxengine:agentic. A REQUEST is a JSON file with the keyword arguments
    of beta.messages.create, or a recorded conversation (Messages, Claude Code, OpenAI chat, pi). Exit codes: 1 where
    something is wrong with either, 2 where it cannot be read or the command line is mistaken, 130 after Ctrl-C, else 0.
    """
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:  # a terminal without UTF-8 shows "?" instead of ending in an error
            reconfigure(errors="replace")
