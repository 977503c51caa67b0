"""Solve the world under a scenario or given tariffs: the verb behind `tariffs world`. See docs/models/world.md."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from math import inf

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
    any_sector_table,
    baseline,
    one_sector_table,
    retaliation,
    with_rates,
)
from tariffs.engine.response.world.elasticity_draws import elasticity_factors, log_spread, with_ranges
from tariffs.engine.response.world.one_sector import TRANSFERS, ZERO, check
from tariffs.engine.response.world.read_tables import Files
from tariffs.engine.response.world.retaliation import BY_LAW, NONE, OPTIMAL, RETALIATION
from tariffs.engine.response.world.world_result import mean_of
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.table_run import RunContext
from tariffs.engine.runs.world_games import best_tariff, nash
from tariffs.engine.runs.world_tariffs import LawTariffs
from tariffs.engine.scenario import Scenario, components, scenario_facts

ONE_SECTOR, SECTORS = MODELS = ("one_sector", "sectors")
_ROUNDED = 1e-12


@dataclass(frozen=True, kw_only=True)
class WorldSpec(OneSectorParameters):
    """Question about the world: model, elasticities, closure and what partners do.

    Attributes:
        model: `one_sector`, or `sectors` over a table of the caller's.
        deficits: as in `OneSectorParameters`; empty: `transfers` of one sector, `zero` of many.
        retaliation: what partners charge on goods of the home country besides: `none`; `law`, what the export law says
            under the scenario; `reciprocal`, what it added on theirs; `optimal`, the published formula, or of many
            sectors the one rate that is best for them together.
        retaliation_rate: one rate of all partners instead, a fraction; None: as `retaliation` says.
        reaction: slope of reactions: what partners add for 1 that is added on their goods; `reciprocal` is 1.
        draws: draws of the trade elasticity for ranges, a power of two from 16; 0: no ranges.
    """

    model: str = ONE_SECTOR
    deficits: str = ""
    retaliation: str = NONE
    retaliation_rate: float | None = None
    reaction: float = 0.0
    draws: int = 0

    def __post_init__(self) -> None:
        if not self.deficits:
            object.__setattr__(self, "deficits", TRANSFERS if self.model == ONE_SECTOR else ZERO)
        super().__post_init__()
        check("model", self.model, self.model in MODELS, " or ".join(MODELS))
        check("retaliation", self.retaliation, self.retaliation in RETALIATION, ", ".join(RETALIATION))
        rate = self.retaliation_rate
        check("retaliation_rate", rate, rate is None or -1.0 < rate < inf, "above -1")
        check("reaction", self.reaction, 0.0 <= self.reaction < inf, "0 or more")
        if self.model == SECTORS:
            changed = [
                one.name
                for one in fields(OneSectorParameters)
                if one.name != "deficits" and getattr(self, one.name) != one.default
            ]
            check(", ".join(changed), "of one sector", not changed, "to the model one_sector alone")

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
        countries: as in `WorldResult`; expected values of a mixture. With draws `RANGED` have `_p5` and `_p95`.
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
    return SectorsWorld(any_sector_table(files), spec.deficits)


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
        check("draws", spec.draws, not spec.draws, "of 0 with players, or draw at the rate that they choose")
        return _played(solved, parts, spec, players, facts)
    answer = _answer(solved, _solved(solved, parts, spec), notes, facts)
    if not spec.draws:
        return answer
    drawn = list[pl.DataFrame]()
    factors = elasticity_factors(spec.draws)
    for place, factor in enumerate(factors):
        context.step(f"draw {place + 1} of {len(factors)}", place / len(factors))
        frames = [(weight, one.countries) for weight, one in _solved(solved.scaled(factor), parts, spec)]
        drawn.append(mean_of(frames))
    return replace(answer, countries=with_ranges(answer.countries, drawn))


def _solved(
    solved: World, parts: Sequence[tuple[float, F64]], spec: WorldSpec
) -> list[tuple[float, WorldResult]]:
    """Solve a world under the tariffs of each part, with the answers of partners."""
    results = list[tuple[float, WorldResult]]()
    for weight, rates in parts:
        near = results[-1][1] if results else None
        results.append((weight, solved.run(answered(solved, rates, spec), near)))
    return results


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
    if len(named) == 1:
        is_searched = spec.retaliation == OPTIMAL and isinstance(solved, SectorsWorld)
        check("retaliation", OPTIMAL, not is_searched, "other than optimal, or name the partners as a player")
        game = best_tariff(solved, named[0], rates, lambda tariffs: answered(solved, tariffs, spec))
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


def law_tariffs(solved: World, found: LawTariffs, scenario: Scenario, on: str, answer: str) -> F64:
    """Tariffs of the world under a scenario on a day, with those of partners under their law if they answer by it.

    Args:
        scenario: no mixture.
        on: day, ISO text.
        answer: of `RETALIATION`.
    """
    home, rates = solved.table.home_index, solved.untaxed.copy()
    rates[..., :, home] += found.imports(scenario, on)
    if answer == BY_LAW:
        rates[..., home, :] += found.exports(scenario, on)
    rates[..., home, home] = 0.0
    return rates


def answered(solved: World, rates: F64, spec: WorldSpec) -> F64:
    """Add what partners charge on goods of the home country to tariffs, [sector by] exporter by importer.

    Of many sectors the optimal answer is the one rate on all its goods that is best for its partners together.
    """
    answer = retaliation.answered(solved, rates, spec.retaliation, spec.reaction, spec.retaliation_rate)
    if spec.retaliation == OPTIMAL and spec.retaliation_rate is None and isinstance(solved, SectorsWorld):
        partners = [country for country in solved.table.countries if country != solved.table.home]
        return best_tariff(solved, partners, answer).result.tariffs
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
    if spec.draws:
        facts["elasticity_log_spread"] = log_spread()
    if tariffs is not None:
        facts["tariffs_digest"] = hashlib.sha256(tariffs.write_csv().encode()).hexdigest()
    return facts
