"""Read measures, stacking rules, claims, switches and reference shares from the text form of docs/law-data.md."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tariffs.engine.law.amendments import read_scope, read_words
from tariffs.engine.law.conditions import ENTRY_DATE, MODE
from tariffs.engine.law.expand_rows import RowSources, expand_rows
from tariffs.engine.law.known_names import Names, check_known
from tariffs.engine.law.model import (
    BASE_TAKES,
    CONFIDENCE,
    CONTROL,
    EXPORT,
    FULL_BASE,
    IMPORT,
    KINDS,
    METALS,
    PARTS,
    PROHIBITION,
    TERMS,
    Claim,
    Measure,
    Period,
    Reference,
    Row,
    Rule,
    RuleEnd,
    Scope,
    ShareRule,
    Switch,
    Tier,
    Weights,
)
from tariffs.engine.law.raw_fields import (
    Context,
    Raw,
    check_keys,
    each,
    fault,
    keys,
    one_of,
    read,
    read_required,
)
from tariffs.engine.law.values import (
    UnitRate,
    read_amount,
    read_day,
    read_rate,
    read_share,
    read_unit_rate,
    read_weight,
    read_yes,
)
from tariffs.engine.schedule.units import find_unit

_PERIOD_KEYS = keys("id from to known_from rows cite conf switch note")
_MEASURE_KEYS = keys(
    "id title authority direction destination modelled status displaces_at_zero switch note touches tested_on cite "
    "conf periods events"
)
_RULE_KEYS = keys(
    "id from to known_from switch when when_not if unless on take base heading text cite conf one_of pick "
    "note events leaves"
)
_RULE_END_KEYS = keys("op at known_from switch cite conf note")
_CLAIM_KEYS = keys("type role partition ask codes reference text source switch note")
_SWITCH_KEYS = keys("default values text cite conf note")
TAKES = ("all", "content", *BASE_TAKES)
DIRECTIONS = (IMPORT, EXPORT, "port_call", CONTROL)
# A relief counts only if it is claimed: 19 CFR 182.11 (USMCA) and 19 CFR part 10 for other preferences. Undeclared, the
# goods do not have it.
ROLES = ("relief", "content", "charge")
CLAIM_TYPES = ("share", "content", "bool", "date", "code", "number")
CODE_KINDS = ("", "country", "hts", MODE)
_OF_A_DUTY = frozenset({"rate", "tiers", "price", "column", "base", "heading_at_zero", "split_heading"})


def read_weights(raw: Any, path: str) -> Weights:
    """Read the weight of each part of a value from weights over base terms; each part's weight is from 0 to 1."""
    known = check_keys(raw, frozenset(TERMS), path)
    weights = [Decimal(0)] * len(PARTS)
    for term, text in known.items():
        for part in TERMS[term]:
            weights[part] += read_required({term: text}, term, read_weight, path)
    if not 0 <= min(weights) <= max(weights) <= 1:
        raise fault(path, "the weight of a part of the value is below 0 or above 1")
    return tuple(weights)


def read_metals(raw: Any) -> tuple[int, ...]:
    """Read the metal parts that a base names."""
    return tuple(part for part in METALS if read_weight(raw.get(PARTS[part], "0")) > 0)


def read_rows(raw: Any, sources: RowSources, context: Context, path: str) -> tuple[Row, ...]:
    """Read the rows of a period, expanded."""
    return tuple(_read_row(row, context, place) for place, row in expand_rows(raw, sources, path))


def _read_row(raw: Raw, context: Context, path: str) -> Row:
    kind = raw.get("kind", "add")
    if kind not in KINDS:
        raise fault(f"{path}.kind", f"{kind!r} is not one of {', '.join(KINDS)}")
    rate = None if kind == "specific" else read(raw, "rate", read_rate, None, path)
    row = Row(
        kind=kind,
        scope=context.scope(raw, path),
        conditions=context.conditions(raw.get("if", []), f"{path}.if"),
        rate=rate,
        relief=kind == "add" and rate == 0,
        tiers=_read_tiers(raw, path) if kind == "specific" else (),
        price=read(raw, "price", _read_unit_rate, None, path),
        column=raw.get("column", ""),
        base=read_weights(raw["base"], f"{path}.base") if "base" in raw else FULL_BASE,
        metals=read_metals(raw["base"]) if "base" in raw else (),
        heading=raw.get("heading", ""),
        heading_at_zero=raw.get("heading_at_zero", ""),
        split_heading=raw.get("split_heading", ""),
        undeclared_applies=read(raw, "undeclared", one_of("", "applies"), "", path) == "applies",
        known_from=read(raw, "known_from", read_day, None, path),
        label=read(raw, "label", str, "", path),
    )
    if kind in {"add", "topup_to", "total"} and row.rate is None:
        raise fault(path, f"a row of kind {kind} needs a rate")
    if kind == "minimum_price" and row.price is None:
        raise fault(path, "a row of kind minimum_price needs a price")
    if kind == "ordinary" and row.column not in {"general", "special", "other"}:
        raise fault(f"{path}.column", "wants general, special or other")
    if kind == PROHIBITION and _OF_A_DUTY & raw.keys():
        raise fault(path, f"a prohibition has no {', '.join(sorted(_OF_A_DUTY & raw.keys()))}")
    return row


