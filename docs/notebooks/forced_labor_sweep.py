"""How does revenue change with the rate of the forced-labor duty on China? A sweep and a goal seek."""

import marimo

app = marimo.App(app_title="A sweep of the forced-labor duty")


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
    # A sweep of the forced-labor duty

    The Section 301 duty over forced labor charges 12.5 percent on China since 2026-11-24 (91 FR 47318). What would
    other rates bring? The scenario `rates-by-country` has the rate as its parameter `cn`; a sweep computes all US
    imports at each value of it. Vietnam and the European Union stay at the rates of the law.
    """)
    return


@app.cell
def _(client):
    law = {"vn": "12.5%", "eu": "10%"}
    sweep = client.sweep(
        scenario="rates-by-country",
        vary={"cn": "0%:50%:10%"},
        parameters=law,
        on="2027-01-11",
        by=["origin"],
    )
    return law, sweep


@app.cell
def _(mo, sweep):
    mo.hstack(
        [
            mo.vstack([mo.md("Duty before buyers respond"), sweep.chart("duty")]),
            mo.vstack([mo.md("Duty after they did"), sweep.chart("duty_after")]),
        ],
        wrap=True,
    )
    return


@app.cell
def _(mo, sweep):
    first, last = (sweep.totals.row(place, named=True) for place in (0, -1))
    mo.md(f"""
    Before the response revenue is a straight line: from USD {first["duty"] / 1e9:.0f} to {last["duty"] / 1e9:.0f}
    billion. After it the line bends: USD {first["duty_after"] / 1e9:.0f} to {last["duty_after"] / 1e9:.0f} billion,
    because the goods come from elsewhere or not at all.
    """)
    return first, last


@app.cell
def _(mo, sweep):
    rates = sweep.totals["cn"].to_list()
    rate = mo.ui.slider(steps=rates, value=rates[2], show_value=True, label="rate on China (fraction)")
    rate
    return (rate,)


@app.cell
def _(mo, pl, rate, sweep):
    billions = (pl.col("customs_value", "duty", "duty_after") / 1e9).round(2)
    at_rate = (
        sweep.groups.filter(pl.col("cn") == rate.value)
        .sort("duty", descending=True, maintain_order=True)
        .head(8)
    )
    shown = mo.ui.table(at_rate.select("origin", billions), selection=None)
    mo.vstack([mo.md(f"The largest duties by origin in billion USD, at {rate.value:.0%} on China:"), shown])
    return (at_rate,)


@app.cell
def _(mo):
    mo.md("""
    ## The rate for a target

    The question turned round: at which rate does duty on goods of China reach USD 150 billion, before any response?
    """)
    return


@app.cell
def _(client, law, mo):
    found = client.seek(
        scenario="rates-by-country",
        vary=("cn", "0%", "60%"),
        target=("duty", 1.5e11),
        where={"origin": "CN"},
        parameters=law,
        on="2027-01-11",
        response="none",
    )
    mo.md(f"At **{found.roots[0].value:.2%}**, where it is USD {found.roots[0].achieved / 1e9:.1f} billion.")
    return (found,)


@app.cell
def _(mo, sweep):
    mo.md(f"""
    *Planning estimates, not rulings. Law {sweep.provenance["law_version"]}; imports of 2024 as the Census Bureau
    reports them.*
    """)
    return


if __name__ == "__main__":
    app.run()
