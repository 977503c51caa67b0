"""DutyService.CalculateBom: landed cost and duty of a bill of materials under scenarios."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import polars as pl

from tariffs.engine.errors import InputError, TariffsError
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entry_dates import (
    covered_moment,
    known_on_text,
    law_day,
    unread_of,
)
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.schedule.countries import origin_codes
from tariffs.engine.schedule.country_names import read_country
from tariffs.firm.allocation import Allocation
from tariffs.firm.bill import Bill, BillRow, Limits, read_bill
from tariffs.firm.bill_costs import BillAmounts
from tariffs.firm.bill_origins import OriginDuties, origin_duties
from tariffs.firm.bom import BillRater, DutyChange, GroupCost, RatedBill, decimal_of
from tariffs.service.rpc.checks import decimal, few, required, word
from tariffs.service.rpc.duty import read_line
from tariffs.service.rpc.importer_requests import base_law, laws_of, scenarios_of, units_of
from tariffs.service.rpc.messages import message_of
from tariffs.service.rpc.shared import law_provenance, notes_of
from tariffs.service.wire.status import Cancelled, check_cancelled, failure_of, request_invalid, too_large
from tariffs.v1 import duty_service_pb2 as pb

_ROWS_LIMIT, _SCENARIOS_LIMIT = 20_000, 100
_ANSWER_LIMIT = 60 << 20
_ALL = "all"
_MONEY, _SIX = pl.Decimal(38, 2), Decimal("0.000001")
_MISSING = {
    "customs_value": ("UNIT_COST_MISSING", "A part that is bought needs a unit_cost."),
    "hts": ("HTS_CODE_MALFORMED", "A part that is bought needs an HTS code of 4 to 10 digits."),
    "origin": ("ORIGIN_UNKNOWN", "A part that is bought needs the ISO code of its country of origin."),
}


def calculate_bom(request: pb.CalculateBomRequest, cancelled: Cancelled) -> pb.CalculateBomResponse:
    """Rate a bill under each scenario; a row that cannot be used is a failure in the response.

    Raises:
        TariffsError: an invalid day, scenario, switch or origin, or BATCH_TOO_LARGE.
    """
    few(request.rows, "rows", _ROWS_LIMIT)
    if not request.rows:
        raise InputError(
            "TABLE_EMPTY", "The table has no rows.", field="rows", fix="Give a row for each part."
        )
    units = units_of(request)
    base, known_on = base_law(request)
    day = law_day(base, word(request.on, "on") or None, known_on).day
    scenarios = scenarios_of(request, _SCENARIOS_LIMIT)
    laws = [laws_of(request, scenario) for scenario in scenarios]
    origins = _origins(request.origins)
    rows = [_row(one) for one in request.rows]
    bill = read_bill(rows, units)
    until = _until(base, word(request.until, "until"))
    rater = BillRater(rows, bill, day, until, known_on=known_on, cancelled=cancelled)
    rated = []
    for one in laws:
        check_cancelled(cancelled)
        rated.append(rater.rate(one))
    readings = rater.pricing.readings(laws[0][0][1], day) if origins else {}
    listed = {row: readings[row] for use in bill.uses if (row := use.listed) in readings}
    sourced: Sequence[OriginDuties | None] = [None] * len(laws)
    if origins:
        sourced = origin_duties(listed, laws, day, known_on, origins, cancelled)
    check_cancelled(cancelled)
    response = pb.CalculateBomResponse(
        notes=notes_of((*_notes(rows, bill), *unread_of(base, [day], known_on)))
    )
    frames: dict[int, bytes] = {}
    structure = _structure(rows, bill)
    for scenario, one_bill, from_origins in zip(scenarios, rated, sourced, strict=True):
        response.scenarios.append(_scenario(scenario.id, rows, structure, one_bill, from_origins, frames))
    for row, error in {**bill.refused, **rater.pricing.unread(laws[0][0][1], day)}.items():
        response.failures[row].CopyFrom(failure_of(error))
    known = known_on_text(base, known_on)
    response.provenance.CopyFrom(law_provenance(base, request, scenarios, known_on=known, on=day.isoformat()))
    if (size := response.ByteSize()) > _ANSWER_LIMIT:
        raise too_large(
            f"The answer has {size:,} bytes; the limit is {_ANSWER_LIMIT:,}.",
            "scenarios",
            "Ask for fewer scenarios at a time.",
            size,
            _ANSWER_LIMIT,
        )
    return response


# -- the request -----------------------------------------------------------------------------------------------


def _origins(given: Sequence[str]) -> list[str]:
    if list(given) == [_ALL]:
        return sorted(origin_codes())
    few(given, "origins", len(origin_codes()))
    return list(dict.fromkeys(read_country(required(one, "origins", "Name countries."))[0] for one in given))


def _until(law: Law, text: str) -> date:
    zone = law.zones[IMPORT]
    if text:
        return covered_moment(law, text, "until").instant.astimezone(zone).date()
    return law.coverage[1].astimezone(zone).date() - timedelta(days=1)


def _row(message: pb.BomRow) -> BillRow:
    part, parent = message.part.strip(), message.parent.strip()
    try:
        word(part, "part")
        limits = Limits(
            *(
                _number(getattr(message, name), name, "QUANTITY_INVALID")
                for name in ("capacity", "min_order")
            ),
            *(_limit_share(message, name) for name in ("min_share", "max_share")),
        )
        return BillRow(
            part,
            word(parent, "parent"),
            word(message.supplier.strip(), "supplier"),
            _number(message.quantity, "quantity", "QUANTITY_INVALID"),
            _number(message.good_share, "yield", "BOM_YIELD_INVALID"),
            _goods(message.line),
            limits,
        )
    except TariffsError as error:
        return BillRow(part, parent, problem=error)


def _number(text: str, field: str, reason: str) -> Decimal | None:
    """Read a number of at least 0, or a percentage; None is empty text."""
    if not text:
        return None
    number = decimal(text.removesuffix("%").strip(), field, reason) / (100 if text.endswith("%") else 1)
    if number < 0:
        raise InputError(reason, f"{field} is {text}.", field=field, fix="Give a number of at least 0.")
    return number


def _limit_share(message: pb.BomRow, field: str) -> Decimal | None:
    share = _number(getattr(message, field), field, "REQUEST_INVALID")
    if share is not None and share > 1:
        raise request_invalid(f"{field} is {share}.", field, "Give a share from 0 to 1, such as 0.6 or 60%.")
    return share


def _goods(line: pb.EntryLine) -> EntryLine | TariffsError:
    """Read one unit of the goods of a row, amounts as decimals and the origin as its code; or why it cannot be."""
    for field, (reason, fix) in _MISSING.items():
        if not getattr(line, field):
            name = "unit_cost" if field == "customs_value" else field
            return InputError(reason, f"{name} is missing.", field=name, fix=fix)
    try:
        goods = read_line(line)
        # Without a quantity a unit of the part is one of its unit of measure.
        own = Decimal(1) if goods.quantity is None and goods.unit else goods.quantity
        return goods._replace(quantity=own, origin=read_country(goods.origin)[0], entry=None)
    except TariffsError as error:
        if error.field != "customs_value":
            return error
        message = error.message.replace("customs_value", "unit_cost")
        return InputError(error.reason, message, field="unit_cost", fix=error.fix)


def _notes(rows: Sequence[BillRow], bill: Bill) -> Iterator[Note]:
    unused = [use.listed for use in bill.uses if use.made and isinstance(rows[use.listed].goods, EntryLine)]
    if unused:
        text = f"Parts that are made of others cost what these do; the unit costs of {len(unused):,} rows are not used."
        yield Note("BOM_COST_UNUSED", text)


# -- the answer ------------------------------------------------------------------------------------------------


def _scenario(
    name: str,
    rows: Sequence[BillRow],
    structure: pl.DataFrame,
    rated: RatedBill,
    sourced: OriginDuties | None,
    frames: dict[int, bytes],
) -> pb.BomScenario:
    message = pb.BomScenario(
        id=name,
        total=message_of(pb.BomAmounts, rated.amounts),
        suppliers=[_group(one) for one in rated.suppliers],
        origins=[_group(one) for one in rated.origins],
        authorities=[
            pb.BomAuthority(authority=node, duty=f"{duty:.2f}") for node, duty in rated.authorities.items()
        ],
        changes=[_change(one) for one in rated.changes],
        allocation=_allocation(rows, rated.allocation),
    )
    by_reason: dict[str, pb.BomLeftOut] = {}
    for row, error in rated.left_out.items():
        by_reason.setdefault(
            error.reason, pb.BomLeftOut(reason=error.reason, message=str(error))
        ).rows.append(row)
    message.left_out.extend(by_reason.values())
    if sourced is not None:
        message.parts = _encoded(_parts(rows, structure, rated, sourced.least))
        message.from_origins.extend(
            message_of(pb.BomOrigin, one, rated_count=one.rated, left_out_count=one.left_out)
            for one in sourced.origins
        )
        return message
    key = id(rated.uses)
    if key not in frames:
        frames[key] = _encoded(_parts(rows, structure, rated, None))
    message.parts = frames[key]
    return message


def _group(one: GroupCost) -> pb.BomGroup:
    return message_of(pb.BomGroup, one, row_count=one.rows)


def _change(one: DutyChange) -> pb.BomChange:
    moved = (one.after - one.before) / one.before if one.before else None
    return message_of(
        pb.BomChange,
        one,
        change=None if moved is None else f"{moved.quantize(_SIX):f}",
        left_out_count=one.left_out,
        measures=dict.fromkeys(measure for act in one.acts for measure in act.measures),
        acts=[act.text for act in one.acts],
    )


def _allocation(rows: Sequence[BillRow], found: Allocation) -> pb.BomAllocation:
    chosen = found.purchases
    frame = pl.DataFrame(
        {
            "row": [one.row for one in chosen],
            "part": [rows[one.row].part for one in chosen],
            "supplier": [rows[one.row].supplier for one in chosen],
            "origin": [_origin(rows[one.row]) for one in chosen],
            "units": [_text(one.units) for one in chosen],
            "share": [float(one.share) for one in chosen],
            **{
                name: pl.Series([getattr(one.amounts, name) for one in chosen], dtype=_MONEY)
                for name in ("value", "duty", "landed")
            },
        }
    )
    return message_of(
        pb.BomAllocation,
        found,
        purchases=_encoded(frame),
        unmet=[
            pb.BomUnmet(part=part, reason=one.reason, message=str(one))
            for part, one in found.failures.items()
        ],
    )


def _structure(rows: Sequence[BillRow], bill: Bill) -> pl.DataFrame:
    """Make the columns of uses that no scenario changes."""
    uses = [(use, rows[use.listed]) for use in bill.uses]
    return pl.DataFrame(
        {
            "row": [use.listed for use, _ in uses],
            "part": [use.part for use, _ in uses],
            "parent": [use.parent for use, _ in uses],
            "level": [use.level for use, _ in uses],
            "made": [use.made for use, _ in uses],
            "supplier": ["" if use.made else row.supplier for use, row in uses],
            "origin": ["" if use.made else _origin(row) for use, row in uses],
            "units": [_text(use.units) for use, _ in uses],
        }
    )


def _parts(
    rows: Sequence[BillRow],
    structure: pl.DataFrame,
    rated: RatedBill,
    least: Mapping[int, tuple[str, Decimal]] | None,
) -> pl.DataFrame:
    uses = [(one, one.use, rows[one.use.listed]) for one in rated.uses]
    columns: dict[str, pl.Series] = {}
    for place, name in enumerate(BillAmounts._fields):
        # What a row that is left out costs is unknown, not 0.
        known = [None if one.left_out and not use.made else one.amounts[place] for one, use, _ in uses]
        columns[name] = pl.Series(known, dtype=_MONEY)
    reasons = {row: error.reason for row, error in rated.left_out.items()}
    columns["left_out"] = pl.Series([one.left_out for one, _, _ in uses], dtype=pl.Int64)
    columns["reason"] = pl.Series([reasons.get(use.listed) for _, use, _ in uses], dtype=pl.String)
    missing = [list(rated.missing.get(use.listed, ())) for _, use, _ in uses]
    columns["missing_claims"] = pl.Series(missing, dtype=pl.List(pl.String))
    if least is not None:
        found = [least.get(use.listed) if not use.made else None for _, use, _ in uses]
        # Today's origin stands where no other pays less.
        kept = [
            (_origin(row), one.amounts.duty)
            if best and not one.left_out and one.amounts.duty <= best[1]
            else best
            for best, (one, _, row) in zip(found, uses, strict=True)
        ]
        columns["least_origin"] = pl.Series([best and best[0] for best in kept], dtype=pl.String)
        columns["least_duty"] = pl.Series([best and best[1] for best in kept], dtype=_MONEY)
    return structure.with_columns(**columns)


def _origin(row: BillRow) -> str:
    return row.goods.origin if isinstance(row.goods, EntryLine) else ""


def _text(units: Fraction) -> str:
    return f"{decimal_of(units).quantize(_SIX).normalize():f}"


def _encoded(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer, compression="zstd")
    return buffer.getvalue()