def _read_tiers(raw: Raw, path: str) -> tuple[Tier, ...]:
    if "rate" in raw:
        return (Tier(None, read_required(raw, "rate", _read_unit_rate, path)),)
    tiers = []
    for index, item in enumerate(raw.get("tiers", [])):
        where = f"{path}.tiers[{index}]"
        up_to = read(item, "up_to", read_amount, None, where)
        rate = read_required(item, "rate", _read_unit_rate, where)
        if up_to and up_to[1] != rate.unit:
            raise fault(where, "up_to and rate must be in the same unit")
        tiers.append(Tier(up_to[0] if up_to else None, rate))
    if not tiers or tiers[-1].up_to is not None:
        raise fault(path, "a specific row needs a rate, or tiers of which the last has no up_to")
    return tuple(tiers)


def _read_unit_rate(text: str) -> UnitRate:
    """Money per unit of units.csv."""
    rate = read_unit_rate(text)
    if find_unit(rate.unit) is None:
        raise ValueError(f"{rate.unit!r} is not a unit; see units.csv")
    return rate


def read_measure(raw: Any, context: Context, path: str) -> Measure:
    """Read one measure with its periods."""
    raw = check_keys(raw, _MEASURE_KEYS, path)
    for key in ("id", "authority"):
        if not raw.get(key):
            raise fault(path, f"a measure needs {key}")
    announced = read(raw, "status", one_of("", "announced"), "", path) == "announced"
    periods = raw.get("periods", [])
    sources = RowSources(
        context.row_sets,
        {p["id"]: p.get("rows", []) for p in periods if isinstance(p, Mapping) and "id" in p},
    )
    direction = read(raw, "direction", one_of(*DIRECTIONS), IMPORT, path)
    measure = Measure(
        id=raw["id"],
        title=raw.get("title", raw["id"]),
        authority=raw["authority"],
        direction=direction,
        periods=tuple(
            _read_period(item, sources, context, f"{path}.periods[{index}]")
            for index, item in enumerate(periods)
        ),
        modelled=read(raw, "modelled", read_yes, True, path),
        announced=announced,
        displaces_at_zero=read(raw, "displaces_at_zero", read_yes, False, path),
        touches=context.scope(raw.get("touches", {}), f"{path}.touches"),
        switch=context.switch(raw, path),
        cite=read_words(raw.get("cite", []), f"{path}.cite"),
        conf=read(raw, "conf", one_of(*CONFIDENCE), "U", path),
        note=raw.get("note", ""),
        tested_on=raw.get("tested_on", ""),
        market=raw.get("destination", context.destination) if direction == EXPORT else direction,
    )
    _check_prohibition(measure, path)
    _check_tested_on(measure, context, path)
    needs_flag = any(row.kind in {"topup_to", "minimum_price"} for p in measure.periods for row in p.rows)
    if needs_flag and not measure.displaces_at_zero:
        raise fault(path, "a measure with topup_to or minimum_price rows needs displaces_at_zero: yes")
    return measure


def _check_prohibition(measure: Measure, path: str) -> None:
    prohibits = {row.kind == PROHIBITION for p in measure.periods for row in p.rows if not row.relief}
    if True in prohibits and (len(prohibits) > 1 or measure.direction != IMPORT):
        raise fault(path, "a measure with prohibition rows must be on imports and charge nothing")


def _check_tested_on(measure: Measure, context: Context, path: str) -> None:
    if measure.tested_on:
        dates = [name for name, kind in context.claim_types.items() if kind == "date"]
        check_known((measure.tested_on,), dates, "claim of type date", f"{path}.tested_on")
    claims = {c.claim for p in measure.periods for row in p.rows for c in row.conditions}
    if measure.tested_on and ENTRY_DATE in claims:
        raise fault(path, f"a measure tested on {measure.tested_on} must have no condition on the entry date")


def _read_period(raw: Any, sources: RowSources, context: Context, path: str) -> Period:
    raw = check_keys(raw, _PERIOD_KEYS, path)
    if not raw.get("id"):
        raise fault(path, "a period needs an id")
    start = read(raw, "from", context.instant, None, path)
    cite = read_words(raw.get("cite", []), f"{path}.cite")
    conf = read(raw, "conf", one_of(*CONFIDENCE), "C", path)
    if not cite and conf in "AB":
        raise fault(path, "a period without a citation needs confidence C or U")
    rows = read_rows(raw.get("rows", []), sources, context, f"{path}.rows")
    return Period(
        id=raw["id"],
        start=start,
        end=read(raw, "to", context.instant, None, path),
        known_from=context.known_from(raw, start, path),
        rows=tuple(row._replace(acts=(raw["id"],)) for row in rows),
        cite=cite,
        conf=conf,
        switch=context.switch(raw, path),
    )


