"""``ctxengine build``: a request in, keyword arguments out."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from ctxengine.cli import options
from ctxengine.cli.asked import read_asked, with_model
from ctxengine.cli.output import note, unwritable, write_json
from ctxengine.engine import Engine


@click.command()
@options.policy
@options.layers
@options.request
@options.model
@options.platform
@options.at
@click.option(
    "--surface", default="create", metavar="S", help="create (the default), stream, count_tokens or tool_runner."
)
@click.option("--out", metavar="F", help="Write to this file, whole or not at all, instead of stdout.")
def command(
    policy: str, layers: tuple[str, ...], request: str, model: str | None, platform: str | None,
    at: int | None, surface: str, out: str | None,
) -> None:  # fmt: skip
    """Print the keyword arguments that a policy makes of a request.

    They are what client.beta.messages.create takes, as JSON. A request that the API would refuse is not built: what is
    wrong with it is said on stderr.
    """
    engine = Engine.load(policy, *layers)
    asked = with_model(read_asked(request, model=model, at=at))
    for finding in asked.findings:
        note(finding.message)
    with asked.named():
        built = engine.build(surface=surface, platform=platform, **asked.kwargs)
    if out is None:
        write_json(built)
    else:
        _write(Path(out), built)


def _write(path: Path, built: dict[str, Any]) -> None:
    """Through a file beside it, so that nobody ever sees half of it."""
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with half.open("x", encoding="utf-8") as file:
            json.dump(built, file, indent=2, ensure_ascii=False)
            file.write("\n")
        half.replace(path)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise unwritable(path, error) from None
