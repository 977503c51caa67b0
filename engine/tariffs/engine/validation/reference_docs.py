"""Reference pages rendered from the law data: a page per authority, the commonest stacks worked, the method.

Run as a module with a folder to write them: `python -m tariffs.engine.validation.reference_docs docs/law`.
"""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from tariffs.engine.base.array_utils import I64
from tariffs.engine.errors import TariffsError
from tariffs.engine.law import Law, Measure, load_law
from tariffs.engine.law.amendments import OPS, Act
from tariffs.engine.law.describe_rows import percent
from tariffs.engine.law.model import CONFIDENCE, Period, Rule
from tariffs.engine.line_duty.entry_line import entry_instant
from tariffs.engine.line_duty.quote import EntryLine, Quote, quote_line
from tariffs.engine.rating.fits import dotted
from tariffs.engine.runs.law_changes import describe_change, describe_row_list
from tariffs.engine.table_duty.duties import duties_by_measure
from tariffs.engine.tables.prepare import PreparedTable, prepare_table

STACKS, TRIED = 12, 200
WORKED_VALUE = Decimal(10000)
_GENERATED = (
    "<!-- Written by `python -m tariffs.engine.validation.reference_docs docs/law`; "
    "change the law data instead. -->"
)
_NOT_A_RULING = "Planning estimates, not rulings."
_CONFIDENCE = {
    "A": "the primary text was read",
    "B": "several independent sources",
    "C": "one secondary source, or inference",
    "U": "not verified",
}


def pages(law: Law) -> dict[str, str]:
    """The pages by file name."""
    tops = sorted({measure.parents[-1] for measure in law.measures.values()})
    found = {f"{top}.md": _authority(law, top) for top in tops}
    found["stacks.md"] = _stacks(law)
    found["method.md"] = _method(law)
    found["README.md"] = _index(law, tops)
    return found


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
        "- [The commonest stacks, worked](stacks.md)",
        "- [Method, limits, confidence](method.md)",
        *(f"- [{_name(law, top)}]({top}.md)" for top in tops),
    ]
    return _page("The law, authority by authority", lines)


def _name(law: Law, node: str) -> str:
    names = law.authorities.get("names", {})
    return str(names.get(node, node))


# -- a page per authority --------------------------------------------------------------------------------------


def _authority(law: Law, top: str) -> str:
    measures = [measure for measure in law.measures.values() if top in measure.parents]
    blocks = [f"{len(measures)} measures. {_NOT_A_RULING} Ends are exclusive.", ""]
    for node in sorted({measure.authority for measure in measures}):
        blocks += [f"## {_name(law, node)}", ""]
        for measure in measures:
            if measure.authority == node:
                blocks += [*_measure(law, measure), ""]
    rules = [rule for rule in law.rules if _touches(law, rule, top)]
    if rules:
        blocks += ["## Stacking", "", "In this order; what is not named adds up.", ""]
        blocks += [_rule(law, rule) for rule in rules]
    return _page(_name(law, top), blocks)


def _measure(law: Law, measure: Measure) -> Iterator[str]:
    zone = law.zones.get(measure.direction) or law.zones["import"]
    modelled = "modelled" if measure.modelled else "not modelled yet"
    standing = "announced, never charged" if measure.announced else modelled
    yield f"### `{measure.id}`: {measure.title}"
    yield ""
    yield f"{measure.direction}, {standing}, confidence {measure.conf}. {_cites(measure.cite)}"
    if measure.switch:
        yield f"Exists only if {_switch(measure.switch)}."
    if measure.note:
        yield f"{measure.note[0].upper()}{measure.note[1:]}."
    events = sorted(_timeline(law, measure, zone))
    if events:
        yield ""
        yield "| from | what | published | sources | conf |"
        yield "|---|---|---|---|---|"
        yield from (f"| {' | '.join(cells)} |" for _, *cells in events)


def _timeline(law: Law, measure: Measure, zone: ZoneInfo) -> Iterator[tuple[str, ...]]:
    for number, period in enumerate(measure.periods):
        yield (_sort_key(period.start, number), *_period(period, zone))
    for number, act in enumerate(law.acts[measure.id]):
        yield (_sort_key(act.start or act.collection_stop or act.until, 100 + number), *_act(act, zone))


def _sort_key(moment: datetime | None, number: int) -> str:
    return f"{moment.isoformat() if moment else '9999'} {number:05d}"


def _period(period: Period, zone: ZoneInfo) -> tuple[str, ...]:
    end = f", to {_moment(period.end, zone)}" if period.end else ""
    only = f" (only if {_switch(period.switch)})" if period.switch else ""
    text = f"`{period.id}`: {describe_row_list(period.rows)}{end}{only}"
    return _moment(period.start, zone), text, period.known_from.isoformat(), _cell(period.cite), period.conf


def _act(act: Act, zone: ZoneInfo) -> tuple[str, ...]:
    change = act.change
    only = f" (only if {_switch(change.switch)})" if change.switch else ""
    known = act.known_from.isoformat() if act.known_from else ""
    return (
        _moment(act.start, zone),
        f"{describe_change(change)}{only}",
        known,
        _cell(change.cite),
        change.conf,
    )


def _touches(law: Law, rule: Rule, top: str) -> bool:
    names = (*rule.on, *rule.members)
    return any(name == top or name.startswith(f"{top}.") or _is_under(law, name, top) for name in names)


def _is_under(law: Law, name: str, top: str) -> bool:
    return name in law.measures and top in law.measures[name].parents


