"""Lawful ways to pay less duty on a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from tariffs.names import spelled_out
from tariffs.questions.answer import Answer, Provenance, Told, Words
from tariffs.questions.common import CLAIMS, HTS, MODE, ON, ORIGIN, QUANTITY, SCENARIOS, UNIT, other
from tariffs.questions.question import Asked, Kind, Question
from tariffs.questions.view import GAP, Bars, Entry, Grid, Named, OpenFacts, Part, Said, Width, usd

_TITLES = ("option", "state", "pays", "saves", "paid later", "why")
OptionState = Annotated[
    str,
    Words(
        "OptionState",
        "State of an option for a line.",
        {
            "saves": "It pays less, or later.",
            "no_gain": "It saves nothing; `why` says so where a scenario makes it worthless.",
            "needs_fact": "Facts are missing, and nothing is computed.",
            "closed": "The law does not allow it for these goods, or it cannot be computed.",
        },
    ),
]
"""State of an option for a line."""
_STATES = {"saves": "saves", "no_gain": "saves nothing", "needs_fact": "needs a fact", "closed": "not open"}
_FOLDED = {"needs_fact": "Not computed without a fact", "no_gain": "Saves nothing (--wide has the reasons)"}
"""Titles of the options that are listed by name alone, by state."""


@dataclass(frozen=True, slots=True)
class OptionCost(Told):
    """Cost of a line, USD.

    Attributes:
        duty: duty paid.
        fees: merchandise processing and harbor maintenance fee.
        refunded: void duty that comes back.
        drawback: drawback; with `refunded` never above duty and fees.
        cash: worth of paying later than the ordinary entry what does not come back; None without a rate of interest.
        day: day whose rates hold, where the option chooses it; else empty.
    """

    duty: Decimal
    fees: Decimal
    refunded: Decimal
    drawback: Decimal
    cash: Decimal | None
    day: str


@dataclass(frozen=True, slots=True)
class DutyOption(Told):
    """Option as it meets the line.

    Attributes:
        id: name.
        title: short name in plain words.
        state: state for this line.
        cost: what the line costs with it alone; None where it is not computed.
        saving: how much less than the ordinary entry, USD; negative if it costs more; None where it is not computed.
        saving_if: saving if the missing facts hold, for facts that hold or do not.
        missing_facts: facts without which nothing is computed.
        would_change: facts that are not given and would change the amount.
        why: reason for the state, and what is left out.
        catch: conditions and costs.
        papers: documents that it needs.
        citations: legal sources.
        confidence: confidence in the reading, A to C.
    """

    id: str
    title: str
    state: OptionState
    cost: OptionCost | None
    saving: Decimal | None
    saving_if: Decimal | None
    missing_facts: tuple[str, ...]
    would_change: tuple[str, ...]
    why: str
    catch: str
    papers: tuple[str, ...]
    citations: tuple[str, ...]
    confidence: str

    @property
    def cells(self) -> list[str]:
        """Write it as a row of a table: option, state, pays, saves, paid later, why."""
        cost = self.cost
        net = None if cost is None else cost.duty + cost.fees - cost.refunded - cost.drawback
        saving = usd(self.saving) if self.saving_if is None else f"{usd(self.saving_if)} if so"
        later = usd(cost.cash) if cost is not None and cost.cash else ""
        return [self.title, _STATES[self.state], usd(net), saving, later, self.why]


@dataclass(frozen=True, slots=True)
class BestOptions(Told):
    """Options that together save most, the cost of the line with them, and the saving, USD.

    Attributes:
        options: names of the options, in the order of the list.
        cost: cost of the line with them.
        saving: saving against the ordinary entry, USD.
    """

    options: tuple[str, ...]
    cost: OptionCost
    saving: Decimal


@dataclass(frozen=True, slots=True)
class ScenarioOptions(Told):
    """Ordinary entry of a line under one scenario, its options, and the best lawful set of them.

    Attributes:
        id: id of the scenario.
        ordinary: cost of the ordinary entry.
        options: all options, in the order of the data.
        best: the best lawful set.
    """

    id: str
    ordinary: OptionCost
    options: tuple[DutyOption, ...]
    best: BestOptions

    @property
    def sentences(self) -> list[str]:
        """Say what the ordinary entry pays, and what the best lawful set of options saves."""
        ordinary, best = self.ordinary, self.best
        paid = f"An ordinary entry pays {usd(ordinary.duty)} duty and {usd(ordinary.fees)} fees."
        if not best.options:
            return [paid, "No option pays less on the facts given."]
        names = "; ".join(self[name].title for name in best.options)
        later = f", and {usd(best.cost.cash)} for paying later" if best.cost.cash else ""
        return [paid, f"The best lawful set saves {usd(best.saving)}{later}: {names}."]

    def __getitem__(self, name: str) -> DutyOption:
        """Return an option by its id; raises KeyError."""
        for one in self.options:
            if one.id == name:
                return one
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class OptionFact(Told):
    """Fact that options depend on.

    Attributes:
        name: name, as in the facts of the request.
        type: kind of value: day, share, usd, number, yes, code or country.
        text: meaning of the fact.
    """

    name: str
    type: str
    text: str


@dataclass(frozen=True, slots=True)
class OptionsResult(Answer):
    """Lawful ways to pay less duty on a line, under each scenario.

    Attributes:
        scenarios: in the order asked.
        facts: facts that the options name.
        provenance: what it takes to get the answer again.
    """

    rows: ClassVar = (
        "scenarios.options",
        ("scenario=/id", "id", "title", "state", "duty=cost.duty", "fees=cost.fees", "refunded=cost.refunded",
         "drawback=cost.drawback", "cash=cost.cash", "saving", "saving_if", "why"),
    )  # fmt: skip

    scenarios: tuple[ScenarioOptions, ...]
    facts: tuple[OptionFact, ...]
    provenance: Provenance

    @property
    def open_facts(self) -> list[OptionFact]:
        """Facts that are not given and would change the answer."""
        options = (option for one in self.scenarios for option in one.options)
        named = dict.fromkeys(name for one in options for name in (*one.missing_facts, *one.would_change))
        known = {fact.name: fact for fact in self.facts}
        return [known[name] for name in named]


def view(found: OptionsResult, asked: Mapping[str, Any], width: Width) -> Iterator[Part]:
    """Show what the best set saves, the savings, and each option with its catch and papers."""
    for one in found.scenarios:
        yield from _scenario(one, width)
    if found.open_facts:
        yield OpenFacts([(one.name, one.text) for one in found.open_facts])
    yield Said(["Not a ruling or advice. Costs of zones, warehouses, bonds and brokers are not counted."])


def _scenario(one: ScenarioOptions, width: Width) -> Iterator[Part]:
    first, best = one.sentences
    yield Said([f"{first[0].lower()}{first[1:]}", best], one.id)
    yield GAP
    saving = [
        (option.title, float(option.saving), usd(option.saving)) for option in one.options if option.saving
    ]
    yield Bars("Saved by each option alone, USD", saving)
    shown = [option for option in one.options if width != "narrow" or _is_shown(option)]
    if shown:
        rows = [[*option.cells[:-1], spelled_out(option.why)] for option in shown]
        yield Grid(_TITLES, rows, (2, 3, 4), "Options, USD", one.id)
        yield GAP
    for state, title in _FOLDED.items():
        names = [option.title for option in one.options if option.state == state and option not in shown]
        if names:
            yield Named(title, names)
            yield GAP
    for option in one.options if width == "wide" else (each for each in one.options if each.state == "saves"):
        papers = "; ".join(option.papers)
        yield Entry(option.title, [("Catch", option.catch), ("Papers", f"{papers}.")], option.citations)
        yield GAP


def _is_shown(option: DutyOption) -> bool:
    """Test whether an option has a saving, or is closed whatever the facts."""
    return bool(option.saving or option.saving_if) or option.state not in _FOLDED


def _fact(name: str, metavar: str, text: str) -> Asked:
    return Asked(name, Kind.TEXT, text, metavar=metavar)


OPTIONS = Question(
    "options", "DutyService/CompareOptions", "tariffs.firm.options:options", OptionsResult,
    "List lawful ways to pay less duty on a line, with their saving, catch and papers.",
    about="Zones, bonded warehouses, drawback, first sale, chapter 98, preferences, refunds and days of payment: each "
    "priced alone by quoting the line, and the best set as a whole, so that no dollar counts twice. What needs a fact "
    "that is not given is named and not computed. A planning estimate; not a ruling or advice.",
    asked=(
        HTS, ORIGIN,
        other(ON, "Day of the ordinary entry. Default: the law's as-of day.", name="entry_date", form="on",
              flag="--date", title="Day of the ordinary entry", is_place=True),
        Asked("value", Kind.MONEY, "Customs value of the line.", "", at="line.customs_value",
              title="Customs value, USD", needed="Give the customs value in US dollars, such as 10000.", is_place=True,
              metavar="USD"),
        SCENARIOS,
        Asked("facts", Kind.FACTS, "Another fact, as the answer names it.", None, flag="--fact", metavar="NAME=VALUE",
              own_flags=(
                  _fact("admission", "DAY", "Day of admission to a zone or bonded warehouse. Default: --date."),
                  _fact("withdrawal", "DAY", "Day of withdrawal from it. Default: --date."),
                  _fact("export_share", "SHARE", "Share that is exported or destroyed."),
                  _fact("first_sale_value", "USD", "Price of an earlier sale for export here."),
                  _fact("us_content", "USD", "Cost of components made in the United States."),
                  _fact("rate", "RATE", "Yearly interest for what is paid later; without it none is assumed."),
              )),
        other(CLAIMS, "Declared fact of the ordinary entry."), QUANTITY, UNIT, MODE,
    ),
    view=view,
    examples=(
        "tariffs options 9503.00.0073 --origin CN --date 2025-04-20 --value 10000 --withdrawal 2025-06-20",
        "tariffs options 8471.30.0100 --origin MX --date 2026-06-20 --value 10000 --fact usmca_share=1",
        "tariffs options 9503.00.0073 --origin VN --value 50000 --export-share 40% --first-sale-value 38000 --rate 6%",
        "tariffs options 9503.00.0073 --origin CN --value 10000 --export-share 1 -s ieepa-upheld-truce-lapsed",
    ),
    page=("Options", "Ways to pay less", "Give the product, its origin and its value; the answer is every lawful way "
          "to pay less or later: what it saves, its catch and its papers."),
    heading="Ways to pay less on {hts} from {origin}",
    tool="ways_to_pay_less",
    order=20,
    raises=("InvalidRequest: the line cannot be rated, or a fact or an option cannot be used.",
            "NotFound: no such scenario."),
)  # fmt: skip
