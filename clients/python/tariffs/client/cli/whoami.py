"""`tariffs whoami`: the caller as the server knows it."""

from __future__ import annotations

from tariffs.client.cli.commands import Output, command
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.client import Client
from tariffs.client.results.server_info import CallerInfo

EXAMPLES = examples(
    "tariffs whoami --target localhost:50051",
    "tariffs whoami --json",
)


@command
def whoami(client: Client) -> Output:
    """Show your name on the server, your roles, groups and quotas, and what you use of them."""
    caller = client.whoami()
    return Output(caller.to_json_dict(), lambda: _print(caller))


def _print(caller: CallerInfo) -> None:
    print(f"name    {caller.name}")
    print(f"roles   {', '.join(caller.roles) or 'none'}")
    print(f"groups  {', '.join(caller.groups) or 'none'}")
    if caller.quotas:
        rows = ((one.name, _shown(one.used, "-"), _shown(one.limit, "none")) for one in caller.quotas)
        console().print(text_table(["quota", *right("used", "limit")], rows))


def _shown(number: float | None, otherwise: str) -> str:
    return otherwise if number is None else f"{number:,g}" if number % 1 else f"{number:,.0f}"
