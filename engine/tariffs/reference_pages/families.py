"""Render the page that says which duty gives way to which: a line for each stacking rule, then by family of duties."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tariffs.engine.law import Law, Measure
from tariffs.engine.law.describe_rows import describe_base
from tariffs.engine.law.model import Rule
from tariffs.engine.law.rule_book import is_dated
from tariffs.engine.line_duty.entry_dates import entry_instant
from tariffs.engine.line_duty.fees import CHAPTER_98_CLAIM
from tariffs.reference_pages.measures import span_words

_BASES = {"base": "on {base}", "full_base": "on {base}, where the full value is charged"}
_PICKS = {"first": "the first that charges", "highest": "the highest stated rate"}
_HOW_MUCH = {"all": "whole", "content": "as far as the metal goes"} | _BASES | _PICKS
_GIVES_WAY = "these duties | are not due where these are charged | how much"
_TABLES = {
    "In force on {day}": _GIVES_WAY,
    "One of several": "of these duties | where | one is due",
    "Only under a switch": _GIVES_WAY,
    "Goods of chapter 98": "these duties | are not due, or on another base, where | how much",
    "Ended, to come, or of duties not in force on {day}": _GIVES_WAY,
}
_FORCE, _SEVERAL, _SWITCH, _CHAPTER98, _ENDED = _TABLES
_HOW_TO_READ = """## How to read

- Duties that no rule names together add up.
- A rule works only where the duty that it names is charged: a free row displaces nothing.
- A duty that tops the ordinary one up counts as charged even where nothing is left to top up."""


def family_blocks(law: Law) -> Iterator[str]:
    """Write how to read the page, the rules on duties on imports in a table a kind, and those of each family."""
    duties = [m for m in law.measures.values() if m.direction == "import" and m.modelled and not m.announced]
    tables: dict[str, list[Rule]] = {title: [] for title in _TABLES}
    for rule in law.rules:
        if _meets(duties, rule.on or rule.members):
            tables[_table(law, rule)].append(rule)
    yield _HOW_TO_READ
    for title, rules in tables.items():
        yield from ("", f"## {title.format(day=law.as_of)}", "")
        yield from (f"| {_TABLES[title]} | why | rule | from, until, only if |", "|---|---|---|---|---|---|")
        yield from (rule_row(law, rule) for rule in rules)
    yield from ("", "## By family", "", "Rules of the first three tables.", "")
    yield from ("| family | gives way by | takes by |", "|---|---|---|")
    present = [*tables[_FORCE], *tables[_SEVERAL], *tables[_SWITCH]]
    for node in sorted({measure.authority for measure in duties}):
        own = [measure for measure in duties if measure.authority == node]
        gives = _listed(rule.id for rule in present if _meets(own, _sides(rule)[1]))
        takes = _listed(rule.id for rule in present if _meets(_charged(own, rule), _sides(rule)[0]))
        if gives or takes:
            yield f"| {law.authorities['names'].get(node, node)} (`{node}`) | {gives} | {takes} |"


def rule_row(law: Law, rule: Rule) -> str:
    """Write the line of a stacking rule: duties, what displaces them under which conditions, how much, why, when."""
    left_out = f"; not under {', '.join(sorted(rule.when_not))}" if rule.when_not else ""
    tests = ("if", " and ", rule.conditions), ("unless", " or ", rule.unless)
    facts = [f"{word} {between.join(test.words for test in of)}" for word, between, of in tests if of]
    where = ", ".join(filter(None, [_listed(rule.when) + left_out, *facts]))
    # Conditions spell codes with dots and without.
    where = " ".join(word for word in where.split() if not word.isdigit())
    how = _HOW_MUCH[rule.pick or rule.take].format(base=describe_base(rule.base))
    spans = (rule.start, rule.end, rule.switch), *((None, end.at, end.switch) for end in rule.ends)
    when = ", ".join(filter(None, (span_words(law, *span) for span in spans)))
    return f"| {_listed(rule.on or rule.members)} | {where} | {how} | {rule.text} | `{rule.id}` | {when} |"


def _table(law: Law, rule: Rule) -> str:
    """Title of the table that a rule belongs to."""
    if rule.members:
        return _SEVERAL
    if any(condition.claim == CHAPTER_98_CLAIM for condition in rule.conditions):
        return _CHAPTER98
    instant = entry_instant(law, law.as_of)
    charging = (active.measure for active in law.in_force(instant, law.as_of).actives)
    if not (is_dated(rule, instant, law.as_of, law.choices) and _meets(charging, rule.on)):
        return _ENDED
    return _SWITCH if rule.switch else _FORCE


def _meets(measures: Iterable[Measure], names: Iterable[str]) -> bool:
    """Test whether ids or authority nodes name one of some measures."""
    wanted = frozenset(names)
    return any(measure.id in wanted or not wanted.isdisjoint(measure.parents) for measure in measures)


def _charged(measures: Iterable[Measure], rule: Rule) -> Iterator[Measure]:
    """Measures that charge under another heading than those that a rule leaves out."""
    rows = ((measure, row) for measure in measures for period in measure.periods for row in period.rows)
    return (measure for measure, row in rows if row.rate != 0 and row.heading not in rule.when_not)


def _sides(rule: Rule) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Duties that may displace others under a rule, and those that may be displaced."""
    if rule.pick == "first":
        return rule.members[:-1], rule.members[1:]
    return rule.when or rule.members, rule.on or rule.members


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
