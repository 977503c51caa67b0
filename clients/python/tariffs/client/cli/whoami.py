"""`tariffs whoami`: the caller as the server knows it."""

from __future__ import annotations

import json

from tariffs.client.cli import options
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.table import console, right, text_table

EXAMPLES = examples(
    "tariffs whoami --target localhost:50051",
    "tariffs whoami --json",
)


def whoami(target: options.Target = None, local: options.Local = False, as_json: options.Json = False) -> int:
    """Show your name on the server, your roles, groups and quotas, and what you use of them."""
    with options.connected(target, local) as client:
        caller = client.whoami()
    if as_json:
        print(json.dumps(caller.to_json_dict()))
        return 0
    print(f"name    {caller.name}")
    print(f"roles   {', '.join(caller.roles) or 'none'}")
    print(f"groups  {', '.join(caller.groups) or 'none'}")
    if caller.quotas:
        rows = ((one.name, _shown(one.used, "-"), _shown(one.limit, "none")) for one in caller.quotas)
        console().print(text_table(["quota", *right("used", "limit")], rows))
    return 0


def _shown(number: float | None, otherwise: str) -> str:
    return otherwise if number is None else f"{number:,g}" if number % 1 else f"{number:,.0f}"
