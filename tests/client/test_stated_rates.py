"""Rates and parameters of scenarios that a user gives: read alike by every call and command, filled equals written."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, ImpactResult, InvalidRequest, Scenario
from tariffs.client._arguments import parameters as as_texts
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.law.user_rates import user_rate
from tariffs.engine.law.values import read_rate
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.schedule.lines import load_schedule
from tariffs.service.rpc.checks import rate
from tests.client.conftest import Cli, goods, refuses, scenario_text

# Watches of 9101.11.40, for which the schedule has a formula.
WATCH, WATCH_DAY, VALUE = "9101.11.40", "2025-10-01", 10_000
FORMULA = "51¢ each + 6.25% on the case and strap, band or bracelet + 5.3% on the battery"
READ = [
    ("7%", "0.07"), ("12.5%", "0.125"), ("0.125", "0.125"), (" 7% ", "0.07"), ("0", "0"), (0.07, "0.07"), (0, "0"),
    (Decimal("0.0700"), "0.07"), (1e-7, "0.0000001"), (0.1 + 0.2, "0.30000000000000004"),
]  # fmt: skip
REFUSED = ["7", "1", "1.0", 7, 1.5, Decimal(7), "700%", "100%", "-3%", -0.03, ".07", "7 %", "x", "", "nan", "1e-2",
           float("nan"), float("inf"), "0,07"]  # fmt: skip


def watch(origin: str = "JP", **more: Any) -> EntryLine:
    return EntryLine(WATCH, origin, VALUE, WATCH_DAY, **more)


@pytest.mark.parametrize(("given", "read"), READ)
def test_a_rate_is_read_as_in_a_scenario(given: object, read: str) -> None:
    assert user_rate(given, "interest_rate") == Decimal(read)
    if isinstance(given, str):
        assert user_rate(given, "interest_rate") == read_rate(given.strip())


@pytest.mark.parametrize("given", REFUSED)
def test_what_is_no_rate_is_an_error_with_its_field_and_a_fix(given: object) -> None:
    with pytest.raises(InputError) as refused:
        user_rate(given, "interest_rate")
    assert (refused.value.reason, refused.value.field) == ("PARAMETER_INVALID", "interest_rate")
    assert "%" in refused.value.fix


@pytest.mark.parametrize(
    ("given", "said"), [("7", "0.07"), ("700%", "such as 0.07 for 7 %"), ("x", "0.07 for 7 %")]
)
def test_the_wire_takes_a_fraction_and_says_so(given: str, said: str) -> None:
    with pytest.raises(InputError, match=f"interest_rate is '{given}'") as refused:
        rate(given, "interest_rate")
    assert (refused.value.reason, refused.value.field) == ("PARAMETER_INVALID", "interest_rate")
    assert said in refused.value.fix
    assert rate("0.07", "interest_rate") == Decimal("0.07")


def test_python_and_the_command_line_read_rates_alike(client: Client, cli: Cli) -> None:
    entries = Path("entries.csv")
    entries.write_text("hts,origin,customs_value,entry_date,entry_id\n9503000073,CN,10000,2025-05-20,A\n")
    # 3,000 from 2025-05-20 to 2026-05-20 at 7 % compounded daily is 217.50: the rate of a year is 7.2501 %.
    for yearly in ("7%", 0.07):
        found = client.refund(entries, interest_rate=yearly, paid_on="2026-05-20")
        assert found.total["interest"] == Decimal("217.50")
        told = cli.json(f"refund entries.csv --interest-rate {yearly} --paid-on 2026-05-20 --local")
        assert told["total"]["interest"] == "217.50"
    more = r"interest_rate is '7'.*a bare number of 1 or more is not a rate"
    for given in (7, 7.0, "7", Decimal(7)):
        with pytest.raises(InvalidRequest, match=more):
            client.refund(entries, interest_rate=given)
    with pytest.raises(InvalidRequest, match="ordinary_rate is '5'"):
        client.duty("8433.51", "US", "2026-11-24", 1000, direction="export", ordinary_rate=5)
    # 60,000 net tons at 80 dollars over 10,000 TEU is 480 a TEU, of which a fifth is 96.
    voyage: dict[str, Any] = {"kind": "operated", "net_tons": 60000, "teu": 10000, "on": "2027-01-11"}
    for share in ("20%", 0.2):
        assert client.port_fees(**voyage, share=share).fees[0].teu_of_trade == Decimal("96.00")
    with pytest.raises(InvalidRequest, match="share"):
        client.port_fees(**voyage, share=20)


def test_a_line_without_an_ordinary_rate_is_told_how_to_state_it() -> None:
    found = load_schedule().find("91011140", load_law().as_of)
    assert found is not None
    assert found.general.text == FORMULA
    with pytest.raises(InputError) as caught:
        quote_line(load_law(), watch())
    assert caught.value.reason == "RATE_NOT_COMPUTABLE"
    assert FORMULA in caught.value.message
    assert "ordinary_rate" in caught.value.fix
    assert "--ordinary-rate" in caught.value.fix


@pytest.mark.parametrize("stated", ["9.8%", "0.098", 0.098, Decimal("0.098")])
def test_a_stated_rate_is_charged_topped_up_and_shown_as_stated(client: Client, stated: Any) -> None:
    quote = client.duty(WATCH, "JP", WATCH_DAY, VALUE, ordinary_rate=stated, why=True)
    # EO 14345: goods of Japan are topped up to 15 % in total, so 5.2 % over a rate of 9.8 %.
    amounts = {layer.measure: layer.amount for layer in quote.layers if layer.amount}
    assert amounts == {"mfn_col1": Decimal("980.00"), "recip_jp": Decimal("520.00")}
    (note,) = (note for note in quote.notes if note.reason == "ORDINARY_RATE_STATED")
    assert "9.8%" in note.message
    assert FORMULA in note.message
    (ordinary,) = (layer for layer in quote.layers if layer.measure == "mfn_col1")
    assert "9.8% as stated" in ordinary.why["text"]


def test_a_program_that_is_claimed_keeps_its_own_rate_and_a_stated_one_beats_the_schedule() -> None:
    law = load_law()
    # EO 14257 as amended: 15 % on goods of Korea; the Korea agreement frees the watch of its ordinary duty.
    plain = quote_line(law, watch("KR", ordinary_rate="9.8%"))
    claimed = quote_line(law, watch("KR", claims={"fta_share": "1"}, ordinary_rate="9.8%"))
    assert (plain.assessed, claimed.assessed) == (Decimal("2480.00"), Decimal("1500.00"))
    assert plain.min == claimed.assessed
    line = EntryLine("9503.00.0073", "VN", VALUE, "2025-01-10")
    assert quote_line(law, line).assessed == 0
    assert quote_line(law, line._replace(ordinary_rate="0.01")).assessed == 100


def test_lines_at_different_rates_do_not_share_an_answer(there: Client) -> None:
    for stated, duty in [("9.8%", 1500), ("20%", 2000), ("9.8%", 1500), ("1%", 1500)]:
        for value in (10_000, 1_000):
            quote = there.duty(WATCH, "JP", WATCH_DAY, value, ordinary_rate=stated)
            assert quote.assessed == Decimal(duty) * value / VALUE


def test_line_entry_file_table_and_command_line_agree(there: Client, cli: Cli) -> None:
    rows = [(WATCH, "JP", "9.8%"), (WATCH, "KR", "0.098"), ("9503.00.0073", "VN", ""), (WATCH, "JP", "3")]
    table = goods(
        *((hts, origin, VALUE, rate, 0) for hts, origin, rate in rows), more=("ordinary_rate", "fta_share")
    )
    path = Path("watches.csv")
    table.write_csv(path)
    entries = there.duties(path, on=WATCH_DAY)
    found = there.impact(path, on=WATCH_DAY, response="none", include_lines=True)
    assert entries.lines["assessed"].cast(pl.Float64).to_list() == [1500, 2480, 2000, None]
    assert found.lines is not None
    assert found.lines["duty"].to_list() == pytest.approx([1500, 2480, 2000])
    for refused in (entries.refused, found.refused):
        assert refused.select("row", "column", "reason").rows() == [(3, "ordinary_rate", "PARAMETER_INVALID")]
    notes = {note.reason: note.message for note in found.notes}
    assert "20,000 USD" in notes["ORDINARY_RATE_STATED"]
    one = f"duty {WATCH} --origin JP --date {WATCH_DAY} --value {VALUE} --local --ordinary-rate 9.8%"
    assert cli.json(one)["assessed"] == "1500.00"


CHANGE = "op: set_rate, measures: {{id: fl301, origins: [{}]}}, "
OPEN = scenario_text(
    CHANGE.format("CN") + "from: $start, rate: $cn",
    CHANGE.format("VN") + "from: $start, rate: $cn, when: $vietnam",
    head="parameters: {cn: {default: 15%, title: China}, start: {default: 2026-11-01}, vietnam: {default: off}}\n",
)
PLAIN = scenario_text(*(CHANGE.format(origin) + "from: 2026-11-10, rate: 20%" for origin in ("CN", "VN")))
VALUES: dict[str, Any] = {"cn": "20%", "start": date(2026, 11, 10), "vietnam": True}
DAY, TOYS = "2026-11-20", "9503.00.0073"
TABLE = goods(("9503000073", "CN", 1e4), ("9503000073", "VN", 5e4), ("8471300100", "MX", 7e4))
RUN: dict[str, Any] = {"response": "none", "by": ["origin"]}


def details(result: ImpactResult) -> Any:
    return result.provenance["details"]


@pytest.fixture(params=["here", "there"])
def either(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture
def file() -> Path:
    Path("open.yaml").write_text(OPEN, encoding="utf-8")
    return Path("open.yaml")


# Toys of China pay neither an ordinary duty nor list 4B: the forced-labor duty is all there is.
@pytest.mark.parametrize(
    ("value", "duty"),
    [
        ("20%", "2000.00"),
        (0.2, "2000.00"),
        (Decimal("0.2"), "2000.00"),
        ("0.333", "3330.00"),
        (None, "1500.00"),
        (0, "0.00"),
    ],
)
def test_a_rate_that_is_filled_in_is_charged(either: Client, value: Any, duty: str) -> None:
    values = {} if value is None else {"cn": value}
    quote = either.duty(TOYS, "CN", DAY, 10000, scenario=Scenario.from_text(OPEN), parameters=values)
    assert str(quote.assessed) == duty
    batch = either.duties(TABLE.head(1), on=DAY, scenario=Scenario.from_text(OPEN), parameters=values)
    assert [f"{row['assessed']:.2f}" for row in batch.lines.to_dicts()] == [duty]


def test_a_filled_run_is_that_of_the_scenario_written_with_plain_values(either: Client) -> None:
    filled, plain = Scenario.from_text(OPEN), Scenario.from_text(PLAIN)
    one = either.impact(TABLE, ["base", filled], on=DAY, parameters=VALUES, **RUN)
    two = either.impact(TABLE, ["base", plain], on=DAY, **RUN)
    assert one.groups.equals(two.groups)
    assert one.provenance["scenarios"] == two.provenance["scenarios"]
    assert one.provenance["run_digest"] != two.provenance["run_digest"]
    filled_in = {"cn": "20%", "vietnam": "on", "start": "2026-11-10"}
    assert details(one)["scenario_parameters"] == {"mine": filled_in}
    assert "scenario_parameters" not in details(two)
    rows = {(row["scenario"], row["origin"]): row["duty"] for row in one.groups.to_dicts()}
    assert (rows["mine", "CN"], rows["mine", "VN"]) == pytest.approx((2000.0, 10000.0), rel=1e-12)
    days: dict[str, Any] = {"start": "2026-11-08", "end": "2026-11-12"}
    series = either.timeline(TABLE, [filled], parameters=VALUES, **days, **RUN)
    assert series.segments.filter(origin="CN")["duty"].to_list() == [1250.0, 2000.0]
    streamed = either.lines(TABLE, [filled], on=DAY, parameters=VALUES).collect()
    assert streamed["duty"].to_list()[:2] == pytest.approx([2000.0, 10000.0], rel=1e-12)


def test_a_value_fills_every_scenario_that_declares_it_and_no_other(either: Client) -> None:
    other = OPEN.replace("id: mine", "id: other").replace("fl301", "fl301_2026")
    scenarios: list[Any] = ["base", Scenario.from_text(OPEN), Scenario.from_text(other)]
    found = either.impact(TABLE, scenarios, on=DAY, parameters={"cn": "40%"}, **RUN)
    rows = found.groups.filter(origin="CN")
    assert rows.select("scenario", "duty").rows() == [("base", 1250.0), ("mine", 4000.0), ("other", 4000.0)]
    for ask in (
        lambda values: either.impact(TABLE, scenarios, on=DAY, parameters=values, **RUN),
        lambda values: either.timeline(TABLE, scenarios, start=DAY, end=DAY, parameters=values, **RUN),
        lambda values: either.duty(TOYS, "CN", DAY, 1, scenario=Scenario.from_text(OPEN), parameters=values),
        lambda values: either.duty(TOYS, "CN", DAY, 1, parameters=values),
        lambda values: either.scenario("rates-by-country", parameters=values),
    ):
        with refuses("PARAMETER_UNKNOWN"):
            ask({"cm": "1%"})


def test_a_check_says_where_a_value_does_not_fit(either: Client) -> None:
    result = either.check(OPEN, parameters={"cn": "20"})
    assert not result.ok
    (problem,) = result.problems
    assert (problem.reason, problem.path) == ("PARAMETER_INVALID", "changes[0].rate")
    assert (problem.line, problem.column) == (7, OPEN.splitlines()[6].index("$cn") + 1)
    found = either.check(OPEN, parameters={"cn": 0.2}).parameters
    assert [(one.name, one.kind, one.default, one.value, one.title) for one in found] == [
        ("cn", "rate", "15%", "0.2", "China"),
        ("start", "date", "2026-11-01", "2026-11-01", ""),
        ("vietnam", "on_off", "off", "off", ""),
    ]


def test_the_digest_of_a_library_scenario_is_that_of_its_values(either: Client) -> None:
    default, same, other = (
        either.scenario("rates-by-country", parameters=values)
        for values in (None, {"cn": 0.2}, {"cn": "21%"})
    )
    assert default.digest == same.digest != other.digest
    values = {one.name: one.value for one in other.parameters}
    assert values == {"cn": "21%", "vn": "20%", "eu": "15%", "start": "2026-11-24"}


def test_values_are_written_as_decimal_text() -> None:
    texts = {
        "0.30000000000000004": 0.1 + 0.2,
        "0.0015": 0.0014999999999999998,  # beyond 18 decimals, as grids of NumPy are
        "0.00001": 1e-5,
        "12.50": Decimal("12.50"),
        "3": 3,
        "off": False,
        "2027-01-02": date(2027, 1, 2),
        "5%": " 5% ",
    }
    assert as_texts(texts) == {text: text for text in texts}
    for wrong in (float("nan"), object(), [1], None, b"1"):
        with refuses("PARAMETER_INVALID"):
            as_texts({"a": wrong})


def duty_of(document: Any, origin: str) -> float:
    rows = document["scenarios"][0]["groups"]
    return {row["origin"]: float(row["duty"]) for row in rows}[origin]


def test_commands_take_parameters(cli: Cli, file: Path) -> None:
    TABLE.write_csv("table.csv")
    given = f"-s {file} --param cn=20% --param vietnam=on --local"
    quote = cli.json(f"duty {TOYS} --origin CN --date {DAY} --value 10000 {given}")
    assert quote["assessed"] == "2000.00"
    for words in (f"impact table.csv --on {DAY}", f"timeline table.csv --start {DAY} --end {DAY}"):
        found = cli.json(f"{words} --response none {given}")
        assert duty_of(found, "VN") == pytest.approx(10000.0, rel=1e-12)
    (problem,) = cli.json(f"scenario check {file} --param cn=20 --local", 4)["problems"]
    assert (problem["reason"], problem["line"], problem["path"]) == (
        "PARAMETER_INVALID",
        7,
        "changes[0].rate",
    )
    for name in ("rates-by-country", str(file)):
        shown = cli.json(f"scenario show {name} --param cn=33% --local")
        assert {"name": "cn", "value": "33%"}.items() <= shown["parameters"][0].items()
    printed = cli.out("scenario show rates-by-country --local")
    assert "# --param cn=20%  (rate, default 20%, rate on China, now 12.5 percent)" in printed
    assert Client.local().check(printed).ok


def test_wrong_parameters_exit_2(cli: Cli, file: Path) -> None:
    wrong = {"cm=20%": "PARAMETER_UNKNOWN", "cn=20": "PARAMETER_INVALID"}
    wrong |= dict.fromkeys(("cn", "cn=1% --param cn=2%"), "REQUEST_INVALID")
    for given, reason in wrong.items():
        document = cli.json(f"duty {TOYS} --origin CN --value 1 -s {file} --param {given} --local", 2)
        assert document["error"]["reason"] == reason
