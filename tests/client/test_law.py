"""The law as the client shows it, measure by measure, and the law that calls name or a client brings."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest, NotFound, TariffsError
from tariffs.client._verbs.replay import replay
from tariffs.client._wire.requests import name_law, with_law
from tariffs.client.cli.app import run
from tariffs.engine.law import load_law
from tariffs.engine.law.describe_rows import describe_charge
from tariffs.engine.law.model import Row, Tier
from tariffs.engine.law.values import UnitRate
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.run_options import LocalInputs
from tariffs.service.rpc.spread_runs import Job
from tariffs.v1 import simulation_service_pb2 as pb
from tests.client.conftest import Cli
from tests.client.fakes import fake_server
from tests.law.packs import CHARGED, EXEMPT, NEWER, TOYS, law_copy

KILO = UnitRate(Decimal(1), "kg")
LINES = pl.DataFrame({"hts": [TOYS["hts"]], "origin": ["CN"], "customs_value": [10_000.0]})


def test_every_measure_of_the_law_is_shown_with_its_rows_periods_and_acts(client: Client) -> None:
    law = load_law()
    for name, measure in law.measures.items():
        found = client.measure(name)
        assert found.switches == measure.switch
        for period, shown in zip(measure.periods, found.periods, strict=True):
            known = period.known_from.isoformat() if period.known_from else ""
            assert (shown.known_from, shown.confidence, shown.switches) == (known, period.conf, period.switch)
            days = [row.known_from.isoformat() if row.known_from else "" for row in period.rows]
            assert [row.known_from for row in shown.rows] == days
            assert [row.label for row in shown.rows] == [row.label for row in period.rows]
            assert all(row.charge and row.goods and row.base for row in shown.rows)
            percents = {f"{(row.rate * 100).normalize():f}%" for row in period.rows if row.rate}
            assert percents <= {word for row in shown.rows for word in row.charge.split()}, name
        for act, event in zip(law.acts[name], found.events, strict=True):
            change = act.change
            facts = (event.confidence, event.switches, event.heading)
            assert facts == (change.conf, change.switch, change.heading)
            assert event.known_from == (act.known_from.isoformat() if act.known_from else "")
            assert bool(event.goods) == (not act.scope.is_any)
            assert event.conditions == " and ".join(condition.text for condition in act.conditions)


def test_the_codes_of_a_measure_are_paged_to_their_end(client: Client) -> None:
    found = first = client.measure_codes("fl301", page_size=1000)
    codes = [*first.codes]
    while found.next_page_token:
        found = client.measure_codes("fl301", page_size=1000, page_token=found.next_page_token)
        codes += found.codes
    assert len({*codes}) == len(codes) == first.total_size > 8000
    assert {one.list for one in codes} - {""} == {one.id for one in client.measure("fl301").lists}
    for page_token, hts in (("x", ""), ("-1", ""), ("", "x")):
        with pytest.raises(InvalidRequest):
            client.measure_codes("fl301", page_token=page_token, hts=hts)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Row("add", rate=Decimal("0.125")), "12.5%"),
        (Row("add", rate=Decimal(0), relief=True), "free"),
        (Row("topup_to", rate=Decimal("0.15")), "up to 15% all-in"),
        (Row("total", rate=Decimal("0.1")), "10% in lieu of the ordinary duty"),
        (Row("specific", tiers=(Tier(None, UnitRate(Decimal("0.22"), "W")),)), "0.22 USD/W"),
        (
            Row("specific", tiers=(Tier(Decimal(1000), KILO), Tier(None, UnitRate(Decimal(2), "kg")))),
            "1 USD/kg up to 1,000, then 2 USD/kg",
        ),
        (Row("minimum_price", price=UnitRate(Decimal("0.4"), "W")), "the shortfall to 0.4 USD/W"),
        (Row("ordinary", column="special"), "the ordinary rate, column special"),
        (Row("prohibition"), "imports are prohibited"),
    ],
)
def test_what_a_row_charges_is_said_in_words(row: Row, words: str) -> None:
    assert describe_charge(row) == words


def test_the_command_line_prints_rates_lists_publication_confidence_and_claims(
    cli: Cli, client: Client
) -> None:
    (claim,) = (one for one in client.law().claims if one.id == "not_listed_share")
    said = {
        "s301_l3": ["25% CN of S301_L3 without S301_L3_04", "product lists: S301_L3 ("],
        "recip": [
            "published 2025-04-02, confidence A",
            "for ANNEX_II_ELECTRONICS without CA_MX, COLUMN2 under heading 9903.01.32",
        ],
        "s232_IA": ["confidence A, only if switch uk_metals is lower_rate", "2026-05-28"],
        "cn.recip": ["export to CN"],
        "s232_cabinets": [f"not_listed_share: {claim.text}"],
    }
    for name, texts in said.items():
        shown = " ".join(cli.out(["law", "show", name, "--local"]).split())
        assert [text for text in texts if text not in shown] == []
    assert "usmca_share:" not in cli.out("law show s232_cabinets --local")
    assert cli.json("law show s301_l3 --local")["periods"][0]["rows"][0]["charge"] == "10%"


def test_a_measure_on_exports_names_the_country_that_charges_it(client: Client, cli: Cli) -> None:
    measures = load_law().measures
    shown = {one.id: one.destination for one in client.measures()}
    assert shown == {name: one.market if one.direction == "export" else "" for name, one in measures.items()}
    assert {shown["cn.recip"], shown["recip_cn"]} == {"CN", ""}
    listed = cli.json(["law", "measures", "--json"])["measures"]
    assert {one["id"]: one["destination"] for one in listed} == shown


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return law_copy(tmp_path_factory.mktemp("law") / "law")


def assessed(client: Client, law_version: str = "") -> tuple[str, str]:
    quote = client.duty(TOYS["hts"], "CN", TOYS["entry"], 10_000, law_version=law_version)
    return f"{quote.assessed:.2f}", str(quote.provenance["law_version"])


def test_a_client_computes_under_a_law_of_its_own_until_it_is_closed(folder: Path, tmp_path: Path) -> None:
    own = load_law().version
    with Client.local() as plain, Client.local(law=folder) as client:
        assert assessed(client, own) == assessed(plain) == (CHARGED, own)
        assert [one.version for one in client.law_versions()] == [NEWER, own]
        assert client.law().version == client.law(law_version="latest").version == NEWER
        exact = client.law_versions()[0].exact
        for name in ("", "latest", NEWER, exact):
            assert assessed(client, name) == (EXEMPT, NEWER)
        assert plain.impact(LINES, response="none", law_version=exact).total["duty"].item() == 0.0
        # A task elsewhere gets the law with its job.
        job = Job.read(Job.of("simulate", pb.SimulateRequest(law_version=exact), LocalInputs()).written())
        assert LAWS.take(exact, job.law).version == NEWER
        assert Job.of("simulate", pb.SimulateRequest(), LocalInputs()).law == b""
        table, written = tmp_path / "lines.csv", tmp_path / "result.json"
        LINES.write_csv(table)
        impact = client.impact(str(table), response="none")
        assert (impact.total["duty"].item(), impact.provenance["law_version"]) == (0.0, NEWER)
        written.write_text(json.dumps(impact.to_json_dict(), default=str), encoding="utf-8")
        again = replay(plain, written)
        assert (again.same, again.changed) == (True, ())
        digest = client.law().digest
    with Client.local() as plain:
        with pytest.raises(NotFound) as caught:
            assessed(plain, NEWER)
        assert (caught.value.reason, caught.value.field) == ("LAW_VERSION_NOT_FOUND", "law_version")
        # The law may still be in memory; one that never was is not found.
        written.write_text(written.read_text(encoding="utf-8").replace(digest, "0" * 64), encoding="utf-8")
        with pytest.raises(NotFound, match="was made under the law"):
            replay(plain, written)


def test_the_law_comes_from_argument_client_or_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARIFFS_LAW_VERSION", "3.3.3.3")
    with fake_server() as server:
        for client, argument, wanted in (
            (Client(server.target), "", "3.3.3.3"),
            (Client(server.target, law_version="2.2.2.2"), "", "2.2.2.2"),
            (Client(server.target, law_version="2.2.2.2"), "latest", "latest"),
        ):
            with client, pytest.raises(TariffsError):  # the server answers nothing
                client.duty(TOYS["hts"], "CN", TOYS["entry"], 1, law_version=argument)
            assert server.requests[-1].law_version == wanted
    started = pb.StartRunRequest(timeline=pb.TimelineRequest())
    for version in ("2.2.2.2", "3.3.3.3"):
        name_law(started, version)
        assert started.timeline.law_version == "2.2.2.2"
    sent = [pb.SimulateLinesRequest(config={}), pb.SimulateLinesRequest(arrow=b"x")]
    first, second = with_law(iter(sent), "2.2.2.2")
    assert (first.config.law_version, second.arrow) == ("2.2.2.2", b"x")


def test_the_command_line_names_versions_packs_and_folders(folder: Path, tmp_path: Path, cli: Cli) -> None:
    pack, own = tmp_path / "law.tar.zst", load_law().version
    assert cli.json(["law", "build", str(folder), "-o", str(pack), "--json"])["version"] == NEWER
    quote = ["duty", TOYS["hts"], "--origin", "CN", "--value", "10000", "--local", "--json", "--law-version"]
    for name, wanted in ((str(pack), EXEMPT), (str(folder), EXEMPT), (own, CHARGED)):
        assert float(cli.json([*quote, name])["assessed"]) == float(wanted)
    with pytest.raises(NotFound, match=r"no law '1999\.01\.01\.1'"):
        run([*quote, "1999.01.01.1"])
    (found,) = cli.json(["law", "versions", "--local", "--json"])["versions"]
    assert (found["version"], found["is_default"], found["state"]) == (own, True, "served")
