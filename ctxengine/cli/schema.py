"""``ctxengine schema``: the JSON Schemas, as the committed files hold them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from ctxengine.catalog.schema import catalog_schema
from ctxengine.cli.output import write_json
from ctxengine.policy import policy_schema
from ctxengine.transcripts import transcript_schema

SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "policy": policy_schema,
    "catalog": catalog_schema,
    "transcript": transcript_schema,
}


@click.command()
@click.argument("name", type=click.Choice(list(SCHEMAS)), default="policy", metavar="[policy|catalog|transcript]")
@click.option("--format", type=click.Choice(["json"]), expose_value=False, help="A schema is JSON in any case.")
def command(name: str) -> None:
    """Print a JSON Schema, for editors and other programs.

    Of a policy (the default), of a catalog overlay, or of a recorded conversation in ctxengine's own format.
    """
    write_json(SCHEMAS[name]())
