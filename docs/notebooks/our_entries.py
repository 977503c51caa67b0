"""What do our own entries pay, which rows are wrong, and what would another law cost us?"""

import marimo

app = marimo.App(app_title="Our own entries")


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
    # Our own entries

    A table of one's own needs three columns, `hts`, `origin` and `customs_value`; all others are optional and come back
    as they were. Choose a CSV file, or go on with the example below: six lines, two of them with mistakes that tables
    of brokers have.
    """)
    return


@app.cell
def _(mo):
    chosen = mo.ui.file(filetypes=[".csv"], label="A CSV file of entries")
    chosen
    return (chosen,)


@app.cell
def _(chosen, pl):
    if chosen.value:
        table = pl.read_csv(chosen.value[0].contents, infer_schema=False)
    else:
        table = pl.DataFrame(
            {
                "line_id": ["1", "2", "3", "4", "5", "6"],
                "entry_id": ["E-17", "E-17", "E-18", "E-18", "E-19", "E-20"],
                "hts": ["9503.00.0073", "8471.30.0100", "9403.60.8093", "8708.29.5160", "6404.19", "1234"],
                "origin": ["CN", "CN", "VN", "MX", "China?", "DE"],
                "customs_value": ["48000", "250000", "91500", "120000", "8000", "500"],
                "entry_date": ["2026-11-20"] * 6,
                "mode": ["ocean", "air", "ocean", "land", "ocean", "air"],
            }
        )
    table
    return (table,)


@app.cell
def _(mo):
    mo.md(
        "## What each line pays\n\nA row that cannot be used is refused with its reason; the others are computed."
    )
    return


@app.cell
def _(client, table):
    duties = client.duties(table)
    duties
    return (duties,)


@app.cell
def _(duties):
    duties.refused
    return


@app.cell
def _(mo):
    mo.md("""
    ## What another law would cost

    The same lines on 2027-02-01, under the law as it is and with the forced-labor duty on China at 20 percent, before
    anyone responds. The entry date of a line would take precedence, so it is left out here.
    """)
    return


@app.cell
def _(client, mo, table):
    ahead = client.impact(
        table.drop("entry_date", strict=False),
        scenarios=["base", "forced-labor-20-on-china"],
        on="2027-02-01",
        by=["origin"],
        response="none",
    )
    mo.vstack([ahead, ahead.chart("duty", by="origin")])
    return (ahead,)


@app.cell
def _(mo):
    mo.md("""
    ## To hand over

    One HTML file with tables, charts, notes and inputs, which needs no network.
    """)
    return


@app.cell
def _(ahead, mo):
    report = ahead.report(question="What would 20 percent on China cost us?")
    mo.download(report.encode(), "our-entries.html", "text/html", label="Download the report")
    return


@app.cell
def _(ahead, mo):
    mo.md(f"""*Planning estimates, not rulings. Law {ahead.provenance["law_version"]}.*""")
    return


if __name__ == "__main__":
    app.run()
