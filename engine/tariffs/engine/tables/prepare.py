"""Convert a checked trade table to line arrays: pieces of codes, ordinary rates, declared and default facts."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariffs.engine.base.array_utils import F64, I32, I64, Bools
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.model import Claim
from tariffs.engine.law.notes import Note
from tariffs.engine.schedule import reference_data
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.tables.atoms import atoms_of, ordinary_rates_of
from tariffs.engine.tables.default_shares import default_share, variant_of
from tariffs.engine.tables.kept_table import kept_table
from tariffs.engine.tables.line_arrays import CODE_DIGITS, LineArrays
from tariffs.engine.tables.mfn_rates import ordinary_rates, quantities_by_unit
from tariffs.engine.tables.trade_table import CheckedTable, TableRules, Unprepared, check_table

_PLACES_KEPT = 4
"""Instants of the lines under laws that begin and end differently; some 4 bytes a line."""


@dataclass(frozen=True, slots=True)
class OwnDates:
    """Number of lines with an entry date, and the first and last of these dates."""

    lines: int
    of: int
    first: date
    last: date


@dataclass(frozen=True)
class PreparedTable:
    """Checked table and its lines as arrays.

    `products` are the distinct codes that respond together, of `product_digits` at most, `product_of_line` an index
    into them. `bases` names the source of each default share; `baseline` is the day the values belong to, or empty;
    `notes` explain how the table was read. `markets` are the destinations of exports, `market_of_line` an index into
    them, None where there is only one.
    """

    checked: CheckedTable
    lines: LineArrays
    products: Sequence[str]
    product_of_line: I64
    baseline: str
    bases: Mapping[str, str]
    notes: tuple[Note, ...]
    product_digits: int = CODE_DIGITS
    markets: Sequence[str] = ()
    market_of_line: I32 | None = None

    @property
    def frame(self) -> pl.DataFrame:
        """Usable rows."""
        return self.checked.lines

    @property
    def market_of_product(self) -> Sequence[str]:
        """Destination of each product, as products of exports are by destination; empty for imports."""
        if not self.markets:
            return ()
        place = np.zeros(len(self.products), dtype=np.int64)
        if self.market_of_line is not None:
            place[self.product_of_line] = self.market_of_line
        return [self.markets[int(one)] for one in place]

    @property
    def digest(self) -> str:
        """Digest of the table."""
        return self.checked.digest

    def own_dates(self, zone: ZoneInfo) -> OwnDates | None:
        """Range of the entry dates of the lines in a time zone; None if no line has one."""
        if "entry_date" not in self.frame.columns:
            return None
        moments = self.frame["entry_date"].drop_nulls()
        first, last = moments.min(), moments.max()
        if not isinstance(first, datetime) or not isinstance(last, datetime):
            return None
        days = (first.astimezone(zone).date(), last.astimezone(zone).date())
        return OwnDates(moments.len(), self.frame.height, *days)

    def entry_instants(
        self, default: datetime, segment: Callable[[datetime], Hashable]
    ) -> tuple[list[datetime], I32 | None]:
        """Distinct instants of the entry dates of the lines (`default` fills nulls), and the index of each line.

        Instants of one `segment` count as one: the segment identifies the law in force and the acts known then.
        """
        if "entry_date" not in self.frame.columns:
            return [default], None
        first: dict[Hashable, datetime] = {}
        distinct, of_line = self._moments
        distinct = [*distinct, *(moment for moment in self.checked.dates_elsewhere if moment not in distinct)]
        filled = sorted({default.astimezone(UTC) if moment is None else moment for moment in distinct})
        segments = {moment: segment(moment) for moment in filled}
        for moment in filled:
            first.setdefault(segments[moment], moment)
        place = {segment: index for index, segment in enumerate(first)}
        places = [place[segments[default.astimezone(UTC) if m is None else m]] for m in distinct]
        index = np.array(places, dtype=np.int32)
        return list(first.values()), self._placed.get(index.tobytes(), lambda: index[of_line])

    @cached_property
    def _moments(self) -> tuple[list[datetime | None], I32]:
        """Distinct entry dates, and the index of each line among them."""
        moments = self.frame.select(moment="entry_date")
        distinct = moments.unique().with_columns(place=pl.int_range(pl.len(), dtype=pl.Int32))
        joined = moments.join(distinct, on="moment", how="left", nulls_equal=True, maintain_order="left")
        return distinct["moment"].to_list(), joined["place"].to_numpy()

    @cached_property
    def _placed(self) -> BoundedCache[bytes, I32]:
        return BoundedCache(_PLACES_KEPT)

    def refused_with(self, too_many: Iterable[int]) -> pl.DataFrame:
        """Refused rows, including lines that split into too many atoms."""
        rows = [self.checked.rows[line] for line in sorted(too_many)]
        if not rows:
            return self.checked.refused
        message = "The shares split the line into more than 32 parts; declare more of them as 0 or 1."
        more = pl.DataFrame(
            [(row, "", "TOO_MANY_ATOMS", "", message) for row in rows],
            schema=self.checked.refused.schema,
            orient="row",
        )
        return pl.concat([self.checked.refused, more]).sort("row", maintain_order=True)


Table = Unprepared | PreparedTable | None
"""A table to compute; None is the embedded one. A prepared one is taken as it is: for the same law and market."""


def prepare_table(table: Table, law: Law, date_format: str = "") -> PreparedTable:
    """Check a table and convert it to arrays; None is the embedded table of US imports of 2024.

    `date_format` is the format of date columns; see `base.dates.FORMATS`.

    Raises:
        InputError: TABLE_UNREADABLE, TABLE_EMPTY, COLUMN_MISSING or COLUMN_TYPE_MISMATCH.
    """
    if isinstance(table, PreparedTable):
        return table
    if table is None:
        return _embedded(law, tuple(sorted(law.settings.items())))
    return _prepare(check_imports(table, law, date_format), law, "")


def check_imports(table: Unprepared, law: Law, date_format: str = "") -> CheckedTable:
    """Check a table of imports without converting it; raises as `prepare_table`."""
    return check_table(table, replace(_rules(law), date_format=date_format))


def table_digest(table: pl.DataFrame, law: Law) -> str:
    """Digest of the canonical form of a table, equal to `PreparedTable.digest`.

    Raises:
        InputError: as `prepare_table`.
    """
    return check_imports(table, law).digest


# Some 70 MB each: the setting in use and one that is compared with it.
_EMBEDDED_KEPT = 2
_EMBEDDED: BoundedCache[tuple[str, tuple[tuple[str, str], ...]], PreparedTable] = BoundedCache(_EMBEDDED_KEPT)


def _embedded(law: Law, settings: tuple[tuple[str, str], ...]) -> PreparedTable:
    bases = {r.switch for r in law.references.values()}
    key = (law.digest, tuple((name, value) for name, value in settings if name in bases))

    def make() -> PreparedTable:
        checked = check_table(reference_data.reference_table(), _rules(law))
        return _prepare(checked, law, reference_data.baseline().isoformat())

    return _EMBEDDED.get(key, lambda: PreparedTable(**kept_table(key, law.claims, lambda: vars(make()))))


def _rules(law: Law) -> TableRules:
    first, last = law.coverage
    schedule = load_schedule()
    refused = {code: found.message for code, found in law.refused_origins.items()}
    return TableRules(
        law.claims,
        first,
        last,
        law.zones[IMPORT],
        schedule.accepts,
        schedule.nearest,
        refused_origins=refused,
    )


def _prepare(checked: CheckedTable, law: Law, baseline: str) -> PreparedTable:
    frame = checked.lines
    products, product_of_line = index_of(frame["hts"])
    origins, origin = index_of(frame["origin"])
    codes, children = _children(products)
    pieces = _pieces(product_of_line, children)
    count = frame.height
    lines = LineArrays(
        codes=codes,
        origins=origins,
        origin=origin.astype(np.int32),
        value=amount_of(frame, "customs_value", count),
        freight=amount_of(frame, "freight", count),
        insurance=amount_of(frame, "insurance", count),
        **pieces,
        facts={},
        general=np.zeros(0),
        other=np.zeros(0),
        special={},
    )
    facts, bases, sourced = _facts(frame, law, law.claims.values(), lines)
    rates, rate_notes = ordinary_rates(frame, lines, law)
    quantities = quantities_by_unit(frame, law)
    lines = replace(lines, facts=facts, **rates, quantities=quantities, sourced=sourced, cache={})
    # Every law needs the atoms; they are kept with the lines.
    ordinary_rates_of(lines, atoms_of(law.claims, lines))
    notes = (*reading_notes(checked), *_coarse_notes(products, product_of_line, lines.value), *rate_notes)
    return PreparedTable(checked, lines, products, product_of_line, baseline, bases, notes)


def reading_notes(checked: CheckedTable) -> list[Note]:
    """List the notes of the check of a table: every note on the whole table, and each reason on rows once."""
    whole, of_rows = (checked.notes.filter(pl.col("row").is_null() == where) for where in (True, False))
    remarks = [Note(reason, message) for _, reason, message in whole.iter_rows()]
    counts = of_rows.group_by("reason", maintain_order=True).agg(pl.len(), pl.col("message").first())
    return remarks + [
        Note(reason, message if count == 1 else f"{count:,} times, first: {message}")
        for reason, count, message in counts.iter_rows()
    ]


def _coarse_notes(products: Sequence[str], product_of_line: I64, value: F64) -> list[Note]:
    coarse = np.array([len(product) < CODE_DIGITS for product in products], dtype=bool)[product_of_line]
    if not coarse.any():
        return []
    text = (
        f"{int(coarse.sum()):,} lines worth {float(value[coarse].sum()):,.0f} USD have fewer than 10 digits"
    )
    return [
        Note("COARSE_CODE", f"{text}; each was rated by its 10-digit codes, weighted by their 2024 value.")
    ]


def index_of(column: pl.Series) -> tuple[list[str], I64]:
    """Distinct values of a column, sorted, and the index of each row among them."""
    distinct = column.unique().sort()
    place = pl.DataFrame({"key": distinct, "index": np.arange(len(distinct))})
    joined = column.alias("key").to_frame().join(place, on="key", how="left", maintain_order="left")
    return distinct.to_list(), joined["index"].to_numpy().astype(np.int64)


def amount_of(frame: pl.DataFrame, name: str, count: int) -> F64:
    """Column of amounts; 0 where there is none."""
    return frame[name].fill_null(0.0).to_numpy() if name in frame.columns else np.zeros(count)


def _children(products: Sequence[str]) -> tuple[list[str], list[list[tuple[int, float]]]]:
    """List the codes to rate, and for each product the indices and weights of its codes.

    A code of fewer than 10 digits is split into its 10-digit codes by their 2024 value, or in equal parts where none
    was traded.
    """
    values = dict(reference_data.code_values().iter_rows())
    place: dict[str, int] = {}
    children: list[list[tuple[int, float]]] = []
    for product in products:
        weights = {product: 1.0} if len(product) == CODE_DIGITS else _weights(product, values)
        children.append([(place.setdefault(code, len(place)), weight) for code, weight in weights.items()])
    return list(place), children


def _weights(product: str, values: Mapping[str, float]) -> dict[str, float]:
    known = load_schedule().children(product)
    traded = {code: values[code] for code in known if values.get(code, 0.0) > 0}
    weights = traded or dict.fromkeys(known, 1.0) or {product: 1.0}
    total = sum(weights.values())
    return {code: weight / total for code, weight in weights.items()}


def _pieces(product_of_line: I64, children: Sequence[Sequence[tuple[int, float]]]) -> dict[str, Any]:
    per_product = np.array([len(codes) for codes in children], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(per_product)])
    code = np.array([index for codes in children for index, _ in codes], dtype=np.int32)
    weight = np.array([share for codes in children for _, share in codes])
    count = per_product[product_of_line]
    line = np.repeat(np.arange(len(product_of_line)), count)
    within = np.arange(len(line)) - (np.cumsum(count) - count)[line]
    source = starts[product_of_line[line]] + within
    return {
        "piece_line": line,
        "piece_code": code[source],
        "piece_weight": weight[source],
    }


def _facts(
    frame: pl.DataFrame, law: Law, claims: Iterable[Claim], lines: LineArrays
) -> tuple[dict[str, NDArray[Any]], dict[str, str], dict[str, Bools | None]]:
    """Facts per line, declared or default; the basis of each default share, and its lines."""
    facts: dict[str, NDArray[Any]] = {}
    bases: dict[str, str] = {}
    sourced: dict[str, Bools | None] = {}
    keys = frame.select("hts", "origin")
    for claim in claims:
        declared = declared_fact(frame, claim.id, claim.type)
        if claim.reference in law.references and (declared is None or np.isnan(declared).any()):
            share = default_share(law, claim.reference, lines, keys)
            bases[claim.id] = _basis(law, claim)
            sourced[claim.id] = None if declared is None else np.isnan(declared)
            declared = share if declared is None else np.where(np.isnan(declared), share, declared)
        if declared is not None:
            facts[claim.id] = declared
    return facts, bases, sourced


def lines_on_basis(prepared: PreparedTable, law: Law) -> LineArrays:
    """Lines of a table of imports with the default shares that the switches of another law select."""
    lines, bases = prepared.lines, prepared.bases
    others = [
        each for each in law.claims.values() if each.id in bases and bases[each.id] != _basis(law, each)
    ]
    facts, _, sourced = _facts(prepared.frame, law, others, lines)
    return replace(lines.with_facts(facts), sourced={**lines.sourced, **sourced})


def _basis(law: Law, claim: Claim) -> str:
    """Source of the default share of a claim under the switches of a law."""
    return f"{claim.reference}: {variant_of(law, law.references[claim.reference])}"


def declared_fact(frame: pl.DataFrame, name: str, kind: str) -> NDArray[Any] | None:
    """Claim as lines declare it, NaN where they do not; None if the table has no such column."""
    if name not in frame.columns:
        return None
    column = frame[name]
    if kind == "code":
        return column.fill_null("").to_numpy().astype(object)
    if kind == "date":
        column = column.dt.epoch("s")
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
