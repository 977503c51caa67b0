"""Hold trade of lines and of varieties after the response, and rents of limits."""

from __future__ import annotations

from dataclasses import dataclass

from tariffs.engine.base.array_utils import F64, I64
from tariffs.engine.response.sectors.sector_market import DomesticGoods


@dataclass(frozen=True)
class QuotaRents:
    """Rents of limits on quantities by holder, USD, per variety or line; those of a floor are negative.

    Attributes:
        importer, exporter, government: rents of each holder; those of exporters are in their price.
        limited: landed cost of the goods with a premium, USD, without it.
        paid: what their buyers pay above it, USD.
        premiums: premium of each joint limit over the landed price, a fraction; NaN where it cannot be kept.
    """

    importer: F64
    exporter: F64
    government: F64
    limited: F64
    paid: F64
    premiums: tuple[float, ...] = ()


@dataclass(frozen=True)
class TradeVolume:
    """Trade after the response.

    Per line: value after in dollars, duty assessed and owed on it, duty at the baseline's rates on the quantity after,
    quantity hat, creation and diversion. Per product: surplus and welfare, NaN where a model does not give them, and
    domestic goods where there is a market of sectors. `value_of_varieties` is the value after of each variety in the
    model.
    """

    value: F64
    duty: F64
    owed: F64
    base_duty: F64
    quantity_hat: F64
    creation: F64
    diversion: F64
    product_of_line: I64
    buyer_surplus: F64
    welfare: F64
    value_of_varieties: F64
    domestic: DomesticGoods | None = None
    rents: QuotaRents | None = None


@dataclass(frozen=True)
class VarietyVolume:
    """Trade of each variety after the response in a model.

    Surplus, welfare and domestic goods are per product of the table; `rents` are there under limits on quantities.
    """

    value: F64
    quantity_hat: F64
    creation: F64
    diversion: F64
    buyer_surplus: F64
    welfare: F64
    domestic: DomesticGoods | None = None
    rents: QuotaRents | None = None
