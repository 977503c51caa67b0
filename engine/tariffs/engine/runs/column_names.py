"""Names of the sums that runs add up, and of the result columns made of them."""

from __future__ import annotations

AUTHORITY = "authority"
LINES = "lines"
"""Number of lines that are counted; a group without one has no row."""
TAX = "vat"
PROHIBITED_VALUE = "prohibited_value"
OWED_AFTER = "duty_owed_after"
BASE_DUTY = "base_duty_after"
"""Duty at the rates of the baseline on the quantity after, at the prices of the baseline."""
BASELINE_DUTY = "baseline_duty"
"""Duty of the baseline, on its own quantity."""
AFTER = (
    "value_after", "duty_after", "landed_after", "value_change", "quantity", "creation", "diversion",
    BASE_DUTY, OWED_AFTER,
)  # fmt: skip
"""Amounts per line after the response."""
PRODUCT_SUMS = ("buyer_surplus", "welfare")
"""Amounts per product after the response; unknown for groups that cut through products."""
RESPONSE_SUMS = (*AFTER, *PRODUCT_SUMS)

RENTS = ("rent_importer", "rent_exporter", "rent_government")
PREMIUM, LIMITED, PAID = "quota_premium", "limited_landed", "premium_paid"
LIMIT_SUMS = (*RENTS, LIMITED, PAID)
"""Amounts of a run with limits on quantities."""
LIMIT_COLUMNS = (PREMIUM, *RENTS)

DOMESTIC_SUMS = ("domestic_shipments", "domestic_price", "domestic_output", "producer_surplus")
"""Amounts of domestic goods: shipments at the baseline, these times price and times quantity hats, and surplus."""
DOMESTIC_COLUMNS = ("domestic_shipments", "domestic_price_hat", "domestic_quantity_hat", "producer_surplus")
"""Columns of a market of sectors; null for groups that cut through products."""

INCIDENCE_COLUMNS = (
    "exporter_price_hat", "landed_price_hat", "added_duty", "borne_abroad", "borne_at_home", "importer_share",
    "revenue_change",
)  # fmt: skip
"""Columns of a run with a response and no value added tax: Paasche indices of prices, amounts on the quantity after, a
share, and the change of the treasury's revenue from the baseline."""
PROHIBITED_SURPLUS = "prohibited_surplus"
UNADJUSTED_SURPLUS, ENDED_SURPLUS = MEMORY = ("unadjusted_surplus", "ended_surplus")
"""Buyers' surplus less that once trade has adjusted, and less that without duties that have ended."""
VALUE_FORECAST, DUTY_FORECAST = FORECAST = ("value_forecast", "duty_forecast")
"""Value and duty after the response, times growth before the duties and moved among rivals; of runs with either."""

COLUMNS = (
    "customs_value", "duty", "duty_owed", "effective_rate", "landed", "value_after", "duty_after", OWED_AFTER,
    "effective_rate_after", "landed_after", "landed_change", "value_change", "quantity_hat", "creation", "diversion",
    "buyer_surplus", "welfare", PROHIBITED_VALUE,
)  # fmt: skip
"""Columns of every run; those that need a missing baseline or response are null."""
FURTHER_COLUMNS = (
    *LIMIT_COLUMNS,
    *DOMESTIC_COLUMNS,
    TAX,
    *INCIDENCE_COLUMNS,
    PROHIBITED_SURPLUS,
    *MEMORY,
    *FORECAST,
)
"""Columns of runs whose sums give them."""
AUTHORITY_COLUMNS = ("duty", "duty_owed", "rate", "duty_after")
"""Columns of results by authority."""
DIFFERENCES = {"duty_vs": "duty", "landed_vs": "landed", "value_vs": "value_after"}
"""Differences from the first scenario of a day, with the column of which they are."""
NOT_SHOWN = frozenset(
    {LINES, "quantity", BASE_DUTY, BASELINE_DUTY, LIMITED, PAID, "domestic_price", "domestic_output"}
)
"""Sums that are no results of their own."""
