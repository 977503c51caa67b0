"""The other direction: what goods of one country pay where another answers its duties.

The base is the value with freight and insurance (CIF), value added tax falls on base and duty together, and days are
those of the importing country's clock. Ordinary duty and tax are in law/exports.yaml; answers are measures of the
direction `export`. Lists are at 6 digits, because the two schedules share no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from tariffs.engine.entryline import Number, entry_instant, read_charge, read_known_on
from tariffs.engine.errors import InputError
from tariffs.engine.facts import ClaimValue, read_claims
from tariffs.engine.law.conditions import ENTRY_DATE, Fact
from tariffs.engine.law.law import Active, InForce, Law
from tariffs.engine.law.matching import Prefixes, Reach, candidates
from tariffs.engine.law.model import Row
from tariffs.engine.law.notes import Note
from tariffs.engine.law.stacking import Layer, walk
from tariffs.engine.law.text import digits, is_code, read_rate
from tariffs.engine.provenance import engine_version
from tariffs.engine.rating import first_fit
from tariffs.engine.trade.countries import is_country

EXPORT = "export"
ORDINARY = "ordinary"
QUOTA_CLAIM = "in_quota_share"
SHARED_DIGITS = 6
CENT, ZERO, ONE = Decimal("0.01"), Decimal(0), Decimal(1)
_SHARED = "The goods are matched at 6 digits, which is as far as the schedules of the two sides agree."


@dataclass(frozen=True, slots=True)
class ExportLine:
    """One line of goods as they arrive in the importing country.

    `value` (at the port of export), `freight` and `insurance` are US dollars; `entry` is a day or instant on that
    country's clock (a day is its noon; None is the law's as-of day); `ordinary_rate` is the ordinary rate as a
    fraction, for goods whose rate the law data does not hold.
    """

    hts: str
    origin: str
    value: Number
    entry: str | date | datetime | None = None
    claims: Mapping[str, ClaimValue] = field(default_factory=dict)
    freight: Number = ZERO
    insurance: Number = ZERO
    ordinary_rate: Number | None = None


@dataclass(frozen=True, slots=True)
class ExportLayer:
    """One layer of the duty: `rate` a fraction, `amount` US dollars in cents; `conf` is the law data's."""

    measure: str
    authority: str
    state: str
    rate: Decimal
    base: Decimal
    amount: Decimal
    owed: Decimal
    citations: tuple[str, ...]
    conf: str


@dataclass(frozen=True, slots=True)
class ExportQuote:
    """The answer: `assessed` is the sum of the layers, `rate` theirs on `cif`; `landed` is cif, duty and tax."""

    cif: Decimal
    assessed: Decimal
    owed: Decimal
    rate: Decimal
    vat_rate: Decimal
    vat: Decimal
    landed: Decimal
    layers: tuple[ExportLayer, ...]
    assumptions: tuple[str, ...]
    notes: tuple[Note, ...]
    provenance: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Goods:
    """A line as read."""

    code: str
    origin: str
    cif: Decimal
    instant: datetime
    facts: Mapping[str, Fact]


def assess_export(law: Law, line: ExportLine, *, known_on: str | date | None = None) -> ExportQuote:
    """The duty and landed cost of one line of exports under a law, after any scenario.

    Args:
        law: the law.
        line: the goods.
        known_on: as for imports; None is the law's as-of day.

    Raises:
        InputError: HTS_CODE_MALFORMED, ORIGIN_UNKNOWN, ENTRY_DATE_*, CUSTOMS_VALUE_INVALID, CHARGE_INVALID, CLAIM_*, or
            RATE_NOT_COMPUTABLE if the law data has no ordinary rate for the goods and the line gives none.
    """
    goods = _read(law, line)
    known = read_known_on(law, known_on, goods.instant.astimezone(law.zones[EXPORT]).date())
    in_force = law.in_force(goods.instant, known, EXPORT)
    assumptions = [_SHARED]
    ordinary = _ordinary(law, line, goods, assumptions)
    layers = (ordinary, *(_layer(layer, goods) for layer in _walked(in_force, goods)))
    assessed = sum((layer.amount for layer in layers), ZERO)
    vat_rate = read_rate(_first(law.exports["vat"], goods.code)["rate"])
    vat = _cents((goods.cif + assessed) * vat_rate)
    return ExportQuote(
        cif=goods.cif,
        assessed=assessed,
        owed=sum((layer.owed for layer in layers), ZERO),
        rate=sum((layer.rate for layer in layers), ZERO),
        vat_rate=vat_rate,
        vat=vat,
        landed=goods.cif + assessed + vat,
        layers=layers,
        assumptions=tuple(assumptions),
        notes=tuple(_unmodelled(in_force, goods)),
        provenance={
            "law_version": law.version,
            "law_digest": law.digest,
            "engine_version": engine_version(),
            "entry": goods.instant.astimezone(law.zones[EXPORT]).isoformat(),
            "known_on": known.isoformat(),
            "switches": _switches(law, layers),
        },
    )


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def _switches(law: Law, layers: tuple[ExportLayer, ...]) -> dict[str, str]:
    """The switches that the measures of the answer, or acts on them, hang on."""
    names: set[str] = set()
    for measure in (law.measures[layer.measure] for layer in layers if layer.measure in law.measures):
        dated = [measure.switch, *(period.switch for period in measure.periods)]
        dated += [act.change.switch for act in law.acts[measure.id]]
        names |= {name for switch in dated for name in switch}
    return {name: law.setting(name) for name in sorted(names)}


