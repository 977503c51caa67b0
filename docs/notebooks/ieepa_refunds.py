"""What are the refunds of the IEEPA duties worth, in all and to one importer?"""

import marimo

app = marimo.App(app_title="What IEEPA refunds are worth")


@app.cell
def _():
    import os

    import marimo as mo
    import polars as pl

    from tariffs.client import Client

    return Client, mo, os, pl


@app.cell
def _(Client, os):
    # The server that TARIFFS_TARGET names, else the engine in this process.
    client = Client() if os.environ.get("TARIFFS_TARGET") else Client.local()
    return (client,)


@app.cell
def _(mo):
    mo.md("""
    # What are IEEPA refunds worth?

    The Supreme Court held on 2026-02-20 that the International Emergency Economic Powers Act gives no power to lay
    duties (*Learning Resources v. Trump*, No. 24-1287; *V.O.S. Selections v. Trump*, No. 25-250). What was collected
    from 2025-02-04 to 2026-02-23 was never owed. Every result has both numbers: `duty` is what was assessed under the
    acts as they stood, `duty_owed` what stays due when the void acts are void from the beginning. The difference is
    refundable.

    ## In all

    The duties of every day of the period, at the yearly trade of 2024 and without any response of buyers.
    """)
    return


@app.cell
def _(client, mo):
    period = client.timeline(
        scenarios=["ieepa-refunds"], start="2025-02-04", end="2026-02-23", response="none"
    )
    mo.vstack([period.chart("duty"), period.chart("duty_owed")])
    return (period,)


@app.cell
def _(mo, period, pl):
    years = pl.col("days") / 365
    refundable = period.totals.select(((pl.col("duty") - pl.col("duty_owed")) * years).sum()).item()
    by_origin = (
        period.segments.group_by("origin", maintain_order=True)
        .agg(((pl.col("duty") - pl.col("duty_owed")) * years).sum().alias("refundable"))
        .sort("refundable", descending=True, maintain_order=True)
    )
    mo.md(f"""
    Over the period that is **USD {refundable / 1e9:.0f} billion** of refundable duty, at unchanged trade. Buyers did
    respond, so less was collected; `tariffs validate collected` lays the rates beside the duty collected. The largest
    part is on goods of {by_origin["origin"][0]}, USD {by_origin["refundable"][0] / 1e9:.0f} billion.
    """)
    return by_origin, refundable


@app.cell
def _(by_origin, mo, pl):
    billions = (pl.col("refundable") / 1e9).round(1).alias("refundable, billion USD")
    mo.ui.table(by_origin.head(10).select("origin", billions), selection=None)
    return


@app.cell
def _(mo):
    mo.md("""
    ## To one importer

    Four entries of toys, laptops and furniture, one of them liquidated, one with drawback already paid. `refund` says
    for each what was deposited, what comes back, by which route and until when; interest at the quarterly rates for
    corporations or at a rate that you give, compounded daily from the deposit (19 USC 1505).
    """)
    return


@app.cell
def _(client, pl):
    entries = pl.DataFrame(
        {
            "entry_id": ["A-001", "A-002", "A-003", "A-004"],
            "hts": ["9503.00.0073", "8471.30.0100", "9403.60.8093", "9503.00.0073"],
            "origin": ["CN", "CN", "VN", "CN"],
            "customs_value": [48_000.0, 250_000.0, 91_500.0, 60_000.0],
            "entry_date": ["2025-05-20", "2025-03-12", "2025-09-02", "2025-12-15"],
            "liquidation": ["liquidated", "unliquidated", "unliquidated", "unliquidated"],
            "liquidation_date": ["2026-03-31", None, None, None],
            "drawback": [None, 1_500.0, None, None],
        }
    )
    refunds = client.refund(entries, interest_rate="corporate", paid_on="2026-11-20")
    refunds
    return entries, refunds


@app.cell
def _(mo, refunds):
    mo.vstack(
        [mo.md("By heading and window of collection:"), mo.ui.table(refunds.by_heading(), selection=None)]
    )
    return


@app.cell
def _(mo, refunds):
    mo.md(f"""
    The four entries get **USD {refunds.total["refund"]:,}** back, and USD {refunds.total["interest"]:,} of interest at
    the quarterly rates for corporations, if the entries are reliquidated on 2026-11-20. A refund goes to the importer
    of record; it lowers no price.

    *Planning estimates, not rulings. Law {refunds.provenance["law_version"]}.*
    """)
    return


if __name__ == "__main__":
    app.run()
