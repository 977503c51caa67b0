"""Name options of the command line in texts for callers in Python; needs none of the optional parts."""

from __future__ import annotations

import re

_ARGUMENTS = re.compile(
    r"\b(target|mapping|date_format|baseline|response|market|direction|consumer_prices)="
    r'(?:"([\w/]+)"|([A-Z]+))?'
)
_IN_WORDS = {
    "Client.local()": "--local",
    "Connect to a server, or call impact and timeline, which take tables of any size in this process.": "Name one with "
    "--target or TARIFFS_TARGET; `tariffs serve` starts one.",
    "Give the call more time with timeout=.": "Ask for less at once; a run goes on by itself with --detach.",
    "Wait longer with timeout=, or get the run later with Client.run.": "See it later with `tariffs runs show`.",
    "In Python scenarios are the second argument, scenarios=.": "Scenarios are given with -s.",
    'vary={"cn": "0%:50%:1%"} or points=': "--vary cn=0%:50%:1% or --points FILE",
}
"""Names of options on the command line, by how a caller in Python writes them."""


def in_options(fix: str) -> str:
    """Name options of the command line in place of what a caller in Python writes."""
    for python, option in _IN_WORDS.items():
        fix = fix.replace(python, option)
    return _ARGUMENTS.sub(
        lambda found: f"--{found[1].replace('_', '-')} {found[2] or found[3] or ''}".rstrip(), fix
    )
