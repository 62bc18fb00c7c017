"""``ctxengine build``: a request in, keyword arguments out."""

from __future__ import annotations

import json

import click

from ctxengine.cli import options
from ctxengine.cli.asked import read_asked, with_model
from ctxengine.cli.files import ended_like_interrupted, whole_file, written
from ctxengine.cli.output import note, summary, write_json
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
    path = written({"--out": out}, [policy, *layers, request]).get("--out")
    engine = Engine.load(policy, *layers)
    asked = with_model(read_asked(request, model=model, at=at))
    for finding in asked.findings:
        note(finding.message)
    with asked.named():
        built = engine.build(surface=surface, platform=platform, **asked.kwargs)
        report = engine.plan(surface=surface, platform=platform, **asked.kwargs).report
    if report.warnings:
        note(f"{summary(report.warnings)}; ctxengine explain shows what is warned of")
    if path is None:
        write_json(built)
        return
    with ended_like_interrupted(), whole_file(path) as file:
        json.dump(built, file, indent=2, ensure_ascii=False)
        file.write("\n")
