"""What do China's duties do to American soybeans, and what is the promise to buy them worth?"""

import marimo

app = marimo.App(app_title="Soybeans")


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
    # Soybeans

    China bought 22.1 million tons of soybeans from the United States in 2024, 74.6 from Brazil and 4.1 from Argentina
    (its customs, as reported to UN Comtrade). With those three suppliers as the table, the model can say who gains when
    the duty on one of them changes. Values are in dollars at the port of export, freight beside them.
    """)
    return


@app.cell
def _(mo, pl):
    table = pl.read_csv(mo.notebook_dir().parent / "soybeans.csv", schema_overrides={"hts": pl.String})
    table
    return (table,)


@app.cell
def _(mo):
    mo.md("""
    Once the truce has lapsed, on 2027-01-10, American soybeans pay 37 percent: 3 of the ordinary duty and 34 of the
    reciprocal one. `soybeans-freed` takes the 34 away; `soybeans-promise-kept` adds the promise of Kuala Lumpur to buy
    25 million tons a year (White House fact sheet of 2025-11-01). Long run, so that contracts and acreage can follow.
    """)
    return


@app.cell
def _(client, table):
    result = client.impact(
        table,
        scenarios=["base", "soybeans-freed", "soybeans-promise-kept"],
        on="2027-01-11",
        baseline="2025-01-01",
        direction="export",
        horizon="long",
        by=["origin"],
    )
    result
    return (result,)


@app.cell
def _(result):
    result.chart("value_after", by="origin")
    return


@app.cell
def _(mo, pl, result):
    american = result.groups.filter(pl.col("origin") == "US").select(
        "scenario", "quantity_hat", "value_after"
    )
    under = dict(zip(american["scenario"], american["quantity_hat"], strict=True))
    mo.md(f"""
    With the duty of 37 percent China's purchases from the United States end at **{under["base"]:.0%}** of their
    quantity of 2024; freed they stay at {under["soybeans-freed"]:.0%}, and with the promise kept they are
    {under["soybeans-promise-kept"]:.0%}. What American farmers lose, Brazil sells: the chart shows it.
    """)
    return american, under


@app.cell
def _(mo):
    mo.md("""
    ## How the duty moved

    Every change of China's duty on American soybeans since January 2025, at the purchases of 2024.
    """)
    return


@app.cell
def _(client, mo, table):
    history = client.timeline(
        table,
        start="2025-01-01",
        end="2027-02-28",
        baseline="2025-01-01",
        direction="export",
        response="none",
    )
    mo.vstack([history.chart("effective_rate"), history])
    return (history,)


@app.cell
def _(mo, result):
    mo.md(f"""
    A model of duties is not the market: in 2025 state buyers stopped before any duty did, and the quantities shipped
    fell far below what the duty alone explains (the page on exports has the months side by side).

    *Planning estimates, not rulings. Law {result.provenance["law_version"]}.*
    """)
    return


if __name__ == "__main__":
    app.run()
