"""Results of a bill of materials: amounts by part, supplier, origin, authority and scenario, changes, what to buy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from tariffs.client.results.amounts import usd
from tariffs.client.results.json_values import Plain, json_rows, json_value
from tariffs.client.results.quote import Note, Provenance, part_of
from tariffs.client.results.refused import refused_json
from tariffs.client.results.short_names import label_of, name_of
from tariffs.client.results.tables import ShortTable


@dataclass(frozen=True, slots=True)
class BomAmounts(Plain):
    """Amounts of rows of a bill, USD.

    Attributes:
        value: customs value, in whole dollars a row.
        charges: freight, insurance and charges of the caller.
        duty: duty assessed.
        owed: duty owed, invalidations biting from the beginning.
        duty_min: least duty over facts that are not declared.
        duty_max: most duty over them.
        fees: fees of entries, one a row.
        landed: value, charges, duty and fees.
    """

    value: Decimal
    charges: Decimal
    duty: Decimal
    owed: Decimal
    duty_min: Decimal
    duty_max: Decimal
    fees: Decimal
    landed: Decimal

    @property
    def rate(self) -> float | None:
        """Duty over customs value; None without value."""
        return float(self.duty / self.value) if self.value else None


@dataclass(frozen=True, slots=True)
class BomGroup:
    """Amounts of the rows of a supplier or origin."""

    name: str
    amounts: BomAmounts
    rows: int


@dataclass(frozen=True, slots=True)
class BomAuthority(Plain):
    """Duty of an authority, USD."""

    authority: str
    duty: Decimal


@dataclass(frozen=True, slots=True)
class BomLeftOut(Plain):
    """Rows that amounts leave out for one reason, with the message of the first."""

    reason: str
    message: str
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BomChange(Plain):
    """Change of the duty on the whole bill on a day ahead.

    Attributes:
        day: first day of entry with the new duty.
        before: duty before, USD, of rows rated before and after.
        after: their duty from the day on.
        change: change as a fraction of the duty before; None where there was none.
        left_out: rows that cannot enter or be rated any more.
        measures: measures of the acts of the day.
        acts: the acts in words.
    """

    day: str
    before: Decimal
    after: Decimal
    change: Decimal | None
    left_out: int
    measures: tuple[str, ...]
    acts: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Say how the duty on the bill changes on the day."""
        moved = "from none" if self.change is None else f"{100 * self.change:+.1f} %"
        gone = f"; {self.left_out:,} rows cannot enter or be rated" if self.left_out else ""
        return f"{self.day}: {moved} of the duty, {usd(self.after)} in place of {usd(self.before)}{gone}."


@dataclass(frozen=True, slots=True)
class BomUnmet(Plain):
    """Part that no allocation buys, with the reason."""

    part: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class BomAllocation:
    """Least landed cost of the parts over their rows.

    Attributes:
        amounts: amounts of what is bought.
        listed: landed cost of the same parts as listed first; None where one of these rows cannot be rated.
        single: landed cost of the same parts each from its best single source; None where limits leave a part none.
        gap: relative gap to the solver's bound of the parts with limits, 0 without limits, infinite without a plan.
        purchases: `row, part, supplier, origin, units, share, value, duty, landed`.
        unmet: parts that are left out.
    """

    amounts: BomAmounts
    listed: Decimal | None
    single: Decimal | None
    gap: float
    purchases: pl.DataFrame
    unmet: tuple[BomUnmet, ...]

    @property
    def sentences(self) -> list[str]:
        """Say what buying from the best rows saves, and which parts are not bought."""
        unmet = [f"{one.part} is not bought: {one.message}" for one in self.unmet]
        if self.listed is None or self.amounts.landed >= self.listed:
            return unmet
        gap = f", within {100 * self.gap:.4f} % of the best" if self.gap else ""
        landed, saved = usd(self.amounts.landed), usd(self.listed - self.amounts.landed)
        return [f"Bought from the best rows the parts cost {landed} landed, {saved} less{gap}.", *unmet]

    def to_json_dict(self) -> dict[str, object]:
        """Convert to plain data: the amounts beside the other fields."""
        return {
            **self.amounts.to_json_dict(),
            "listed": json_value(self.listed),
            "single": json_value(self.single),
            "gap": json_value(self.gap),
            "purchases": json_rows(self.purchases),
            "unmet": json_value(self.unmet),
        }


@dataclass(frozen=True, slots=True)
class BomOrigin(Plain):
    """Duty on all rows that can be rated, were their goods of one origin, USD."""

    origin: str
    duty: Decimal
    rated: int
    left_out: int


