"""From the raw text form of law data to the values of `model` (docs/law-data.md describes the form)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tariffs.engine.law.amendments import read_words
from tariffs.engine.law.conditions import ENTRY_DATE
from tariffs.engine.law.model import (
    CONFIDENCE,
    FULL_BASE,
    KINDS,
    METALS,
    PARTS,
    PROHIBITION,
    TERMS,
    Measure,
    Period,
    Row,
    Rule,
    Tier,
    Weights,
)
from tariffs.engine.law.raw_fields import Context, Raw, check_keys, fault, one_of, read, read_required
from tariffs.engine.law.values import UnitRate, read_amount, read_rate, read_unit_rate, read_weight, read_yes
from tariffs.engine.schedule.units import find_unit

_ROW_KEYS = frozenset(
    [
        "use",
        "origins",
        "not_origins",
        "products",
        "not_products",
        "if",
        "kind",
        "rate",
        "tiers",
        "price",
        "column",
        "base",
        "heading",
        "heading_at_zero",
        "split_heading",
        "undeclared",
        "by_origin",
    ]
)
_PERIOD_KEYS = frozenset(["id", "from", "to", "known_from", "rows", "cite", "conf", "switch", "note"])
_MEASURE_KEYS = frozenset(
    [
        "id",
        "title",
        "authority",
        "direction",
        "modelled",
        "status",
        "displaces_at_zero",
        "switch",
        "note",
        "touches",
        "tested_on",
        "cite",
        "conf",
        "periods",
        "events",
    ]
)
_RULE_KEYS = frozenset(
    [
        "id",
        "from",
        "to",
        "known_from",
        "switch",
        "when",
        "when_not",
        "if",
        "unless",
        "on",
        "take",
        "base",
        "heading",
        "text",
        "cite",
        "conf",
        "one_of",
        "pick",
        "note",
    ]
)
TAKES = ("all", "content", "base")
DIRECTIONS = ("import", "export", "port_call", "control")
_OF_A_DUTY = frozenset({"rate", "tiers", "price", "column", "base", "heading_at_zero", "split_heading"})


def read_weights(raw: Any, path: str) -> Weights:
    """The weight of each part of a value, from weights over the base terms; each must come out between 0 and 1."""
    known = check_keys(raw, frozenset(TERMS), path)
    weights = [Decimal(0)] * len(PARTS)
    for term, text in known.items():
        for part in TERMS[term]:
            weights[part] += read_required({term: text}, term, read_weight, path)
    if not 0 <= min(weights) <= max(weights) <= 1:
        raise fault(path, "some part of the value would have a weight below 0 or above 1")
    return tuple(weights)


def read_metals(raw: Any) -> tuple[int, ...]:
    """The metal parts a base names."""
    return tuple(part for part in METALS if read_weight(raw.get(PARTS[part], "0")) > 0)


def read_rows(raw: Any, context: Context, path: str) -> tuple[Row, ...]:
    """The rows of a period, with row sets and by_origin rows spelled out."""
    rows: list[Row] = []
    for index, item in enumerate(raw):
        where = f"{path}[{index}]"
        item = check_keys(item, _ROW_KEYS, where)
        if "use" in item:
            if item["use"] not in context.row_sets:
                raise fault(f"{where}.use", f"no row set {item['use']!r}")
            rows.extend(read_rows(context.row_sets[item["use"]], context, f"row_sets.{item['use']}"))
        elif "by_origin" in item:
            for origin, (rate, heading) in item["by_origin"].items():
                shared = {key: value for key, value in item.items() if key != "by_origin"}
                rows.append(
                    _read_row({**shared, "origins": origin, "rate": rate, "heading": heading}, context, where)
                )
        else:
            rows.append(_read_row(item, context, where))
    return tuple(rows)


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
        metals=read_metals(raw.get("base", {})),
        heading=raw.get("heading", ""),
        heading_at_zero=raw.get("heading_at_zero", ""),
        split_heading=raw.get("split_heading", ""),
        undeclared_applies=read(raw, "undeclared", one_of("", "applies"), "", path) == "applies",
    )
    if kind in {"add", "topup_to", "total"} and row.rate is None:
        raise fault(path, f"a row of kind {kind} needs a rate")
    if kind == "minimum_price" and row.price is None:
        raise fault(path, "a row of kind minimum_price needs a price")
    if kind == "ordinary" and row.column not in {"general", "special", "other"}:
        raise fault(f"{path}.column", "is general, special or other")
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
            raise fault(where, "up_to and rate are in one unit")
        tiers.append(Tier(up_to[0] if up_to else None, rate))
    if not tiers or tiers[-1].up_to is not None:
        raise fault(path, "a specific row has a rate, or tiers whose last has no up_to")
    return tuple(tiers)


def _read_unit_rate(text: str) -> UnitRate:
    """Money per unit of units.csv."""
    rate = read_unit_rate(text)
    if find_unit(rate.unit) is None:
        raise ValueError(f"{rate.unit!r} is not a unit; see units.csv")
    return rate


def read_measure(raw: Any, context: Context, path: str) -> Measure:
    """One measure with its periods."""
    raw = check_keys(raw, _MEASURE_KEYS, path)
    for key in ("id", "authority"):
        if not raw.get(key):
            raise fault(path, f"a measure needs {key}")
    announced = read(raw, "status", one_of("", "announced"), "", path) == "announced"
    measure = Measure(
        id=raw["id"],
        title=raw.get("title", raw["id"]),
        authority=raw["authority"],
        direction=read(raw, "direction", one_of(*DIRECTIONS), "import", path),
        periods=tuple(
            _read_period(item, context, f"{path}.periods[{i}]")
            for i, item in enumerate(raw.get("periods", []))
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
    )
    _check_prohibition(measure, path)
    _check_tested_on(measure, context, path)
    needs_flag = any(row.kind in {"topup_to", "minimum_price"} for p in measure.periods for row in p.rows)
    if needs_flag and not measure.displaces_at_zero:
        raise fault(path, "a measure with topup_to or minimum_price rows says displaces_at_zero: yes")
    return measure


def _check_prohibition(measure: Measure, path: str) -> None:
    prohibits = {row.kind == PROHIBITION for p in measure.periods for row in p.rows if not row.relief}
    if True in prohibits and (len(prohibits) > 1 or measure.direction != "import"):
        raise fault(path, "a measure with prohibition rows is on imports and charges nothing")


def _check_tested_on(measure: Measure, context: Context, path: str) -> None:
    if measure.tested_on and context.claim_types.get(measure.tested_on) != "date":
        raise fault(f"{path}.tested_on", f"{measure.tested_on!r} is not a claim of type date")
    claims = {c.claim for p in measure.periods for row in p.rows for c in row.conditions}
    if measure.tested_on and ENTRY_DATE in claims:
        raise fault(path, f"a measure tested on {measure.tested_on} has no condition on the entry date")


def _read_period(raw: Any, context: Context, path: str) -> Period:
    raw = check_keys(raw, _PERIOD_KEYS, path)
    if not raw.get("id"):
        raise fault(path, "a period needs an id")
    start = read(raw, "from", context.instant, None, path)
    cite = read_words(raw.get("cite", []), f"{path}.cite")
    conf = read(raw, "conf", one_of(*CONFIDENCE), "C", path)
    if not cite and conf in "AB":
        raise fault(path, "a period without a citation has confidence no better than C")
    rows = read_rows(raw.get("rows", []), context, f"{path}.rows")
    return Period(
        id=raw["id"],
        start=start,
        end=read(raw, "to", context.instant, None, path),
        known_from=context.known_from(raw, start, path),
        rows=tuple(replace(row, acts=(raw["id"],)) for row in rows),
        cite=cite,
        conf=conf,
        switch=context.switch(raw, path),
    )


def read_rule(raw: Any, context: Context, path: str) -> Rule:
    """One stacking rule or one_of group."""
    raw = check_keys(raw, _RULE_KEYS, path)
    members = read_words(raw.get("one_of", []), f"{path}.one_of")
    take, pick = raw.get("take", ""), raw.get("pick", "first" if members else "")
    if members and pick not in {"first", "highest"}:
        raise fault(f"{path}.pick", "is first or highest")
    if not members and take not in TAKES:
        raise fault(f"{path}.take", f"is one of {', '.join(TAKES)}")
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
    )


def list_day(day: str, zone: ZoneInfo) -> datetime | None:
    """The instant a list's day begins: one minute past midnight on the law's clock."""
    return datetime.fromisoformat(f"{day}T00:01").replace(tzinfo=zone).astimezone(UTC) if day else None
