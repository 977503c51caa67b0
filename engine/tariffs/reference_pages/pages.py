"""Render reference pages from the law data: a page per authority, worked examples of common stacks, the method.

Write them into a folder with `python -m tariffs.reference_pages docs/law`.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np

from tariffs.engine.base.array_utils import I64
from tariffs.engine.errors import TariffsError
from tariffs.engine.law import Law, load_law
from tariffs.engine.law.amendments import OPS
from tariffs.engine.law.describe_rows import percent
from tariffs.engine.law.model import CONFIDENCE, Rule, RuleEnd
from tariffs.engine.line_duty.entry_dates import entry_instant
from tariffs.engine.line_duty.quote import EntryLine, Quote, quote_line
from tariffs.engine.rating.fits import dotted
from tariffs.engine.table_duty.duties import Dated, duties_of
from tariffs.engine.tables.prepare import PreparedTable, prepare_table
from tariffs.reference_pages.citations import document_rows
from tariffs.reference_pages.families import family_blocks
from tariffs.reference_pages.measures import measure_blocks, sources_sentence, span_words

STACKS, LINES_TRIED = 12, 200
WORKED_VALUE = Decimal(10000)
_GENERATED = "<!-- Written by `python -m tariffs.reference_pages docs/law`; change the law data instead. -->"
_NOT_A_RULING = "Planning estimates, not rulings."
_CONFIDENCE = {
    "A": "read in the primary text",
    "B": "several independent sources",
    "C": "one secondary source, or inference",
    "U": "unverified",
}


def pages(law: Law) -> dict[str, str]:
    """Render the pages, by file name."""
    tops = sorted({measure.parents[-1] for measure in law.measures.values()})
    return {f"{top}.md": _authority(law, top) for top in tops} | {
        "families.md": _page("Which duty gives way to which", family_blocks(law)),
        "stacks.md": _stacks(law),
        "method.md": _method(law),
        "sources.md": _page("Documents that the law is read from", document_rows()),
        "README.md": _index(law, tops),
    }


def write(folder: Path) -> None:
    """Write all pages into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages(load_law()).items():
        (folder / name).write_text(text, encoding="utf-8")


def _page(title: str, blocks: Iterable[str]) -> str:
    return "\n".join([f"# {title}", "", _GENERATED, "", *blocks]).rstrip() + "\n"


def _index(law: Law, tops: Sequence[str]) -> str:
    lines = [
        f"The law as of {law.as_of}, version {law.version}. {_NOT_A_RULING}",
        "",
        "- [Which duty gives way to which](families.md)",
        "- [Worked examples of the most common stacks](stacks.md)",
        "- [Method, limits and confidence](method.md)",
        "- [Documents that the law is read from](sources.md)",
        *(f"- [{_name(law, top)}]({top}.md)" for top in tops),
    ]
    return _page("The law, authority by authority", lines)


def _name(law: Law, node: str) -> str:
    names = law.authorities.get("names", {})
    return str(names.get(node, node))


# -- a page per authority --------------------------------------------------------------------------------------


def _authority(law: Law, top: str) -> str:
    measures = [measure for measure in law.measures.values() if top in measure.parents]
    blocks = [f"{len(measures)} measures. {_NOT_A_RULING} End dates are exclusive.", ""]
    for node in sorted({measure.authority for measure in measures}):
        blocks += [f"## {_name(law, node)}", ""]
        for measure in measures:
            if measure.authority == node:
                blocks += [*measure_blocks(law, measure), ""]
    rules = [rule for rule in law.rules if _touches(law, rule, top)]
    if rules:
        blocks += ["## Stacking", "", "Rules apply in this order; duties that no rule names are added.", ""]
        blocks += [_rule(law, rule) for rule in rules]
    return _page(_name(law, top), blocks)


def _touches(law: Law, rule: Rule, top: str) -> bool:
    names = (*rule.on, *rule.members)
    return any(name == top or name.startswith(f"{top}.") or _is_under(law, name, top) for name in names)


def _is_under(law: Law, name: str, top: str) -> bool:
    return name in law.measures and top in law.measures[name].parents


def _rule(law: Law, rule: Rule) -> str:
    span = span_words(law, rule.start, rule.end, rule.switch)
    known = f", published {rule.known_from.isoformat()}" if rule.known_from else ""
    graded = f"{sources_sentence(rule.cite)} ({rule.conf}{known})"
    head = f"- `{rule.id}`{', ' + span if span else ''}: {rule.text}. {graded}"
    return " ".join([head, *(_rule_end(law, end) for end in rule.ends)])


def _rule_end(law: Law, end: RuleEnd) -> str:
    known = f"{end.conf}, published {end.known_from.isoformat()}"
    return f"Held {span_words(law, None, end.at, end.switch)}. {sources_sentence(end.cite)} ({known})"


# -- common stacks --------------------------------------------------------------------------------------------


