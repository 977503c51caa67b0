"""Quote one line of exports: retaliatory duties, ordinary duty and tax of the importing country.

Goods are rated by the lines of the schedule of that country that their code covers, each as an entry line of its own
class, and the lines are summed by their weights. Days are those of the time zone of the importing country.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple, TypeVar

from tariffs.engine.base.provenance import law_facts
from tariffs.engine.errors import InputError
from tariffs.engine.law.describe_rows import percent
from tariffs.engine.law.law import EXPORT, Law
from tariffs.engine.law.markets import OrdinaryRate
from tariffs.engine.law.matching import Reach
from tariffs.engine.law.model import Scope
from tariffs.engine.law.notes import Note, unread, void_suspensions
from tariffs.engine.line_duty.class_profile import ClassProfile, profile_in
from tariffs.engine.line_duty.export_line import ExportLine, ReadExport, read_export
from tariffs.engine.line_duty.layer_reasons import why
from tariffs.engine.line_duty.pricing import Goods, PricedRow, Pricer, RateOf, cents
from tariffs.engine.line_duty.rounding import QuoteLayer, layers_priced
from tariffs.engine.schedule.lines import ScheduleLine
from tariffs.engine.schedule.rates import AD_VALOREM, REFERENCE, Rate
from tariffs.engine.tables.export_rates import no_rate

ZERO, ONE = Decimal(0), Decimal(1)
_MIXED_RATE = Decimal("1e-6")
T = TypeVar("T")
_Key = tuple[str, str, str]


class ExportDuty(NamedTuple):
    """Duty of one measure on a line of exports, in dollars and cents; `conf` is the confidence of the law data.

    `rate` is a fraction of `base`: the mean where several rows charge parts of the goods. `part` is the base as a
    fraction of the value for duty. `min` and `max` bound the amount over facts that are asked and not declared.
    """

    measure: str
    authority: str
    state: str
    rate: Decimal
    base: Decimal
    part: Decimal
    amount: Decimal
    owed: Decimal
    min: Decimal
    max: Decimal
    citations: tuple[str, ...]
    conf: str
    why: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ExportQuote:
    """Answer for a line of exports.

    `base` is the value that duty is charged on, `cif` that with freight and insurance; `rate` is the sum of the layers
    on the base, `landed` the sum of cif, duty and tax.
    """

    cif: Decimal
    base: Decimal
    assessed: Decimal
    owed: Decimal
    min: Decimal
    max: Decimal
    rate: Decimal
    tax: str
    vat: Decimal
    landed: Decimal
    layers: tuple[ExportDuty, ...]
    missing_claims: tuple[str, ...]
    assumptions: tuple[str, ...]
    notes: tuple[Note, ...]
    provenance: Mapping[str, object]


class ClassShare(NamedTuple):
    """Share of the goods of one class and ordinary rate, priced as if it were all of them."""

    share: Decimal
    ordinary: OrdinaryRate
    profile: ClassProfile
    pricer: Pricer
    layers: Sequence[QuoteLayer]


def quote_export(law: Law, line: ExportLine, *, known_on: str | date | None = None) -> ExportQuote:
    """Compute the duty and landed cost of one line of exports under a law.

    Args:
        law: the law, after any scenario.
        known_on: as for imports; None is the as-of day of the law.

    Raises:
        InputError: HTS_CODE_*, ORIGIN_UNKNOWN, ENTRY_DATE_*, CUSTOMS_VALUE_INVALID, CHARGE_INVALID, CLAIM_*,
            PARAMETER_INVALID, REQUEST_INVALID for an unknown destination, or RATE_NOT_COMPUTABLE if neither the law
            data nor the line gives an ordinary rate, or if it or another duty is not ad valorem.
    """
    goods = read_export(law, line, known_on)
    parts, market = _parts(goods), goods.market
    layers = tuple(_layers(parts, goods.base))
    assessed = sum((layer.amount for layer in layers), ZERO)
    tax = cents((goods.base + assessed) * market.tax_rate(goods.code))
    profiles = [part.profile for part in parts]
    return ExportQuote(
        cif=goods.cif,
        base=goods.base,
        assessed=assessed,
        owed=sum((layer.owed for layer in layers), ZERO),
        min=sum((layer.min for layer in layers), ZERO),
        max=sum((layer.max for layer in layers), ZERO),
        rate=sum((layer.rate * layer.part for layer in layers), ZERO),
        tax=market.tax,
        vat=tax,
        landed=goods.cif + assessed + tax,
        layers=layers,
        missing_claims=_distinct(profile.missing for profile in profiles),
        assumptions=(
            *goods.assumptions,
            *_shared_by(parts),
            *_distinct(profile.assumptions for profile in profiles),
        ),
        notes=(*goods.notes, *_distinct(profile.notes for profile in profiles), *_dated_notes(law, goods)),
        provenance={
            **law_facts(law),
            "direction": EXPORT,
            "to": market.code,
            "entry": goods.instant.astimezone(market.zone).isoformat(),
            "known_on": goods.known_on.isoformat(),
            "switches": {name: value for profile in profiles for name, value in profile.switches.items()},
        },
    )


def _dated_notes(law: Law, goods: ReadExport) -> tuple[Note, ...]:
    """Notes on suspensions that ended without effect, and on a day after the last one read."""
    in_force = goods.segment.in_force

    def reaches(scope: Scope) -> bool:
        reach = Reach.of(scope, in_force)
        return any(reach.fits(code, goods.origin) for code, _, _ in goods.lines)

    day = goods.instant.astimezone(goods.market.zone).date()
    void = void_suspensions(law, goods.instant, goods.known_on, reaches, goods.market.code)
    return (*void, *unread(law, day, goods.known_on))


def _parts(goods: ReadExport) -> list[ClassShare]:
    """Price the classes of the lines of the goods, each as if all goods were in it.

    Raises:
        InputError: RATE_NOT_COMPUTABLE for a duty that is not ad valorem; TOO_MANY_ATOMS.
    """
    shares: dict[tuple[ClassProfile, OrdinaryRate], Decimal] = {}
    for code, weight, ordinary in goods.lines:
        key = profile_in(goods.segment, code, goods.origin, goods.facts), ordinary
        shares[key] = shares.get(key, ZERO) + weight
    # Goods without value are rated as goods of one dollar, so that their rates are known, and scaled to 0.
    value = goods.base or ONE
    day = goods.instant.date()
    preference = goods.market.preference
    claim = preference.claim if preference else ""
    parts = []
    for (profile, ordinary), share in shares.items():
        rated = Goods(goods.code, _schedule_line(ordinary), goods.origin, value, None, "", day)
        pricer = Pricer(rated, _rates(ordinary, claim))
        try:
            parts.append(ClassShare(share, ordinary, profile, pricer, layers_priced(pricer, profile).layers))
        except InputError as error:
            code = next(code for code, _, rate in goods.lines if rate == ordinary)
            raise _refusal(error, code) from None
    return parts


def _refusal(error: InputError, code: str) -> InputError:
    """Word the refusal of an entry line for a line of the schedule of the importing country."""
    if error.reason == "RATE_NOT_COMPUTABLE":
        return no_rate(code, error.metadata["rate"])
    if error.reason != "QUANTITY_REQUIRED":
        return error
    return InputError(
        "RATE_NOT_COMPUTABLE",
        "A duty on these goods is charged by quantity, and a single line of exports is rated by value only.",
        field="hts",
        fix="Put the line in a table with its quantity.",
    )


def _rates(ordinary: OrdinaryRate, claim: str) -> RateOf:
    def rate_of(column: str, claimed: frozenset[str]) -> tuple[Rate, str]:
        is_preferred = column == "special" and claim in claimed
        return _stated(*(ordinary.preferred if is_preferred else (ordinary.rate, ordinary.text))), ""

    return rate_of


def _stated(rate: Decimal | None, text: str) -> Rate:
    return Rate(REFERENCE, text=text) if rate is None else Rate(AD_VALOREM, rate, text=percent(rate))


def _schedule_line(ordinary: OrdinaryRate) -> ScheduleLine:
    """Schedule line of the importing country, of which the law data has the ordinary rate only."""
    rate = _stated(ordinary.rate, ordinary.text)
    return ScheduleLine("", rate, rate, "", suffix_note=False)


def _layers(parts: Sequence[ClassShare], value: Decimal) -> Iterator[ExportDuty]:
    """Merge the layers of all parts by measure, heading and state; `value` is what duty is charged on."""
    merged: dict[_Key, list[tuple[ClassShare, QuoteLayer]]] = {}
    rows: dict[_Key, list[tuple[Decimal, PricedRow]]] = {}
    for part in parts:
        for layer in part.layers:
            merged.setdefault((layer.measure, layer.heading, layer.assumed_state), []).append((part, layer))
        for atom in part.profile.declared:
            for priced in part.pricer.price_all(atom.assessed):
                rows.setdefault(priced.key, []).append((part.share * atom.weight, priced))
    # In the order of the law, as the layers of one part are.
    for key, of_parts in sorted(merged.items(), key=lambda one: one[1][0][1].priced.layer.active.index):
        yield _merged(of_parts, rows.get(key, []), value)


def _merged(
    of_parts: Sequence[tuple[ClassShare, QuoteLayer]],
    rows: Sequence[tuple[Decimal, PricedRow]],
    value: Decimal,
) -> ExportDuty:
    first, layer = of_parts[0]
    scale = value / (value or ONE)

    def total(amount: Callable[[QuoteLayer], Decimal]) -> Decimal:
        return sum((part.share * amount(one) for part, one in of_parts), ZERO) * scale

    base, amount = total(lambda one: one.priced.base), total(lambda one: one.priced.amount)
    is_ordinary = layer.priced.layer.row.kind == "ordinary"
    return ExportDuty(
        measure=layer.measure,
        authority=layer.authority,
        state=layer.state,
        rate=_mean_rate(of_parts, rows),
        base=cents(base),
        part=sum((part.share * one.priced.base for part, one in of_parts), ZERO) / (value or ONE),
        amount=cents(amount),
        owed=cents(total(lambda one: one.owed)),
        min=cents(total(lambda one: one.min)),
        max=cents(total(lambda one: one.max)),
        citations=(*(first.ordinary.citations if is_ordinary else ()), *layer.citations),
        conf=(first.ordinary.conf if is_ordinary else "") or layer.priced.layer.active.measure.conf,
        why=_reason(layer, rows),
    )


def _mean_rate(
    of_parts: Sequence[tuple[ClassShare, QuoteLayer]], rows: Sequence[tuple[Decimal, PricedRow]]
) -> Decimal:
    """Rate of the only row, or the mean of several weighted by base; 0 where nothing is charged."""
    rates = {priced.rate or ZERO for _, priced in rows if priced.layer.charged}
    base = sum((part.share * one.priced.base for part, one in of_parts), ZERO)
    if len(rates) > 1 and base:
        amount = sum((part.share * one.priced.amount for part, one in of_parts), ZERO)
        return (amount / base).quantize(_MIXED_RATE)
    return next(iter(rates), ZERO)


def _reason(layer: QuoteLayer, rows: Sequence[tuple[Decimal, PricedRow]]) -> dict[str, str]:
    """Reason of the first row; the sentence covers all rows, each with its share of the goods."""
    reason = dict(layer.why)
    shares: dict[str, Decimal] = {}
    for weight, priced in rows:
        text = why(priced, layer.rule_texts)["text"]
        shares[text] = shares.get(text, ZERO) + weight
    if len(shares) > 1:
        reason["text"] = " ".join(f"{percent(share)} of the goods: {text}" for text, share in shares.items())
    return reason


def _shared_by(parts: Sequence[ClassShare]) -> tuple[str, ...]:
    if len(parts) == 1:
        return ()
    shares = ", ".join(percent(part.share.quantize(_MIXED_RATE)) for part in parts)
    return (
        f"The code covers lines of the schedule with different duties, with these shares of the goods: {shares}.",
    )


def _distinct(texts: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(one for each in texts for one in each))


__all__ = ["ExportDuty", "ExportLine", "ExportQuote", "quote_export"]
