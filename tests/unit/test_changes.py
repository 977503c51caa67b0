"""What changes in a window: acts found, goods reached, and what each step does to a table."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.law.law import IMPORT
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.runs.law_history.change_effects import changes_on_table, goods_of, steps_of
from tariffs.engine.runs.law_history.law_changes import Notice, changes, read_window
from tariffs.engine.tables.export_lines import prepared_for

TABLE = pl.DataFrame(
    {
        "hts": ["9503.00.0073", "8703.23.0190", "0901.11.0025", "8479.50.0000"],
        "origin": ["CN", "KR", "BR", "CH"],
        "customs_value": [10000.0, 10000.0, 10000.0, 10000.0],
    }
)


def found(start: str, end: str, hts: str = "", origin: str = "") -> tuple[Notice, ...]:
    """The notices of a window under the law as it is."""
    return changes(load_law(), read_window(start, end, hts, origin))


def test_the_fentanyl_cut_and_the_extension_of_the_truce() -> None:
    by_measure = {(one.kind, name): one for one in found("2025-11-10", "2025-11-10") for name in one.measures}
    cut, extension = by_measure["enact", "fent_cn"], by_measure["extend", "recip_cn"]
    assert cut.when == ("takes_effect",)
    assert "10%" in cut.text
    assert cut.citations[0] == "EO 14357 (90 FR 50725, FR 2025-19825)"
    assert extension.known_from == date(2025, 11, 4)
    assert extension.at == cut.at


def test_a_publication_without_an_effect_in_the_window() -> None:
    (notice,) = [one for one in found("2025-09-04", "2025-09-04", "", "JP") if "recip_jp" in one.measures]
    assert notice.when == ("published",)
    assert notice.step is not None
    assert notice.step.before[0] == notice.step.after[0]
    assert (notice.step.before[1], notice.step.after[1]) == (date(2025, 9, 3), date(2025, 9, 4))


def test_the_end_of_a_stacking_rule_is_a_change_with_the_day_of_its_act() -> None:
    ends = [one for one in found("2025-06-03", "2025-06-03") if one.id == "fentanyl_before_metals.end"]
    assert [(one.when, one.known_from, one.citations) for one in ends] == [
        (("published",), date(2025, 6, 3), ("Proc 10947 cl. 5 and 6 (90 FR 24199, FR 2025-10524)",))
    ]
    took_effect = {one.id: one.when for one in found("2025-06-04", "2025-06-04") if one.kind == "stacking"}
    assert took_effect["fentanyl_before_metals.end"] == ("ends",)
    assert took_effect["metals_before_fentanyl"] == ("takes_effect",)


def test_a_row_added_to_a_period_is_a_change_with_its_own_publication() -> None:
    (published,) = [
        one for one in found("2026-05-28", "2026-05-28", "7304.31.3000", "TW") if "s232_IA" in one.measures
    ]
    assert (published.when, published.known_from) == (("published",), date(2026, 5, 28))
    assert "free for TW of" in published.text
    assert published.step is not None
    assert [moment.date() for moment, _ in (published.step.before, published.step.after)] == [
        date(2026, 5, 1)
    ] * 2
    mexico = [one.id for one in found("2025-03-07", "2025-03-07", "8516.79.0000", "MX")]
    assert "fent_mx_25.9903.01.04" in mexico


def test_a_start_that_was_delayed_is_a_change_of_the_later_day() -> None:
    def enacted(day: str, known_on: date | None = None) -> set[str]:
        notices = changes(load_law(), read_window(day, day), known_on=known_on)
        return {one.id for one in notices if one.kind == "enact" and "takes_effect" in one.when}

    orders = {"fent_ca_25", "fent_ca_energy_10", "fent_mx_25"}
    assert orders & enacted("2025-02-04") == set()
    assert orders <= enacted("2025-03-04")
    assert orders <= enacted("2025-02-04", date(2025, 2, 2))


def test_suspensions_that_end_and_the_void_of_the_authority() -> None:
    kinds = {(one.kind, one.measures) for one in found("2026-11-10", "2026-11-10")}
    assert ("end", ("recip_cn",)) in kinds
    void = [one for one in found("2026-02-20", "2026-02-24") if one.kind == "invalidate"]
    assert {"fent_cn", "recip_cn", "recip"} <= set(void[0].measures)
    assert any("Learning Resources" in cite for cite in void[0].citations)


def test_instants_come_in_order_and_every_notice_has_words_and_sources() -> None:
    notices = found("2025-01-20", "2026-11-24")
    instants = [one.at for one in notices if one.at]
    assert instants == sorted(instants)
    assert len(notices) > 100
    assert all(one.when and one.measures and one.text.endswith(".") for one in notices)
    for window, said in ((("2025-11-02", "2025-11-01"), "ends on"), (("2025-11", "2025-12-01"), "date")):
        with pytest.raises(InputError, match=said):
            found(*window)


def test_lines_hit_and_by_how_much() -> None:
    law, notices = load_law(), found("2025-11-10", "2025-11-14")
    bad = pl.DataFrame({"hts": ["1"], "origin": ["CN"], "customs_value": [1.0]})
    hit = changes_on_table(law, notices, pl.concat([TABLE, bad]))
    assert hit.refused["row"].to_list() == [4]
    cut = hit.lines.filter(pl.col("measure") == "fent_cn")
    assert cut.select("row", "duty_before", "duty_after", "change").rows() == [(0, 2000.0, 1000.0, -1000.0)]
    coffee = hit.lines.filter((pl.col("row") == 2) & (pl.col("known_on") == "2025-11-20"))
    assert coffee.select("measure", "change").rows() == [("ieepa_br", -4000.0)]
    assert set(hit.measures["step"]) <= set(range(len(steps_of(notices))))
    assert hit.measures["change"].sum() == pytest.approx(hit.lines["change"].sum())
    nothing = changes_on_table(law, (), TABLE)
    assert nothing.lines.is_empty()
    assert nothing.measures.is_empty()


def test_the_duty_of_a_step_is_that_of_an_entry_line() -> None:
    law = load_law()
    notices = found("2025-12-17", "2025-12-17", "8479.50.0000", "CH")
    hit = changes_on_table(law, notices, TABLE[3:].with_columns(fta_share=0.0, civil_aircraft_share=0.0))
    for step in steps_of(notices):
        at = step.after[0].astimezone(law.zones["import"]).isoformat("T", "minutes")
        rows = hit.lines.filter(pl.col("at") == at)
        for name, (instant, known_on) in (("duty_before", step.before), ("duty_after", step.after)):
            line = EntryLine("8479.50.0000", "CH", 10000, instant)
            quote = quote_line(law, line, known_on=known_on)
            amounts = {layer.measure: float(layer.amount) for layer in quote.layers}
            for measure, amount in rows.select("measure", name).rows():
                assert amounts.get(measure, 0.0) == pytest.approx(amount)


def of_table(table: pl.DataFrame, start: str, end: str) -> tuple[Notice, ...]:
    """The notices that reach a line of a table."""
    law = load_law()
    goods = goods_of(law, prepared_for((IMPORT,), table, law), IMPORT)
    return changes(law, read_window(start, end), goods=goods)


def test_codes_that_enter_a_list_concern_the_origins_of_the_rows_that_name_it() -> None:
    brazil = pl.DataFrame({"hts": ["3926.90.9985"], "origin": ["BR"], "customs_value": [10_000.0]})
    day = "2025-11-14"
    assert "FLOOR_CH_AIRCRAFT" not in {one.id for one in of_table(brazil, day, day)}
    assert "FLOOR_CH_AIRCRAFT" not in {one.id for one in found(day, day, "3926.90.9985", "BR")}
    swiss = brazil.with_columns(origin=pl.lit("CH"))
    for notices in (of_table(swiss, day, day), found(day, day, "3926.90.9985", "CH"), found(day, day)):
        (notice,) = [one for one in notices if one.id == "FLOOR_CH_AIRCRAFT"]
        assert notice.measures == ("recip_ch_li",)


@pytest.mark.parametrize(("start", "end"), [("2025-03-01", "2025-05-20"), ("2025-11-01", "2026-03-01")])
def test_no_change_with_an_effect_on_a_table_is_left_out(start: str, end: str) -> None:
    """A late act has the step of its publication; that in time is there only if another change shares its instant."""
    keys = ["at", "known_on", "measure", "row", "change"]
    every, reaching = (
        changes_on_table(load_law(), notices, TABLE).lines.select(keys)
        for notices in (found(start, end), of_table(TABLE, start, end))
    )
    assert every.height > 0
    assert reaching.join(every, on=keys, how="anti").is_empty()
    assert every.join(reaching, on=["measure", "row"], how="anti").is_empty()


def test_a_table_lists_the_union_of_what_its_lines_list() -> None:
    start, end = "2025-03-01", "2025-07-01"
    each = {one.id for row in range(TABLE.height) for one in of_table(TABLE[row : row + 1], start, end)}
    assert {one.id for one in of_table(TABLE, start, end)} == each < {one.id for one in found(start, end)}