def _stacks(law: Law) -> str:
    day = law.as_of.isoformat()
    blocks = [
        f"The {STACKS} sets of duties that apply to the most value of US imports of 2024, under the law of {day}, each "
        f"on a line of USD {WORKED_VALUE:,} without claims. {_NOT_A_RULING}",
        "",
    ]
    prepared = prepare_table(None, law)
    pairs = ((stack, _example(law, prepared, stack)) for stack in _common_stacks(law, prepared))
    examples = itertools.islice(((stack, example) for stack, example in pairs if example), STACKS)
    for number, ((measures, value, lines), (line, quote)) in enumerate(examples, start=1):
        blocks += [f"## {number}. {' + '.join(f'`{name}`' for name in measures)}", ""]
        blocks += [
            f"{len(lines):,} lines worth USD {value / 1e9:,.1f} billion. {line.hts} from {line.origin}:",
            "",
        ]
        blocks += [*_layers(quote), ""]
    return _page("Worked examples of the most common stacks", blocks)


Stack = tuple[tuple[str, ...], float, I64]
"""Measures, the value they apply to, and its lines, largest first."""


def _common_stacks(law: Law, prepared: PreparedTable) -> Iterator[Stack]:
    """List sets of measures that charge a duty, by the value they apply to."""
    instant = entry_instant(law, law.as_of)
    duty, names = duties_of(
        law, prepared.lines, Dated([instant], [law.as_of], None), lambda: None
    ).by_measure()
    packed = np.packbits(duty > 0, axis=1)
    sets, of_line = np.unique(packed, axis=0, return_inverse=True)
    of_line = of_line.ravel()
    value = np.bincount(of_line, weights=prepared.lines.value, minlength=len(sets))
    for place in np.argsort(-value, kind="stable"):
        lines = np.flatnonzero(of_line == place)
        charged = tuple(name for name, amount in zip(names, duty[lines[0]], strict=True) if amount > 0)
        if charged:
            largest_first = np.argsort(-prepared.lines.value[lines], kind="stable")
            yield charged, float(value[place]), lines[largest_first]


def _example(law: Law, prepared: PreparedTable, stack: Stack) -> tuple[EntryLine, Quote] | None:
    """Quote the largest line that without claims pays exactly these duties."""
    measures, _, lines = stack
    for row in lines[:LINES_TRIED]:
        hts, origin = prepared.frame.select("hts", "origin").row(int(row))
        line = EntryLine(dotted(hts), origin, WORKED_VALUE, law.as_of)
        try:
            quote = quote_line(law, line)
        except TariffsError:
            continue
        if {layer.measure for layer in quote.layers if layer.amount} == set(measures):
            return line, quote
    return None


def _layers(quote: Quote) -> Iterator[str]:
    yield "| heading | measure | state | rate | base | amount | why |"
    yield "|---|---|---|---|---|---|---|"
    for layer in quote.layers:
        rate = "" if layer.rate is None else percent(layer.rate)
        cells = (
            layer.heading,
            f"`{layer.measure}`",
            layer.state,
            rate,
            f"{layer.base:,}",
            f"{layer.amount:,}",
        )
        yield f"| {' | '.join(cells)} | {layer.why['text']} |"
    yield f"| | | | | | **{quote.assessed:,}** | |"


# -- method ----------------------------------------------------------------------------------------------------


def _method(law: Law) -> str:
    measures = list(law.measures.values())
    by_conf = Counter(measure.conf for measure in measures)
    unmodelled = [measure for measure in measures if not measure.modelled and not measure.announced]
    blocks = [
        f"Version {law.version} of the law data, as of {law.as_of}. {_NOT_A_RULING}",
        "",
        "## Method",
        "",
        "- A measure is one legal duty through time. Periods hold its enacted rates; events hold later changes.",
        "- The authority takes precedence: ending a suspension of an invalidated measure has no effect.",
        "- The first row of a period that fits the goods applies. Stacking rules are applied once, in their order.",
        "- Duty is never charged on duty. Value is rounded to whole dollars, each duty to cents, half up.",
        "- *Assessed* is the duty under all acts published by the `known_on` day; *owed* applies invalidations from "
        "the beginning. The difference is refundable.",
        "- An undeclared fact neither exempts nor charges, except metal content, which is taken to be all of the metal "
        "with the highest duty. The answer lists facts that would change it, with the minimum and maximum amount.",
        "",
        "## Verbs",
        "",
        *(f"- `{name}`: {verb.text}" for name, verb in sorted(OPS.items())),
        "",
        "## Confidence",
        "",
        "| grade | meaning | measures |",
        "|---|---|---|",
        *(f"| {mark} | {_CONFIDENCE[mark]} | {by_conf[mark]} |" for mark in CONFIDENCE),
        "",
        "A run may be limited to a minimum confidence; it ignores periods, acts and rules below it.",
        "",
        "## Uncertain facts and interpretation choices",
        "",
        "| switch | default | other values | decides | conf |",
        "|---|---|---|---|---|",
        *(_switch_row(law, name) for name in sorted(law.switches)),
        "",
        "## Facts",
        "",
        "| claim | type | role | meaning |",
        "|---|---|---|---|",
        *(
            f"| `{c.id}` | {c.type} | {c.role} | {c.text} |"
            for c in sorted(law.claims.values(), key=lambda c: c.id)
        ),
        "",
        "## Limits",
        "",
        "Known but not modelled yet; an answer that they could affect names them:",
        "",
        *(f"- `{measure.id}`: {measure.title}" for measure in unmodelled),
    ]
    return _page("Method, limits and confidence", blocks)


def _switch_row(law: Law, name: str) -> str:
    switch = law.switches[name]
    others = ", ".join(value for value in switch.values if value != switch.default)
    return f"| `{name}` | {switch.default} | {others} | {switch.text} | {switch.conf} |"
