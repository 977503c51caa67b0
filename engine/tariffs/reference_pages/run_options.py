"""Write the tables of docs/options.md: the options, which verb takes which, and which combinations runs refuse.

`python -m tariffs.reference_pages.run_options docs/options.md` rewrites them between their markers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tariffs.engine.runs.refusals import ARGUMENTS, FACTS, LAYOUTS, Refusal, refusals
from tariffs.run_spec.option import VERBS, Kind, RunOption
from tariffs.run_spec.spec import OPTIONS

BEGIN, END = "<!-- options: made by tariffs.reference_pages.run_options -->", "<!-- end of options -->"


def replaced(document: str) -> str:
    """Return a document with its tables replaced by the current ones."""
    before, _, rest = document.partition(BEGIN)
    return before + "\n".join([BEGIN, *_tables(), END]) + rest.partition(END)[2]


def _tables() -> Iterator[str]:
    yield f"| option | command line | default | {' | '.join(VERBS)} | meaning |"
    yield "|---" * (4 + len(VERBS)) + "|"
    yield from map(_option, OPTIONS.values())
    yield ""
    yield from _verbs("argument", ARGUMENTS)
    yield ""
    yield from _verbs("computed over", LAYOUTS)
    yield ""
    yield "| refused | reason | text | what to do |"
    yield "|---|---|---|---|"
    yield from map(_row, refusals())


def _verbs(title: str, takers: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield f"| {title} | {' | '.join(VERBS)} |"
    yield "|---" * (1 + len(VERBS)) + "|"
    for name, verbs in takers.items():
        shown = f"`{name}`" if title == "argument" else name
        yield f"| {shown} | {_taken(verbs)} |"


def _taken(verbs: Sequence[str]) -> str:
    return " | ".join("yes" if verb in verbs else "" for verb in VERBS)


def _option(one: RunOption) -> str:
    default = ", ".join(one.default) if one.kind is Kind.KEYS else one.default
    if one.kind in {Kind.PAIRS, Kind.VALUES, Kind.FLAG}:
        default = ""
    flag = f"{one.flag} {one.metavar}".strip().replace("|", "\\|")
    return f"| `{one.name}` | `{flag}` | {default} | {_taken(one.verbs)} | {one.text} |"


def _row(refusal: Refusal) -> str:
    when = [
        FACTS[name]
        if name in FACTS and condition.text == "yes"
        else f"{FACTS.get(name, f'`{name}`')} {condition.text}"
        for name, condition in refusal.when.items()
    ]
    return f"| {', '.join(when)} | {refusal.reason}, `{refusal.field}` | {_text(refusal)} | {refusal.fix} |"


def _text(refusal: Refusal) -> str:
    return refusal.message.format(**{name: f"({name})" for name in refusal.when})


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(replaced(path.read_text(encoding="utf-8")), encoding="utf-8")
