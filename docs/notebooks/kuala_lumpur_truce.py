"""What is the truce of Kuala Lumpur worth? Duties, landed cost and trade with and without it."""

import marimo

app = marimo.App(app_title="The truce of Kuala Lumpur")


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
    # What is the truce of Kuala Lumpur worth?

    On 2025-11-10 the United States cut the fentanyl duty on China from 20 to 10 percent (EO 14357) and suspended the
    24 points of the reciprocal duty for another year (EO 14358). Without the deal China would have paid 20 + 34
    percent.

    The scenario `no-kuala-lumpur-deal` is that counterfactual. It takes the IEEPA duties as valid, as all took them to
    be on that day. We run it beside the law as it was, on all US imports of 2024, before and after buyers respond.
    """)
    return


@app.cell
def _(client):
    result = client.impact(
        scenarios=["base", "no-kuala-lumpur-deal"],
        on="2025-12-01",
        by=["origin"],
        horizon="path",
    )
    result
    return (result,)


@app.cell
def _(mo, pl, result):
    base, without = (result.total.row(place, named=True) for place in (0, 1))
    china_without = (
        result.scenario("no-kuala-lumpur-deal").filter(pl.col("origin") == "CN").row(0, named=True)
    )
    mo.md(f"""
    At the trade of 2024 the deal keeps **USD {without["duty_vs"] / 1e9:.1f} billion** of duty a year from being
    charged: {base["effective_rate"]:.1%} of the value of all imports instead of {without["effective_rate"]:.1%}. After
    buyers respond (Armington model, every change of duty at its own age) the difference is
    USD {(without["duty_after"] - base["duty_after"]) / 1e9:.1f} billion, because imports from China would be
    {china_without["value_after"] / china_without["customs_value"]:.0%} of what they were in 2024.
    """)
    return base, china_without, without


@app.cell
def _(result):
    result.chart("value_after", by="origin")
    return


@app.cell
def _(client, mo):
    split = client.impact(
        scenarios=["base", "no-kuala-lumpur-deal"], on="2025-12-01", response="none", attribute=True
    )
    mo.vstack(
        [
            mo.md("Which change makes the difference, in duty at the trade of 2024:"),
            split.attribution_chart(),
        ]
    )
    return (split,)


@app.cell
def _(mo):
    mo.md("""
    ## Day by day

    The same two laws over the winter. On 2026-02-24 the collection of IEEPA duties ended (EO 14389), after the
    judgment of 2026-02-20; the counterfactual is to be read up to that day alone.
    """)
    return


@app.cell
def _(client, mo):
    winter = client.timeline(
        scenarios=["base", "no-kuala-lumpur-deal"], start="2025-10-15", end="2026-02-23", response="none"
    )
    mo.vstack([winter.chart("duty"), winter])
    return (winter,)


@app.cell
def _(mo):
    mo.md("""
    ## If it lapses

    As the law stands the truce ends on 2027-01-10. The American side is void since February 2026, so what lapses is the
    Chinese side: 34 percent instead of 10 on goods of the United States. These are China's duties, on American exports
    of 2024.
    """)
    return


@app.cell
def _(client, mo):
    exports = client.impact(
        scenarios=["truce-extended", "truce-lapses"], on="2027-01-11", by=["hts2"], direction="export"
    )
    mo.vstack([exports, exports.chart("value_after", by="hts2")])
    return (exports,)


@app.cell
def _(mo, result):
    mo.md(f"""
    *Planning estimates, not rulings. Law {result.provenance["law_version"]}. The trade data are those of the Census
    Bureau for 2024; the elasticities and what the model leaves out are on the pages of the models.*
    """)
    return


if __name__ == "__main__":
    app.run()
