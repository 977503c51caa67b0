"""Origins by landed cost: the costs of quotes, ranked; the same over gRPC, in this process and on the command line."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from tariffs.client import Client
from tariffs.client.cli.__main__ import run
from tariffs.client.errors import InvalidRequest, TariffsError
from tariffs.engine.schedule.countries import origin_codes
from tariffs.engine.schedule.reference_data import reference_table

TOYS, DAY = "9503.00.0073", "2026-11-24"
NEAR = Decimal("0.01")


def test_costs_are_those_of_quotes(client: Client, scale: int) -> None:
    dice = random.Random(33)
    codes = dice.sample(sorted(reference_table()["hts"].unique().to_list()), scale)
    origins = dice.sample(sorted(origin_codes()), 25)
    for code in codes:
        try:
            found = client.source(code, 1000, on=DAY, origins=origins, mode="ocean").scenarios[0]
        except TariffsError as error:
            with pytest.raises(TariffsError, match=error.reason):
                client.duty(code, origins[0], DAY, 1000, mode="ocean")
            continue
        assert {one.origin for one in found.origins} == set(origins)
        for one in found.origins:
            if one.problem is not None:
                with pytest.raises(TariffsError) as refused:
                    client.duty(code, one.origin, DAY, 1000, mode="ocean")
                assert refused.value.reason == one.problem.reason
                continue
            quote = client.duty(code, one.origin, DAY, 1000, mode="ocean")
            assert (one.duty, one.owed, one.landed) == (quote.assessed, quote.owed, quote.landed["total"])
            assert one.missing_claims == quote.missing_claims
            assert (one.rank is None) == bool(quote.prohibited)
        ranked = [one for one in found.origins if one.rank]
        assert [one.landed for one in ranked] == sorted(
            one.landed for one in ranked if one.landed is not None
        )
        assert all((a.rank == b.rank) == (a.landed == b.landed) for a, b in pairwise(ranked))


def test_a_premium_lands_at_the_cost_of_today(client: Client) -> None:
    found = client.source(TOYS, 1000, on="2025-11-10", origins=["VN", "MX", "DE"], today="CN").scenarios[0]
    costs = {one.origin: one for one in found.origins}
    assert costs["CN"].premium == 0
    again = client.source(TOYS, 1000, on="2025-11-10", origins=["VN", "MX", "DE"], today="China")
    assert again.scenarios[0] == found
    for origin in ("VN", "MX", "DE"):
        premium = costs[origin].premium
        assert premium is not None
        dearer = client.duty(TOYS, origin, "2025-11-10", 1000 * (1 + premium))
        # Values of entries are whole dollars.
        assert abs(dearer.landed["total"] - (costs["CN"].landed or 0)) <= 2


def test_a_mixture_gives_expected_costs_and_several_scenarios_regrets(client: Client, tmp_path: Path) -> None:
    names = ["base", "ieepa-upheld-truce-lapsed"]
    mixture = tmp_path / "mixture.yaml"
    parts = [
        f"  - {{scenario: {name}, weight: {weight}}}"
        for name, weight in zip(names, ("0.75", "0.25"), strict=True)
    ]
    mixture.write_text(
        "\n".join(
            [
                "schema: tariffs.scenario/v1",
                "id: either",
                "title: Either",
                "basis: hypothesis",
                "mixture:",
                *parts,
            ]
        )
    )
    found = client.source(TOYS, 1000, on=DAY, scenarios=[*names, str(mixture)], origins=["CN", "VN", "MX"])
    first, second, mixed = (
        {one.origin: one.landed or Decimal(0) for one in each.origins} for each in found.scenarios
    )
    for origin, landed in mixed.items():
        assert abs(landed - (first[origin] * 3 + second[origin]) / 4) <= NEAR
    losses = {
        origin: max(each[origin] - min(each.values()) for each in (first, second, mixed)) for origin in first
    }
    assert {one.origin: one.regret for one in found.regrets} == losses
    assert [one.regret for one in found.regrets] == sorted(losses.values())


def test_a_period_is_the_mean_of_its_days(client: Client) -> None:
    days = [f"2025-04-{day:02}" for day in range(1, 31)]
    found = client.source(TOYS, 1000, start=days[0], end=days[-1], origins=["CN", "MX", "VN"]).scenarios[0]
    daily = {
        origin: [client.duty(TOYS, origin, day, 1000).landed["total"] for day in days]
        for origin in ("CN", "MX", "VN")
    }
    for one in found.origins:
        assert one.landed is not None
        assert abs(one.landed - sum(daily[one.origin], Decimal(0)) / len(days)) <= NEAR
    cheapest = [
        {o for o in daily if daily[o][place] == min(each[place] for each in daily.values())}
        for place in range(len(days))
    ]
    for flip in found.flips:
        place = days.index(flip.day)
        assert flip.after in cheapest[place]
        assert flip.before not in cheapest[place]
        assert flip.before in cheapest[place - 1]
    assert found.flips


def test_the_same_everywhere(server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    offers = tmp_path / "offers.csv"
    pl.DataFrame({"origin": ["CN", "VN"], "unit_cost": [10.5, 11.0], "freight": [0.4, None]}).write_csv(
        offers
    )
    arguments = ["source", TOYS, "--offers", str(offers), "--on", DAY, "--units", "1000", "--today", "CN"]
    here = Client.local().source(TOYS, offers=offers, on=DAY, units=1000, today="CN")
    with Client(server) as remote:
        assert remote.source(TOYS, offers=offers, on=DAY, units=1000, today="CN") == here
    assert run([*arguments, "--json", "--target", server]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document.pop("schema") == "tariffs.source/v1"
    assert document == json.loads(json.dumps(here.to_json_dict()))
    (scenario,) = document["scenarios"]
    assert {"origin", "duty", "landed", "rank"} <= scenario["origins"][0].keys()
    assert (scenario["id"], scenario["on"]) == ("base", DAY)
    quote = Client.local().duty(TOYS, "CN", DAY, 10_500, freight=400)
    china = next(one for one in scenario["origins"] if one["origin"] == "CN")
    assert Decimal(china["landed"]) == (quote.landed["total"] / 1000).quantize(Decimal("0.0001"))
    assert run(arguments) == 0
    assert "a unit costs least from China" in capsys.readouterr().out


def test_goods_that_may_not_enter_have_no_rank(client: Client) -> None:
    found = client.source("2203.00.00", 100, on=DAY, origins=["CA", "DE"], quantity=10, unit="L").scenarios[0]
    assert [(one.origin, one.rank) for one in found.origins] == [("DE", 1), ("CA", None)]
    assert found.origins[1].prohibited == ("s338_ca_alcohol_ban",)


@pytest.mark.parametrize(
    ("options", "reason", "field"),
    [
        ({"unit_cost": None}, "CUSTOMS_VALUE_INVALID", "customs_value"),
        ({"origins": ["XX"]}, "ORIGIN_UNKNOWN", "origin"),
        ({"units": 0}, "REQUEST_INVALID", "units"),
        ({"start": "2025-01-01"}, "REQUEST_INVALID", "end"),
        ({"on": DAY, "start": "2025-01-01", "end": "2025-01-02"}, "REQUEST_INVALID", "line.entry"),
        ({"offers": pl.DataFrame({"origin": ["CN"]})}, "COLUMN_MISSING", "unit_cost"),
    ],
)
def test_what_cannot_be_used_names_its_field(
    client: Client, options: dict[str, object], reason: str, field: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        client.source(TOYS, **{"unit_cost": 10, "origins": ["CN"]} | options)  # type: ignore[arg-type]  # wrong on purpose
    assert (refused.value.reason, refused.value.field) == (reason, field)
