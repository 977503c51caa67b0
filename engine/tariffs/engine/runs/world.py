"""Solve the world under a scenario or given tariffs: the verb behind `tariffs world`. See docs/models/world.md."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64
from tariffs.engine.base.provenance import law_facts, with_run_digest
from tariffs.engine.errors import InputError
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entry_dates import entry_moment
from tariffs.engine.response.world import (
    OneSectorParameters,
    OneSectorWorld,
    SectorsWorld,
    WorldResult,
    baseline,
    one_sector_table,
    optimal_retaliation,
    sector_table,
    with_rates,
)
from tariffs.engine.response.world.one_sector_parameters import TRANSFERS, ZERO, check
from tariffs.engine.response.world.read_tables import Files
from tariffs.engine.response.world.world_result import mean_of
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.table_run import RunContext
from tariffs.engine.runs.world_games import best_tariff, nash
from tariffs.engine.runs.world_tariffs import LawTariffs
from tariffs.engine.scenario import Scenario, components, scenario_facts

ONE_SECTOR, SECTORS = MODELS = ("one_sector", "sectors")
NONE, BY_LAW, RECIPROCAL, OPTIMAL = RETALIATION = ("none", "law", "reciprocal", "optimal")
_ROUNDED = 1e-12


@dataclass(frozen=True, kw_only=True)
class WorldSpec(OneSectorParameters):
    """Question about the world: model, elasticities, closure and what partners do.

    Attributes:
        model: `one_sector`, or `sectors` over a table of the caller's.
        deficits: as in `OneSectorParameters`; empty: `transfers` of one sector, `zero` of many.
        retaliation: what partners charge on goods of the home country besides: `none`; `law`, what the export law says
            under the scenario; `reciprocal`, what it added on theirs; `optimal`, the published formula.
        retaliation_rate: one rate of all partners instead, a fraction; None: as `retaliation` says.
        reaction: slope of reactions: what partners add for 1 that is added on their goods; `reciprocal` is 1.
    """

    model: str = ONE_SECTOR
    deficits: str = ""
    retaliation: str = NONE
    retaliation_rate: float | None = None
    reaction: float = 0.0

    def __post_init__(self) -> None:
        if not self.deficits:
            object.__setattr__(self, "deficits", TRANSFERS if self.model == ONE_SECTOR else ZERO)
        super().__post_init__()
        check("model", self.model, self.model in MODELS, " or ".join(MODELS))
        check("retaliation", self.retaliation, self.retaliation in RETALIATION, ", ".join(RETALIATION))
        rate = self.retaliation_rate
        check("retaliation_rate", rate, rate is None or -1.0 < rate < np.inf, "above -1")
        check("reaction", self.reaction, 0.0 <= self.reaction < np.inf, "0 or more")
        if self.model == SECTORS:
            changed = [
                one.name
                for one in fields(OneSectorParameters)
                if one.name != "deficits" and getattr(self, one.name) != one.default
            ]
            check(", ".join(changed), "of one sector", not changed, "to the model one_sector alone")
            check("retaliation", OPTIMAL, self.retaliation != OPTIMAL, "other than optimal for many sectors")

    def parameters(self) -> OneSectorParameters:
        """Parameters of the model of one sector."""
        return OneSectorParameters(
            **{one.name: getattr(self, one.name) for one in fields(OneSectorParameters)}
        )


World = OneSectorWorld | SectorsWorld


@dataclass(frozen=True)
class WorldAnswer:
    """Changes by country with their certificate, notes and provenance.

    Attributes:
        countries: as in `WorldResult`; expected values of a mixture.
        residual, iterations, unallocated: as in `WorldResult`, the largest of the components of a mixture.
        notes: what the answer leaves out.
        provenance: what reproduces it.
        results: result of the scenario, or of each component of a mixture.
        rates: rate that each player chose, by name, a fraction; empty without players.
        largest_gain: most that a player would gain in welfare by another rate, a fraction.
    """

    countries: pl.DataFrame
    residual: float
    iterations: int
    unallocated: float
    notes: tuple[Note, ...]
    provenance: Mapping[str, object]
    results: tuple[WorldResult, ...] = field(repr=False)
    rates: Mapping[str, float] = field(default_factory=dict)
    largest_gain: float = 0.0


def world_of(spec: WorldSpec, files: Files) -> World:
    """Make the world of a question, over the embedded table of one sector or files of the caller's.

    Raises:
        InputError: TABLE_UNREADABLE, or PARAMETER_INVALID for many sectors without a table.
    """
    if spec.model == ONE_SECTOR:
        return OneSectorWorld(one_sector_table(files) if files else baseline(), spec.parameters())
    if not files:
        raise InputError(
            "PARAMETER_INVALID",
            "No table of many sectors is embedded.",
            field="trade",
            fix="Name the directory of one (--trade DIR), see docs/models/world.md.",
        )
    return SectorsWorld(sector_table(files), spec.deficits)


def world(
    law: Law,
    spec: WorldSpec,
    scenario: Scenario | None = None,
    on: str = "",
    *,
    tariffs: pl.DataFrame | None = None,
    files: Files | None = None,
    players: Sequence[str] = (),
    options: Options | None = None,
    context: RunContext | None = None,
) -> WorldAnswer:
    """Solve the world under a scenario of the law, or under given tariffs.

    Args:
        law: the law before the scenario.
        spec: model, elasticities, closure and retaliation.
        scenario: dated changes of the law, a mixture too.
        on: day of the law; default its as-of day.
        tariffs: `importer, exporter, rate` (alpha-3 codes, fractions) in the place of a scenario, and `sector`.
        files: table of the world by file name; default the embedded one.
        players: countries that choose the uniform tariff that is best for them, each a code, or several with + between
            that choose together; one alone counts the answers of partners, several reach a Nash point.
        options: day known, switches and confidence of the law.
        context: cancellation.

    Raises:
        InputError: PARAMETER_INVALID, TABLE_UNREADABLE or NO_EQUILIBRIUM.
        ScenarioError: the scenario cannot be applied.
    """
    if (tariffs is None) == (scenario is None):
        raise InputError(
            "PARAMETER_INVALID",
            "The world is solved under a scenario or under tariffs.",
            field="tariffs",
            fix="Give one of the two.",
        )
    solved, options, context = (
        world_of(spec, files or {}),
        options or Options(),
        context or RunContext(None, None),
    )
    day, parts, notes = "", [(1.0, solved.untaxed)], list[Note]()
    facts = {**law_facts(law), **_facts(solved, spec, tariffs), "players": list(players)}
    facts["known_on"] = options.known_on or law.as_of.isoformat()
    if tariffs is not None:
        check(
            "retaliation", spec.retaliation, spec.retaliation != BY_LAW, "other than law without a scenario"
        )
        parts = [(1.0, with_rates(solved.table, solved.untaxed, tariffs))]
    elif scenario is not None:
        day = entry_moment(law, on or law.as_of, IMPORT).text
        found = LawTariffs(law, options, context, solved.table)
        parts = []
        for share, part in components(scenario):
            parts.append((float(share), law_tariffs(solved, found, part, day, spec.retaliation)))
            notes += found.notes(part, day)
        facts |= {"on": day, **scenario_facts([scenario])}
        facts |= {"min_conf": options.min_confidence, "switches": dict(options.switches)}
    if players:
        return _played(solved, parts, spec, players, facts)
    results = list[tuple[float, WorldResult]]()
    for weight, rates in parts:
        results.append(
            (weight, solved.run(answered(solved, rates, spec), results[-1][1] if results else None))
        )
    return _answer(solved, results, notes, facts)


def _played(
    solved: World,
    parts: Sequence[tuple[float, F64]],
    spec: WorldSpec,
    players: Sequence[str],
    facts: Mapping[str, object],
) -> WorldAnswer:
    """Let players choose over the tariffs of the others."""
    check("players", "a mixture", len(parts) == 1, "to a scenario that is none")
    (_, rates), named = parts[0], [player.split("+") for player in players]
    if len(named) == 1 and len(named[0]) == 1:
        game = best_tariff(solved, named[0][0], rates, lambda tariffs: answered(solved, tariffs, spec))
    else:
        check(
            "retaliation",
            spec.retaliation,
            spec.retaliation == NONE,
            "none with several players, who choose theirs",
        )
        game = nash(solved, named, rates)
    answer = _answer(solved, [(1.0, game.result)], (), facts)
    return replace(answer, rates=dict(zip(players, game.rates, strict=True)), largest_gain=game.largest_gain)


def law_tariffs(solved: World, found: LawTariffs, scenario: Scenario, on: str, retaliation: str) -> F64:
    """Tariffs of the world under a scenario on a day, with those of partners under their law if retaliation says so.

    Args:
        solved: the world.
        found: the law's changes of duty.
        scenario: no mixture.
        on: day, ISO text.
        retaliation: of `RETALIATION`.
    """
    home, rates = solved.table.home_index, solved.untaxed.copy()
    rates[..., :, home] += found.imports(scenario, on)
    if retaliation == BY_LAW:
        rates[..., home, :] += found.exports(scenario, on)
    rates[..., home, home] = 0.0
    return rates


def answered(solved: World, rates: F64, spec: WorldSpec) -> F64:
    """Add what partners charge on goods of the home country to tariffs, exporter by importer."""
    home, answer = solved.table.home_index, rates.copy()
    added = np.maximum((rates - solved.untaxed)[..., :, home], 0.0)
    answer[..., home, :] += max(spec.reaction, float(spec.retaliation == RECIPROCAL)) * added
    if spec.retaliation_rate is not None:
        answer[..., home, :] = spec.retaliation_rate
    elif spec.retaliation == OPTIMAL and isinstance(solved, OneSectorWorld):
        answer[home] = optimal_retaliation(solved.model)
    answer[..., home, home] = rates[..., home, home]
    return answer


def _answer(
    solved: World,
    results: Sequence[tuple[float, WorldResult]],
    notes: Sequence[Note],
    facts: Mapping[str, object],
) -> WorldAnswer:
    first = results[0][1]
    mean = mean_of([(weight, result.countries) for weight, result in results])
    unallocated = first.unallocated
    if abs(unallocated) > _ROUNDED * float(first.trade_before.sum()):
        text = (
            f"The published closure leaves {unallocated:,.0f} USD of transfers unallocated: the income of "
            f"{solved.table.countries[-1]} takes them, and its own results mean nothing."
        )
        notes = [*notes, Note("WORLD_UNBALANCED", text)]
    return WorldAnswer(
        countries=mean,
        residual=max(result.residual for _, result in results),
        iterations=max(result.iterations for _, result in results),
        unallocated=unallocated,
        notes=tuple(dict.fromkeys(notes)),
        provenance=with_run_digest(facts),
        results=tuple(result for _, result in results),
    )


def _facts(solved: World, spec: WorldSpec, tariffs: pl.DataFrame | None) -> dict[str, object]:
    facts: dict[str, object] = {"world": asdict(spec), "table": solved.table.source}
    if tariffs is not None:
        facts["tariffs_digest"] = hashlib.sha256(tariffs.write_csv().encode()).hexdigest()
    return facts