def read_rule(raw: Any, context: Context, path: str) -> Rule:
    """Read one stacking rule or one_of group."""
    raw = check_keys(raw, _RULE_KEYS, path)
    members = read_words(raw.get("one_of", []), f"{path}.one_of")
    take, pick = raw.get("take", ""), raw.get("pick", "first" if members else "")
    if members and pick not in {"first", "highest"}:
        raise fault(f"{path}.pick", "wants first or highest")
    if not members and take not in TAKES:
        raise fault(f"{path}.take", f"wants one of {', '.join(TAKES)}")
    start = read(raw, "from", context.instant, None, path)
    return Rule(
        id=raw.get("id", path),
        start=start,
        end=read(raw, "to", context.instant, None, path),
        known_from=context.known_from(raw, start, path) if start or "known_from" in raw else None,
        switch=context.switch(raw, path),
        when=read_words(raw.get("when", []), f"{path}.when"),
        when_not=frozenset(read_words(raw.get("when_not", []), f"{path}.when_not")),
        conditions=context.conditions(raw.get("if", []), f"{path}.if"),
        unless=context.conditions(raw.get("unless", []), f"{path}.unless"),
        on=read_words(raw.get("on", []), f"{path}.on"),
        take=take,
        base=read_weights(raw["base"], f"{path}.base") if "base" in raw else FULL_BASE,
        members=members,
        pick=pick,
        heading=raw.get("heading", ""),
        text=raw.get("text", ""),
        cite=read_words(raw.get("cite", []), f"{path}.cite"),
        conf=read(raw, "conf", one_of(*CONFIDENCE), "C", path),
        leaves=read_words(raw.get("leaves", []), f"{path}.leaves"),
        ends=each(
            raw.get("events", []), lambda item, place: _read_rule_end(item, context, place), f"{path}.events"
        ),
    )


def _read_rule_end(raw: Raw, context: Context, path: str) -> RuleEnd:
    raw = check_keys(raw, _RULE_END_KEYS, path)
    read_required(raw, "op", one_of("terminate"), path)
    cite = read_words(raw.get("cite", []), f"{path}.cite")
    conf = read(raw, "conf", one_of(*CONFIDENCE), "C", path)
    if not cite and conf in "AB":
        raise fault(path, "the end of a rule without a citation needs confidence C or U")
    return RuleEnd(
        at=read_required(raw, "at", context.instant, path),
        known_from=read_required(raw, "known_from", read_day, path),
        switch=context.switch(raw, path),
        cite=cite,
        conf=conf,
    )


def read_claim(name: str, raw: Any, names: Names) -> Claim:
    """Read one claim of claims.yaml."""
    path = f"claims.{name}"
    raw = check_keys(raw, _CLAIM_KEYS, path)
    return Claim(
        id=name,
        type=read_required(raw, "type", one_of(*CLAIM_TYPES), path),
        role=read(raw, "role", one_of(*ROLES), "relief", path),
        partition=raw.get("partition", ""),
        asks=_read_asks(raw.get("ask", []), names, f"{path}.ask"),
        codes=read(raw, "codes", one_of(*CODE_KINDS), "", path),
        reference=raw.get("reference", ""),
        text=raw.get("text", ""),
        source=read_words(raw.get("source", []), f"{path}.source"),
    )


def _read_asks(raw: Any, names: Names, path: str) -> tuple[Scope, ...]:
    """Read the scopes a claim is asked for: none, one, or a list of them."""
    if isinstance(raw, Mapping):
        return (_read_scope(raw, names, path),)
    return tuple(_read_scope(scope, names, f"{path}[{index}]") for index, scope in enumerate(raw))


def read_switch(name: str, raw: Any) -> Switch:
    """Read one switch of switches.yaml."""
    path = f"switches.{name}"
    raw = check_keys(raw, _SWITCH_KEYS, path)
    values = read_words(raw.get("values", []), f"{path}.values")
    if raw.get("default") not in values:
        raise fault(f"{path}.default", f"wants one of the values {', '.join(values)}")
    return Switch(
        name,
        raw["default"],
        values,
        raw.get("text", ""),
        read_words(raw.get("cite", []), path),
        raw.get("conf", "C"),
    )


def read_reference(name: str, raw: Any, names: Names) -> Reference:
    """Read one reference share of references.yaml."""
    path = f"references.{name}"
    raw = check_keys(raw, frozenset({"switch", "text", "variants"}), path)
    tables: dict[str, str] = {}
    rules: dict[str, tuple[ShareRule, ...]] = {}
    for variant, item in raw["variants"].items():
        item = check_keys(item, frozenset({"table", "rules"}), f"{path}.{variant}")
        if "table" in item:
            tables[variant] = item["table"]
        else:
            rules[variant] = tuple(
                _read_share_rule(rule, names, f"{path}.{variant}.rules[{index}]")
                for index, rule in enumerate(item["rules"])
            )
    return Reference(name, raw.get("switch", ""), tables, rules, raw.get("text", ""))


def _read_share_rule(raw: Raw, names: Names, path: str) -> ShareRule:
    return ShareRule(_read_scope(raw, names, path), read_required(raw, "share", read_share, path))


def _read_scope(raw: Raw, names: Names, path: str) -> Scope:
    scope = read_scope(raw, path)
    names.check_scope(scope, path)
    return scope
