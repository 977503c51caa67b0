"""Ordinary (MFN) rates of table lines as fractions of value, and quantities in the units of specific duties."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, Bools
from tariffs.engine.errors import NOTES
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.law.provisions import provisions_beside
from tariffs.engine.schedule.lines import Schedule, load_schedule
from tariffs.engine.schedule.rates import parse_rate
from tariffs.engine.schedule.units import convert, find_unit
from tariffs.engine.tables.columns import RATE_COLUMN
from tariffs.engine.tables.line_arrays import LineArrays

_STATED = "ORDINARY_RATE_STATED"


def ordinary_rates(frame: pl.DataFrame, lines: LineArrays, law: Law) -> tuple[dict[str, Any], list[Note]]:
    """Rates per piece: `general`, `other`, and `special` by the claim of a special program; and notes.

    A rate per unit is exact where the line gives a convertible quantity, else the reference equivalent of its code.
    """
    schedule = load_schedule()
    codes = pl.Series("code", lines.codes)
    rates = schedule.rates(codes, law.as_of)
    general = rates["ave"].fill_null(0.0).to_numpy()[lines.piece_code]
    other = rates["col2_ave"].fill_null(0.0).to_numpy()[lines.piece_code]
    general = _with_quantities(frame, lines, rates["general_text"].to_list(), general)
    other = _with_quantities(frame, lines, rates["other_text"].to_list(), other)
    stated = stated_rates(frame)[lines.piece_line]
    own = ~np.isnan(stated)
    general, other = np.where(own, stated, general), np.where(own, stated, other)
    programs = {claim: _program_rates(lines, law, schedule, claim) for claim in _claims(law)}
    special = {
        claim: np.where(np.isnan(rate), np.where(_declared(frame, lines, claim), general, 0.0), rate)
        for claim, rate in programs.items()
    }
    notes = _notes(rates["ave_note"].fill_null("").to_list(), lines, own)
    notes += [
        note
        for claim, rate in programs.items()
        for note in _not_open(frame, lines, law, claim, rate, general)
    ]
    return {"general": general, "other": other, "special": special}, notes


def stated_rates(frame: pl.DataFrame) -> F64:
    """Ordinary rate that each line states, as a fraction of its value; NaN where it states none."""
    if RATE_COLUMN not in frame.columns:
        return np.full(frame.height, np.nan)
    return frame[RATE_COLUMN].fill_null(float("nan")).to_numpy()


def _notes(note_of_code: list[str], lines: LineArrays, stated: Bools) -> list[Note]:
    """Notes on the basis of general rates: equivalents or stated rates, with the value concerned."""
    names = sorted({*note_of_code, _STATED} - {""})
    place = np.array([names.index(note) if note else -1 for note in note_of_code])[lines.piece_code]
    place[stated] = names.index(_STATED)
    value = lines.value[lines.piece_line] * lines.piece_weight
    return [
        Note(name, f"{NOTES[name].capitalize()}: lines worth {float(value[place == index].sum()):,.0f} USD.")
        for index, name in enumerate(names)
        if (place == index).any()
    ]


def _claims(law: Law) -> list[str]:
    return sorted({program.claim for program in law.programs.values()})


def _program_rates(lines: LineArrays, law: Law, schedule: Schedule, claim: str) -> F64:
    """Special rate of each piece under a claim; NaN where the origin has no program for the code.

    There a declared claim has no effect, and a default share means value that entered free under another provision.
    """
    rate = np.full(len(lines.piece_line), np.nan)
    origin = lines.origin[lines.piece_line]
    by_program = _rates_by_program(lines, law, schedule, claim)
    for symbols, origins in _origins_by_programs(lines, law, claim).items():
        lowest = np.fmin.reduce([by_program[symbol] for symbol in symbols])
        pieces = np.flatnonzero(np.isin(origin, origins))
        rate[pieces] = lowest[lines.piece_code[pieces]]
    return rate


def _rates_by_program(lines: LineArrays, law: Law, schedule: Schedule, claim: str) -> dict[str, F64]:
    """Special rate of each code under each program of a claim; NaN where the program is not open to the code."""
    symbols = [program.symbol for program in law.programs.values() if program.claim == claim]
    codes = pl.DataFrame({"code": pl.Series(lines.codes, dtype=pl.String)}).with_row_index("place")
    found = schedule.special_rates(codes["code"], symbols, law.as_of).join(codes, on="code")
    rates = {symbol: np.full(codes.height, np.nan) for symbol in symbols}
    for (symbol,), part in found.partition_by("program", as_dict=True).items():
        rates[symbol][part["place"].to_numpy()] = part["special_ave"].to_numpy()
    return rates


def _origins_by_programs(lines: LineArrays, law: Law, claim: str) -> dict[tuple[str, ...], list[int]]:
    """Group the origins that have programs of a claim by the symbols of these."""
    programs = [program for program in law.programs.values() if program.claim == claim]
    groups: dict[tuple[str, ...], list[int]] = {}
    for index, origin in enumerate(lines.origins):
        symbols = tuple(program.symbol for program in programs if origin in program.members)
        if symbols:
            groups.setdefault(symbols, []).append(index)
    return groups


def _declared(frame: pl.DataFrame, lines: LineArrays, claim: str) -> Bools:
    """Mark the pieces whose line declares the claim."""
    if claim not in frame.columns:
        return np.zeros(len(lines.piece_line), dtype=bool)
    return np.asarray(frame[claim].is_not_null().to_numpy()[lines.piece_line])


def _not_open(
    frame: pl.DataFrame, lines: LineArrays, law: Law, claim: str, rate: F64, general: F64
) -> list[Note]:
    """Note on the value of lines that claim a preference without a program, where the general rate is not free.

    Lines that claim a provision which frees goods beside the preference are left out.
    """
    if claim not in frame.columns:
        return []
    granted = np.zeros(frame.height, dtype=bool)
    for name, codes in provisions_beside(law, claim).items():
        if name in frame.columns:
            granted |= frame[name].is_in(list(codes)).fill_null(value=False).to_numpy()
    share = np.where(granted, 0.0, frame[claim].fill_null(0.0).to_numpy())[lines.piece_line]
    value = lines.value[lines.piece_line] * lines.piece_weight * share
    closed = float(value[np.isnan(rate) & (general > 0)].sum())
    text = (
        f"{claim} is claimed, but no program covers goods worth {closed:,.0f} USD; the ordinary rate applies."
    )
    return [Note("PREFERENCE_NOT_OPEN", text)] if closed else []


def _with_quantities(frame: pl.DataFrame, lines: LineArrays, texts: list[str | None], rate: F64) -> F64:
    """Replace rates by exact ones where a line gives a quantity that converts to the unit of every specific term."""
    if "quantity" not in frame.columns or "unit" not in frame.columns:
        return rate
    given = (frame["quantity"].is_not_null() & frame["unit"].is_not_null()).to_numpy() & (lines.value > 0)
    pieces = np.flatnonzero(given[lines.piece_line])
    if not len(pieces):
        return rate
    rate = rate.copy()
    quantity, unit = frame["quantity"].to_numpy(), frame["unit"].to_list()
    factors: dict[tuple[str, str], float | None] = {}
    parsed = {text: parse_rate(text) for text in set(texts) if text}
    for piece in pieces:
        text, line = texts[lines.piece_code[piece]], lines.piece_line[piece]
        terms = parsed[text] if text else None
        if terms is None or not terms.specific or not terms.computable:
            continue
        per_unit = [_factor(unit[line], per, factors) for _, per in terms.specific]
        if None not in per_unit:
            usd = sum(
                float(money) * (f or 0.0) for (money, _), f in zip(terms.specific, per_unit, strict=True)
            )
            rate[piece] = float(terms.ad_valorem) + usd * quantity[line] / lines.value[line]
    return rate


def _factor(unit: str, to: str, known: dict[tuple[str, str], float | None]) -> float | None:
    if (unit, to) not in known:
        known_unit = find_unit(unit) is not None and find_unit(to) is not None
        one = convert(Decimal(1), unit, to) if known_unit else None
        known[unit, to] = None if one is None else float(one)
    return known[unit, to]


def quantities_by_unit(frame: pl.DataFrame, law: Law) -> dict[str, F64]:
    """Quantity of each line in every unit of a specific rate or minimum price of a measure; NaN if unknown."""
    wanted = {t.rate.unit for m in law.measures.values() for p in m.periods for r in p.rows for t in r.tiers}
    wanted |= {r.price.unit for m in law.measures.values() for p in m.periods for r in p.rows if r.price}
    if not wanted or "quantity" not in frame.columns or "unit" not in frame.columns:
        return {}
    return {to: quantity_in(frame, to) for to in sorted(wanted)}


def quantity_in(frame: pl.DataFrame, to: str) -> F64:
    """Quantity of each line in a unit; NaN if unknown."""
    if "quantity" not in frame.columns or "unit" not in frame.columns:
        return np.full(frame.height, np.nan)
    factors: dict[tuple[str, str], float | None] = {}
    quantity = frame["quantity"].fill_null(float("nan")).to_numpy()
    factor = [_factor(unit, to, factors) if unit else None for unit in frame["unit"].to_list()]
    converted: F64 = quantity * np.array([np.nan if one is None else one for one in factor])
    return converted
