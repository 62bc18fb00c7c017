"""``ctxengine plugins``: what is installed and whether it loads."""

from __future__ import annotations

from dataclasses import asdict

import click

from ctxengine.cli import options
from ctxengine.cli.output import note, print_all, print_findings, table, write_json
from ctxengine.extension.host import Host
from ctxengine.extension.loading import SWITCH, disabled


@click.command()
@options.printed("text", "json")
def command(form: str) -> None:
    """Show the installed plugins and the hooks they implement.

    A plugin contributes to a policy that names it under plugins.use; its rules always run.
    """
    host = Host()
    if form == "json":
        findings = [finding.to_dict() for finding in host.findings]
        write_json({"plugins": [asdict(info) for info in host.plugins], "findings": findings, "disabled": disabled()})
        return
    if disabled():
        note(f"{SWITCH} is set: no plugin is loaded")
    elif not host.plugins:
        note("no plugin is installed")
    else:
        made = table("plugin", "distribution", "hooks")
        for info in host.plugins:
            hooks = "\n".join(hook.removeprefix("ctxengine_") for hook in info.hooks) or "could not be loaded"
            made.add_row(info.name, f"{info.distribution} {info.version}", hooks)
        print_all([made])
    print_findings(host.findings, stderr=True)
