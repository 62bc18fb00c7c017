"""Options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

policy = click.option("--policy", required=True, metavar="POLICY", help="A policy file or preset.")
layers = click.option(
    "--layer", "layers", multiple=True, metavar="POLICY", help="A policy to lay over it; repeatable, later ones win."
)
request = click.option(
    "--request",
    required=True,
    metavar="REQ.json",
    help="A request, or a recorded conversation, of which the last request is taken; - reads it from stdin.",
)
at = click.option(
    "--at", type=click.IntRange(min=1), metavar="N", help="Take the first N messages of the conversation."
)
model = click.option("--model", metavar="M", help="The model, where not the request's own.")
platform = click.option(
    "--platform", metavar="P", help="The platform, where the model's id does not tell (default: the Claude API)."
)
strict = click.option("--strict", is_flag=True, help="Exit with 1 on warnings too.")


def printed(*forms: str) -> Callable[[F], F]:
    """``--format``, the first of the forms being what it is by default."""
    return click.option(
        "--format", "form", type=click.Choice(forms), default=forms[0], show_default=True, help="How to print it."
    )