@dataclass(frozen=True, slots=True)
class BomScenario:
    """Bill under one scenario.

    Attributes:
        id: its id.
        total: amounts of the finished goods, of the rows that are not left out.
        left_out: rows left out, by reason.
        parts: a row a use of a part, parents first: `row, part, parent, level, made, supplier, origin, units`, the
            amounts (null where unknown), `left_out` (rows below it), `reason`, `missing_claims`, with origins
            `least_origin` and `least_duty`, and the caller's own columns.
        suppliers, origins: amounts of what is bought, the dearest first.
        authorities: duty by authority, the most first.
        changes: days ahead on which the duty changes.
        allocation: what to buy from whom.
        from_origins: duty by origin of all goods, the least first; only where origins were asked for.
    """

    id: str
    total: BomAmounts
    left_out: tuple[BomLeftOut, ...]
    parts: pl.DataFrame
    suppliers: tuple[BomGroup, ...]
    origins: tuple[BomGroup, ...]
    authorities: tuple[BomAuthority, ...]
    changes: tuple[BomChange, ...]
    allocation: BomAllocation
    from_origins: tuple[BomOrigin, ...]

    def sentences(self, units: str) -> list[str]:
        """Say what the parts of some finished goods cost, what moves their duty, and which rows are left out."""
        total = self.total
        rate = "" if total.rate is None else f" ({100 * total.rate:.1f} % of their value)"
        goods = f"{units} unit" if units == "1" else f"{units} units"
        found = [f"The parts of {goods} cost {usd(total.landed)} landed, {usd(total.duty)} of it duty{rate}."]
        if total.duty_min != total.duty_max:
            span = f"{usd(total.duty_min)} to {usd(total.duty_max)}"
            found.append(f"Facts that are not declared move the duty: {span}.")
        return found + [
            f"Left out: {len(one.rows):,} row{'s' * (len(one.rows) != 1)}, {one.reason}. {one.message}"
            for one in self.left_out
        ]

    def tables(self, shown: int) -> list[ShortTable]:
        """Make tables of the dearest suppliers and origins, and of authorities and origins of all parts."""
        found = [_groups("supplier", self.suppliers, shown), _groups("origin", self.origins, shown)]
        duties = [
            (name_of("authority", one.authority) or one.authority, usd(one.duty)) for one in self.authorities
        ]
        found.append(ShortTable("", ["authority", "duty"], duties))
        froms = [
            (label_of("origin", one.origin), usd(one.duty), f"{one.rated:,}")
            for one in self.from_origins[:shown]
        ]
        return [*found, *([ShortTable("", ["all parts from", "duty", "rows rated"], froms)] if froms else [])]

    @property
    def left_out_count(self) -> int:
        """Number of rows left out."""
        return sum(len(one.rows) for one in self.left_out)

    def to_json_dict(self, on: object) -> dict[str, object]:
        """Convert to plain data: amounts as decimal text."""
        return {
            "id": self.id,
            "on": on,
            "total": {**self.total.to_json_dict(), "rate": self.total.rate, "left_out": self.left_out_count},
            "left_out": json_value(self.left_out),
            "parts": json_rows(self.parts),
            "suppliers": [_group("supplier", one) for one in self.suppliers],
            "origins": [_group("origin", one) for one in self.origins],
            "authorities": json_value(self.authorities),
            "changes": json_value(self.changes),
            "allocation": self.allocation.to_json_dict(),
            "from_origins": json_value(self.from_origins),
        }


@dataclass(frozen=True, slots=True)
class BomResult:
    """Bill of materials under each scenario. A planning estimate, not a ruling.

    Attributes:
        scenarios: in the order asked.
        refused: rows that cannot be used: `row` (from 0), `part, column, reason, found, message`.
        notes: notes on the table.
        provenance: what it takes to get the answer again.
    """

    scenarios: tuple[BomScenario, ...]
    refused: pl.DataFrame
    notes: tuple[Note, ...]
    provenance: Provenance

    @property
    def frame(self) -> pl.DataFrame:
        """The parts of all scenarios, with `scenario` first."""
        return pl.concat(
            [one.parts.select(pl.lit(one.id).alias("scenario"), pl.all()) for one in self.scenarios],
            how="diagonal",
        )

    def to_json_dict(self, refused_path: str | None = None) -> dict[str, object]:
        """Convert to the document of `bom --json`."""
        on = part_of(self.provenance, "details", "on")
        return {
            "scenarios": [one.to_json_dict(on) for one in self.scenarios],
            "refused": refused_json(self.refused, refused_path),
            "notes": json_value(self.notes),
            "provenance": dict(self.provenance),
        }


def _groups(key: str, groups: Sequence[BomGroup], shown: int) -> ShortTable:
    rows = [
        [
            label_of("origin", one.name) if key == "origin" else one.name or "(none)",
            f"{one.rows:,}",
            *map(usd, (one.amounts.value, one.amounts.duty, one.amounts.landed)),
        ]
        for one in groups[:shown]
    ]
    caption = f"the {shown} dearest of {len(groups):,}" if len(groups) > shown else ""
    return ShortTable(caption, [key, "rows", "value", "duty", "landed"], rows)


def _group(key: str, one: BomGroup) -> dict[str, object]:
    return {key: one.name, **one.amounts.to_json_dict(), "rows": one.rows}
