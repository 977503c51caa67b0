"""`tariffs law`: measures and switches of the law."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tariffs.client.cli import outputs
from tariffs.client.cli.commands import Output, Own, UnderLaw, add, command, with_options
from tariffs.client.cli.help_pages import HelpPage
from tariffs.client.cli.law_changes import changes
from tariffs.client.cli.law_intake import intake
from tariffs.client.cli.law_lint import EXAMPLES, lint
from tariffs.client.cli.law_pack import build, check, diff, versions, watch
from tariffs.client.cli.law_port_fees import port_fees
from tariffs.client.cli.law_validate import validate
from tariffs.client.cli.render.law import print_codes, print_measure, print_measures, print_switches

app = typer.Typer(no_args_is_help=True)
add(
    app,
    "changes",
    "tariffs law changes --start 2025-11-01 --end 2025-11-30",
    "tariffs law changes --start 2026-11-24 --end 2027-01-31 my-lines.csv",
)(changes)
add(
    app,
    "port-fees",
    "tariffs law port-fees --on 2027-01-11",
    "tariffs law port-fees --on 2026-12-15 -s port-fees-resume --kind operated --net-tons 60000 --teu 10000",
)(port_fees)
MeasureId = Annotated[
    str, typer.Argument(metavar="ID", help="Id of a measure, or label of one of its periods.")
]
_BUILT = "law-2026.12.01.1.tar.zst"
add(app, "build", f"tariffs law build my-law -o {_BUILT} --golden my-cases --sign law-key.pem")(build)
add(app, "test", f"tariffs law test {_BUILT}")(check)
add(app, "diff", "tariffs law diff builtin my-law", f"tariffs law diff builtin {_BUILT} my-lines.csv")(diff)
add(app, "versions", "tariffs law versions --target localhost:50051")(versions)
add(app, "watch", "tariffs law watch --json")(watch)
app.command("lint", cls=HelpPage, epilog=EXAMPLES)(command(lint))
add(app, "intake", "tariffs law intake hts_2026_rev_20.json hts_2026_rev_21.json -o draft --on 2026-10-09")(
    intake
)
add(app, "validate", "tariffs law validate --on 2026-11-20")(validate)


@add(app, "measures", "tariffs law measures --authority ieepa")
def measures(
    client: UnderLaw,
    authority: Annotated[
        str,
        typer.Option(
            "--authority",
            metavar="NODE",
            help="List this node of the authority tree and below, such as s232.metals.",
        ),
    ] = "",
) -> Output:
    """List all measures. A measure that is known but not computed is listed as `not modelled yet`."""
    listed = client.measures(authority)
    return Output({"measures": [one.summary() for one in listed]}, lambda: print_measures(listed))


@add(app, "show", "tariffs law show recip_cn")
def show(client: UnderLaw, measure: MeasureId) -> Output:
    """Show one measure: its periods, later acts on it, and the sources."""
    details, claims = client.measure(measure), client.law().claims
    return Output(details.to_json_dict(), lambda: print_measure(details, claims))


@add(app, "codes", "tariffs law codes fl301 --hts 5208.11")
@with_options(
    Own("--hts", "CODE", "Only codes that hold this code, or are part of it.", ""),
    Own("--list", "NAME", "Only codes of this list.", "", argument="list_name"),
    Own("--page", "TOKEN", "The page after one that named this token.", "", argument="page_token"),
)
def codes(client: UnderLaw, measure: MeasureId, **given: Any) -> Output:
    """List the codes that a measure names, themselves or by lists: is my code in it?"""
    found = client.measure_codes(measure, **given)
    return Output(outputs.document("codes", found.to_json_dict()), lambda: print_codes(found))


@add(app, "switches", "tariffs law switches")
def switches(client: UnderLaw) -> Output:
    """List the open points of the law with their defaults; change one with --switch NAME=VALUE."""
    law = client.law()
    return Output({"law_version": law.version, "switches": law.switches}, lambda: print_switches(law))
