"""Render the page that says of each family of duties which others it gives way to, takes from and adds to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tariffs.engine.law import Law
from tariffs.engine.law.law_at import ActiveRule
from tariffs.engine.law.model import Rule
from tariffs.engine.line_duty.entry_dates import entry_instant
from tariffs.reference_pages.measures import moment_words, switch_words

_IMPORT = "import"
_TAKES = {
    "all": "",
    "content": ", as far as the metal goes",
    "base": ", on another base",
    "full_base": ", on another base",
}
_PICKS = {"first": "the first of these that charges", "highest": "that with the highest stated rate"}


def family_blocks(law: Law) -> Iterator[str]:
    """Write a section for each authority node with duties on imports that are in force or that a rule names."""
    families: dict[str, frozenset[int]] = {}
    for index, measure in enumerate(law.measures.values()):
        if measure.direction == _IMPORT and measure.modelled and not measure.announced:
            families[measure.authority] = families.get(measure.authority, frozenset()) | {index}
    in_force = law.in_force(entry_instant(law, law.as_of), law.as_of)
    charging = {active.index for active in in_force.actives}
    today = {node: own & charging for node, own in families.items() if own & charging}
    yield (
        "Where several duties reach the same goods, stacking rules say which holds; duties that no rule names "
        "together add up. A rule works where the duty that it names is charged: a free row, such as that of the USMCA "
        "for vehicle parts, displaces nothing, and a duty that tops the ordinary one up counts as charged even where "
        "nothing is left to top up. *In part* is of the measures named alone. *Adds to* is of the duties in force on "
        f"{law.as_of}, all switches at their defaults, and names those too that another line settles in part."
    )
    for node in sorted(families):
        rules = [rule for rule in law.rules if _meets(law, families[node], rule)]
        if rules or node in today:
            yield from ("", f"## {law.authorities['names'].get(node, node)} (`{node}`)", "")
            yield from sorted((_rule_line(law, families[node], rule) for rule in rules), key=_by_kind)
        if node in today:
            others = (name for name in sorted(today) if name != node)
            added = [name for name in others if not _settled(in_force.rules, today[node], today[name])]
            yield f"- **Adds to** {_listed(added)}."
    yield from ("", "## Goods of chapter 98", "")
    for rule in law.rules:
        if not (rule.when or rule.members) and not _named(law, rule.on).isdisjoint(
            frozenset().union(*families.values())
        ):
            yield f"- {_listed(rule.on)}{_TAKES[rule.take]}: {rule.text} (`{rule.id}`{_dated(law, rule)})."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _by_kind(line: str) -> int:
    """Order of what a line says; lines of a kind stay as the rules are."""
    return [kind in line for kind in ("- **Gives way", "- **Takes from", "- **One of")].index(True)


def _named(law: Law, names: Iterable[str]) -> frozenset[int]:
    """Places of the measures that ids or authority nodes name."""
    wanted = frozenset(names)
    return frozenset(
        index
        for index, measure in enumerate(law.measures.values())
        if measure.id in wanted or not wanted.isdisjoint(measure.parents)
    )


def _meets(law: Law, own: frozenset[int], rule: Rule) -> bool:
    """Test whether a rule between duties names one of a family."""
    named = (*rule.when, *rule.on) if rule.when else rule.members
    return not own.isdisjoint(_named(law, named))


def _rule_line(law: Law, own: frozenset[int], rule: Rule) -> str:
    if rule.members:
        head = f"**One of** {_listed(rule.members)} holds, {_PICKS[rule.pick]}"
    elif given := own & _named(law, rule.on):
        head = f"**Gives way** {_part(law, own, given)}to {_listed(rule.when)}{_TAKES[rule.take]}"
    else:
        head = f"**Takes from** {_listed(rule.on)}{_TAKES[rule.take]}"
    return f"- {head}: {rule.text} (`{rule.id}`{_dated(law, rule)})."


def _part(law: Law, own: frozenset[int], given: frozenset[int]) -> str:
    ids = list(law.measures)
    return "" if given == own else f"in part ({_listed(ids[index] for index in sorted(given))}) "


def _dated(law: Law, rule: Rule) -> str:
    zone = law.zones[_IMPORT]
    ends = [rule.end, *(end.at for end in rule.ends)]
    dated = (("from", rule.start), *(("until", end) for end in ends))
    words = [f"{word} {moment_words(moment, zone)[:10]}" for word, moment in dated if moment]
    return ", ".join(["", *words, *([f"only if {switch_words(rule.switch)}"] if rule.switch else [])])


def _settled(rules: Iterable[ActiveRule], one: frozenset[int], other: frozenset[int]) -> bool:
    """Test whether a rule in force always decides between two families."""
    return any(_decides(rule, one, other) or _decides(rule, other, one) for rule in rules)


def _decides(rule: ActiveRule, loser: frozenset[int], winner: frozenset[int]) -> bool:
    if rule.rule.conditions or rule.rule.unless:
        return False
    if rule.members:
        return (loser | winner) <= rule.touched
    return loser <= rule.on and winner <= rule.when