def _rule(law: Law, rule: Rule) -> str:
    zone = law.zones["import"]
    dated = (("from", rule.start), ("to", rule.end))
    when = " ".join(f"{word} {_moment(moment, zone)}" for word, moment in dated if moment)
    only = f", only if {_switch(rule.switch)}" if rule.switch else ""
    return f"- `{rule.id}`{' ' + when if when else ''}{only}: {rule.text}. {_cites(rule.cite)} ({rule.conf})"


def _switch(switch: Mapping[str, str]) -> str:
    return " and ".join(f"switch `{name}` is {value}" for name, value in sorted(switch.items()))


def _moment(moment: datetime | None, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).isoformat(sep=" ", timespec="minutes") if moment else ""


def _cites(cites: Sequence[str]) -> str:
    return f"Sources: {'; '.join(cites)}." if cites else "No source."


def _cell(cites: Sequence[str]) -> str:
    return "; ".join(cites).replace("|", "/")


# -- the commonest stacks --------------------------------------------------------------------------------------


def _stacks(law: Law) -> str:
    day = law.as_of.isoformat()
    blocks = [
        f"The {STACKS} sets of duties that meet most value among US imports of 2024, under the law of {day}, each on a "
        f"line of USD {WORKED_VALUE:,} with nothing declared. {_NOT_A_RULING}",
        "",
    ]
    prepared = prepare_table(None, law)
    found = ((stack, _example(law, prepared, stack)) for stack in _commonest(law, prepared))
    worked = itertools.islice(((stack, one) for stack, one in found if one), STACKS)
    for number, ((measures, value, lines), (line, quote)) in enumerate(worked, start=1):
        blocks += [f"## {number}. {' + '.join(f'`{name}`' for name in measures)}", ""]
        blocks += [
            f"{len(lines):,} lines worth USD {value / 1e9:,.1f} billion. {line.hts} from {line.origin}:",
            "",
        ]
        blocks += [*_layers(quote), ""]
    return _page("The commonest stacks, worked", blocks)


Stack = tuple[tuple[str, ...], float, I64]
"""The measures, the value they meet, and its lines, the largest first."""


def _commonest(law: Law, prepared: PreparedTable) -> Iterator[Stack]:
    """Sets of measures that charge, by the value they meet, with their lines, the largest first."""
    instant = entry_instant(law, law.as_of)
    duty, names = duties_by_measure(law, prepared.lines, instant, law.as_of, lambda: None)
    packed = np.packbits(duty > 0, axis=1)
    sets, of_line = np.unique(packed, axis=0, return_inverse=True)
    of_line = of_line.ravel()
    value = np.bincount(of_line, weights=prepared.lines.value, minlength=len(sets))
    for place in np.argsort(-value, kind="stable"):
        lines = np.flatnonzero(of_line == place)
        charged = tuple(name for name, one in zip(names, duty[lines[0]], strict=True) if one > 0)
        if charged:
            largest_first = np.argsort(-prepared.lines.value[lines], kind="stable")
            yield charged, float(value[place]), lines[largest_first]


def _example(law: Law, prepared: PreparedTable, stack: Stack) -> tuple[EntryLine, Quote] | None:
    """The largest line that pays just these duties with nothing declared."""
    measures, _, lines = stack
    for row in lines[:TRIED]:
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
        f"The law data is of version {law.version}, as of {law.as_of}. {_NOT_A_RULING}",
        "",
        "## Method",
        "",
        "- A measure is one legal duty through time. Its periods say what was enacted; events say what was done later.",
        "- The parent comes first: a suspension that ends over a void measure brings nothing back.",
        "- The first row of a period that fits the goods holds. Stacking rules are walked once, in their order.",
        "- Duty is never charged on duty. Value is rounded to whole dollars, each duty to cents, half up.",
        "- *Assessed* is the duty under all acts published by the day of knowledge; *owed* lets invalidations bite "
        "from the beginning. The difference comes back.",
        "- A fact not declared is not granted and not charged, except metal content, which is all of the dearest "
        "metal. Facts that would change the answer are asked, and the answer says between which amounts it lies.",
        "",
        "## Verbs",
        "",
        *(f"- `{name}`: {verb.text}" for name, verb in sorted(OPS.items())),
        "",
        "## Confidence",
        "",
        "| mark | meaning | measures |",
        "|---|---|---|",
        *(f"| {mark} | {_CONFIDENCE[mark]} | {by_conf[mark]} |" for mark in CONFIDENCE),
        "",
        "A run may be limited to acts of a confidence or better; periods, acts and rules below it then do not exist.",
        "",
        "## Doubtful facts and settled choices",
        "",
        "| switch | default | other values | decides | conf |",
        "|---|---|---|---|---|",
        *(_switch_row(law, name) for name in sorted(law.switches)),
        "",
        "## Facts",
        "",
        "| claim | type | role | says |",
        "|---|---|---|---|",
        *(
            f"| `{c.id}` | {c.type} | {c.role} | {c.text} |"
            for c in sorted(law.claims.values(), key=lambda c: c.id)
        ),
        "",
        "## Limits",
        "",
        "Known and not modelled yet; answers these could touch name them:",
        "",
        *(f"- `{measure.id}`: {measure.title}" for measure in unmodelled),
    ]
    return _page("Method, limits, confidence", blocks)


def _switch_row(law: Law, name: str) -> str:
    switch = law.switches[name]
    others = ", ".join(value for value in switch.values if value != switch.default)
    return f"| `{name}` | {switch.default} | {others} | {switch.text} | {switch.conf} |"


if __name__ == "__main__":
    write(Path(sys.argv[1]))
