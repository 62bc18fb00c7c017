"""``ctxengine schema``: the JSON Schemas, as the committed files hold them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from ctxengine.catalog.schema import catalog_schema
from ctxengine.cli import options
from ctxengine.cli.output import write_json
from ctxengine.policy import policy_schema
from ctxengine.policy.reference import policy_markdown
from ctxengine.transcripts import transcript_schema

SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "policy": policy_schema,
    "catalog": catalog_schema,
    "transcript": transcript_schema,
}


@click.command()
@click.argument("name", type=click.Choice(list(SCHEMAS)), default="policy", metavar="[policy|catalog|transcript]")
@options.printed("json", "markdown")
def command(name: str, form: str) -> None:
    """Print a JSON Schema, for editors and other programs.

    Of a policy (the default), of a catalog overlay, or of a recorded conversation in ctxengine's own format. Markdown
    is the page of the docs that explains every key of a policy.
    """
    if form == "json":
        write_json(SCHEMAS[name]())
    elif name == "policy":
        click.echo(policy_markdown(), nl=False)
    else:
        raise click.UsageError(f"there is no page for {name}; use --format json")