# -- reading ---------------------------------------------------------------------------------------------------


def _read(law: Law, line: ExportLine) -> _Goods:
    code = digits(line.hts.strip())
    if not is_code(code) or len(code) < SHARED_DIGITS:
        raise InputError(
            "HTS_CODE_MALFORMED",
            f"{line.hts!r} is not a code of at least 6 digits.",
            field="hts",
            fix="Give the code of the Harmonized System, 6 digits or more.",
        )
    origin = line.origin.strip().upper()
    if not is_country(origin):
        raise InputError(
            "ORIGIN_UNKNOWN",
            f"{line.origin!r} is not a country of the law.",
            field="origin",
            fix="Give the ISO 3166-1 alpha-2 code of the country the goods come from.",
        )
    instant = entry_instant(law, line.entry, EXPORT)
    facts = {**read_claims(law.claims, line.claims, law.zones[EXPORT]), ENTRY_DATE: instant}
    charges = read_charge(line.freight, "freight") + read_charge(line.insurance, "insurance")
    return _Goods(code, origin, _value(line) + charges, instant, facts)


def _value(line: ExportLine) -> Decimal:
    try:
        return read_charge(line.value, "customs_value")
    except InputError as error:
        raise InputError(
            "CUSTOMS_VALUE_INVALID", error.message, field="customs_value", fix=error.fix
        ) from None


# -- layers ----------------------------------------------------------------------------------------------------


def _walked(in_force: InForce, goods: _Goods) -> list[Layer]:
    fits: list[tuple[Active, Row]] = []
    for active, rows in candidates(in_force, goods.code, goods.origin):
        row = first_fit(rows, goods.facts)
        if row is not None and not row.absent:
            fits.append((active, row))
    return walk(fits, in_force.rules, lambda condition: condition.holds(goods.facts), frozenset())


def _layer(layer: Layer, goods: _Goods) -> ExportLayer:
    measure, row = layer.active.measure, layer.row
    rate = (row.rate or ZERO) if layer.charged else ZERO
    amount = _cents(goods.cif * rate)
    return ExportLayer(
        measure=measure.id,
        authority=measure.authority,
        state=layer.state,
        rate=rate,
        base=goods.cif,
        amount=amount,
        owed=ZERO if row.void else amount,
        citations=layer.active.citations(row),
        conf=measure.conf,
    )


def _first(entries: list[Mapping[str, Any]], code: str) -> Mapping[str, Any]:
    """The first entry that reaches a code; empty if none does."""
    found = (one for one in entries if code in Prefixes.of(digits(name) for name in one["products"]))
    return next(found, {})


def _ordinary(law: Law, line: ExportLine, goods: _Goods, assumptions: list[str]) -> ExportLayer:
    entry = _first(law.exports["ordinary"], goods.code)
    if line.ordinary_rate is not None:
        rate, cite, conf = _given_rate(line.ordinary_rate), (), ""
    elif not entry:
        raise InputError(
            "RATE_NOT_COMPUTABLE",
            f"The law data has no ordinary rate for {line.hts} in the importing country.",
            field="ordinary_rate",
            fix="Give the ordinary rate as a fraction.",
        )
    else:
        rate, cite, conf = _known_rate(entry, goods, assumptions), tuple(entry["cite"]), entry["conf"]
    amount = _cents(goods.cif * rate)
    return ExportLayer(ORDINARY, ORDINARY, "applied", rate, goods.cif, amount, amount, cite, conf)


def _known_rate(entry: Mapping[str, Any], goods: _Goods, assumptions: list[str]) -> Decimal:
    """The rate of an entry; a quota is two rates weighted by the share within it."""
    rate = read_rate(entry["rate"])
    if "in_quota" not in entry:
        return rate
    share = goods.facts.get(QUOTA_CLAIM)
    if not isinstance(share, Decimal):
        share = ONE
        assumptions.append(f"{QUOTA_CLAIM}: not declared; all of it is taken to be within the tariff quota.")
    return share * read_rate(entry["in_quota"]) + (ONE - share) * rate


def _given_rate(given: Number) -> Decimal:
    try:
        rate = Decimal(str(given))
    except InvalidOperation:
        rate = Decimal("NaN")
    if not rate.is_finite() or rate < 0:
        raise InputError(
            "PARAMETER_INVALID",
            f"ordinary_rate is {given}.",
            field="ordinary_rate",
            fix="Give a fraction of at least 0.",
        )
    return rate


def _unmodelled(in_force: InForce, goods: _Goods) -> list[Note]:
    return [
        Note(
            "NOT_MODELLED",
            f"{found.measure.id} may touch this line: {found.measure.note}; it charges nothing here.",
        )
        for found in in_force.unmodelled
        if Reach.of(found.measure.touches, in_force).fits(goods.code, goods.origin)
    ]
