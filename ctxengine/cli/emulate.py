"""``ctxengine emulate``: the Messages API on this machine, with a scripted model."""

from __future__ import annotations

import threading
from pathlib import Path

import click

from ctxengine.cli import options
from ctxengine.cli.output import note


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="The port on 127.0.0.1 (default: a free one)."
)
@click.option(
    "--script",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What the model says: a recorded conversation's turns, or rules.",
)
@click.option("--echo", is_flag=True, help="The model says what the user said (the default).")
@click.option("--faults", default="", metavar="SPEC", help="What goes wrong, in order: 429:2,drop,null-compaction …")
@options.platform
@click.option(
    "--model-latency", type=click.IntRange(min=0), default=0, metavar="MS", help="Milliseconds before a message begins."
)
def command(port: int, script: Path | None, echo: bool, faults: str, platform: str | None, model_latency: int) -> None:
    """Serve the Messages API's context management on this machine, with a scripted model.

    It runs until it is stopped. The base URL is printed on stdout, and a line for each request on stderr, with neither
    keys nor bodies; any key will do. Nothing is sent on.
    """
    from ctxengine.emulator import Emulator

    if script and echo:
        raise click.UsageError("--script and --echo cannot both be given")
    emulator = Emulator(script, platform=platform or "anthropic", faults=faults, latency_ms=model_latency, kept=0)
    with emulator.serve(port, log=True) as base_url:
        click.echo(base_url)
        note(f"stop it with Ctrl-C; point the SDK at it with ANTHROPIC_BASE_URL={base_url}")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            note("stopped")
