"""`tariffs law`: measures and switches of the law."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from tariffs.client.cli import options
from tariffs.client.cli.law_changes import EXAMPLES, changes
from tariffs.client.cli.law_lint import EXAMPLES as LINT_EXAMPLES
from tariffs.client.cli.law_lint import lint
from tariffs.client.cli.law_pack import (
    BUILD_EXAMPLES,
    DIFF_EXAMPLES,
    TEST_EXAMPLES,
    VERSION_EXAMPLES,
    WATCH_EXAMPLES,
    build,
    check,
    diff,
    versions,
    watch,
)
from tariffs.client.cli.law_port_fees import EXAMPLES as PORT_FEE_EXAMPLES
from tariffs.client.cli.law_port_fees import port_fees
from tariffs.client.cli.law_validate import validate
from tariffs.client.cli.render.law import print_measure, print_measures, print_switches

app = typer.Typer(
    help="Show the law: its measures, open points (switches) and changes.", no_args_is_help=True
)
app.command("changes", epilog=EXAMPLES)(changes)
app.command("port-fees", epilog=PORT_FEE_EXAMPLES)(port_fees)
app.command("build", epilog=BUILD_EXAMPLES)(build)
app.command("test", epilog=TEST_EXAMPLES)(check)
app.command("diff", epilog=DIFF_EXAMPLES)(diff)
app.command("versions", epilog=VERSION_EXAMPLES)(versions)
app.command("watch", epilog=WATCH_EXAMPLES)(watch)
app.command("lint", epilog=LINT_EXAMPLES)(lint)
app.command("validate", epilog=options.examples("tariffs law validate --on 2026-11-20"))(validate)


@app.command("measures", epilog=options.examples("tariffs law measures --authority ieepa"))
def measures(
    authority: Annotated[
        str,
        typer.Option(
            "--authority",
            metavar="NODE",
            help="List this node of the authority tree and below, such as s232.metals.",
        ),
    ] = "",
    law_version: options.LawVersion = "",
    target: options.Target = None,
    local: options.Local = False,
    as_json: options.Json = False,
) -> int:
    """List all measures. A measure that is known but not computed is listed as `not modelled yet`."""
    with options.connected(target, local, law_version) as client:
        listed = client.measures(authority)
    if as_json:
        names = (
            "id", "title", "authority", "direction", "destination", "modelled", "announced", "confidence", "citations",
        )  # fmt: skip
        rows = [{name: getattr(one, name) for name in names} | {"standing": one.standing} for one in listed]
        print(json.dumps({"measures": rows}))
    else:
        print_measures(listed)
    return 0


@app.command("show", epilog=options.examples("tariffs law show recip_cn"))
def show(
    measure: Annotated[
        str, typer.Argument(metavar="ID", help="Id of a measure, or label of one of its periods.")
    ],
    law_version: options.LawVersion = "",
    target: options.Target = None,
    local: options.Local = False,
    as_json: options.Json = False,
) -> int:
    """Show one measure: its periods, later acts on it, and the sources."""
    with options.connected(target, local, law_version) as client:
        details = client.measure(measure)
        claims = () if as_json else client.law().claims
    if as_json:
        print(json.dumps(details.to_json_dict()))
    else:
        print_measure(details, claims)
    return 0


@app.command("switches", epilog=options.examples("tariffs law switches"))
def switches(
    law_version: options.LawVersion = "",
    target: options.Target = None,
    local: options.Local = False,
    as_json: options.Json = False,
) -> int:
    """List the open points of the law with their defaults; change one with --switch NAME=VALUE."""
    with options.connected(target, local, law_version) as client:
        law = client.law()
    if as_json:
        print(json.dumps({"law_version": law.version, "switches": [asdict(one) for one in law.switches]}))
    else:
        print_switches(law)
    return 0
