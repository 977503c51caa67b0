"""Page of the desk as a marimo notebook: forms, and below each the answer of the client.

A form computes when it is submitted, and again when the scenario of the builder or the uploaded table changes.
"""

import marimo

app = marimo.App(width="medium", app_title="Tariff desk")


@app.cell
def _():
    import marimo as mo

    from tariffs.client.desk import builder, forms, questions, session, views

    return builder, forms, mo, questions, session, views


@app.cell
def _(forms, session):
    client = session.client()
    choices = forms.Choices.of(client)
    return choices, client


@app.cell
def _(choices, session, views):
    views.title(choices, session.place())
    return


@app.cell
def _(forms, mo):
    part, set_part = mo.state(forms.PARTS[0])
    parts = forms.parts(set_part)
    mo.hstack(parts, justify="start", wrap=True)
    return part, parts


@app.cell
def _(builder, mo):
    text, set_text = mo.state(builder.EMPTY)
    return set_text, text


@app.cell
def _(choices, forms):
    quote_form = forms.quote(choices)
    compare_form = forms.compare(choices)
    timeline_form = forms.timeline(choices)
    sweep_form = forms.sweep(choices)
    table_file = forms.table_file()
    table_options = forms.table_options()
    return compare_form, quote_form, sweep_form, table_options, table_file, timeline_form


@app.cell
def _(builder, choices, client, forms, set_text):
    start_form = forms.library(choices, lambda values: set_text(client.scenario(values["name"]).text))
    change_form = forms.change(
        choices, lambda values: set_text(lambda before: builder.with_change(before, values))
    )
    return change_form, start_form


@app.cell
def _(forms, set_text, text):
    scenario_text = forms.scenario_text(text(), set_text)
    return (scenario_text,)


@app.cell
def _(client, questions, table_file, table_options, views):
    files, options = table_file.value, table_options.value
    own = views.kept(
        files or None,
        "Table",
        lambda given, report: questions.own_table(client, given[0], options, report),
        "No table yet: the other parts compute US imports of 2024.",
    )
    is_refused = bool(files) and own.result is None
    return is_refused, own


@app.cell
def _(is_refused, own, questions, text):
    inputs = questions.Inputs(text(), own.result, is_refused)
    return (inputs,)


@app.cell
def _(client, inputs, questions, quote_form, views):
    quote_view = views.answer(
        quote_form.value, "Duty", lambda values, _: views.quote(questions.quote(client, values, inputs))
    )
    return (quote_view,)


@app.cell
def _(client, inputs, questions, views):
    scenario_view = views.answer(
        inputs.text, "Check", lambda written, _: views.checked(*questions.check(client, written))
    )
    return (scenario_view,)


@app.cell
def _(own, views):
    table_view = own.instead if own.result is None else views.own_table(own.result)
    return (table_view,)


@app.cell
def _(client, compare_form, inputs, questions, views):
    compare_view = views.answer(
        compare_form.value,
        "Impact",
        lambda values, report: views.comparison(
            questions.compare(client, values, inputs, report), values["by"], values["question"]
        ),
    )
    return (compare_view,)


@app.cell
def _(client, inputs, questions, timeline_form, views):
    timeline_view = views.answer(
        timeline_form.value,
        "Timeline",
        lambda values, report: views.days(questions.timeline(client, values, inputs, report)),
    )
    return (timeline_view,)


@app.cell
def _(client, inputs, questions, sweep_form, views):
    swept = views.kept(
        sweep_form.value, "Sweep", lambda values, report: questions.sweep(client, values, inputs, report)
    )
    point = views.point_slider(swept.result)
    return point, swept


@app.cell
def _(point, swept, views):
    sweep_view = views.swept(swept, point)
    return (sweep_view,)


@app.cell
def _(part, quote_form, quote_view, views):
    views.part("Quote", part(), quote_form, quote_view)
    return


@app.cell
def _(change_form, part, scenario_text, scenario_view, start_form, views):
    views.part("Scenario", part(), start_form, change_form, scenario_text, scenario_view)
    return


@app.cell
def _(part, table_options, table_file, table_view, views):
    views.part("Your table", part(), table_options, table_file, table_view)
    return


@app.cell
def _(compare_form, compare_view, part, views):
    views.part("Compare", part(), compare_form, compare_view)
    return


@app.cell
def _(part, timeline_form, timeline_view, views):
    views.part("Timeline", part(), timeline_form, timeline_view)
    return


@app.cell
def _(part, sweep_form, sweep_view, views):
    views.part("Sweep", part(), sweep_form, sweep_view)
    return


if __name__ == "__main__":
    app.run()
