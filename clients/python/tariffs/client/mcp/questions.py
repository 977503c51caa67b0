"""Questions that the tools put to the client; none of them reads a file, writes or acts on a text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

from mcp.types import CallToolResult, TextContent

from tariffs.client.client import Client
from tariffs.client.errors import TariffsError
from tariffs.client.mcp import tool_answers as answers
from tariffs.client.mcp.tool_documents import answer, effects, named, table_of
from tariffs.client.results.json_values import json_fields, json_rows, json_value
from tariffs.client.results.quote import Quote
from tariffs.client.results.table_handle import TableHandle
from tariffs.client.scenario import Scenario

_CHANGES_SHOWN, _GROUPS_MOST = 100, 200

Tool = TypeVar("Tool", bound=Callable[..., Any])
Quoted = TypeVar("Quoted", bound=answers.QuoteAnswer)
Amount = str | int | float
Claims = dict[str, str | float | bool]
Row = dict[str, str | float | bool | None]


def answering(tool: Tool) -> Tool:
    """Make an error of a call an answer of its tool, with the reason of the catalogue."""

    @wraps(tool)
    def called(*args: Any, **given: Any) -> Any:
        try:
            return tool(*args, **given)
        except TariffsError as error:
            document = {"error": error.to_json_dict()}
            text = TextContent(type="text", text=json.dumps(document))
            return CallToolResult(content=[text], structured_content=document, is_error=True)

    return cast(Tool, called)


def _cited(quotes: Iterable[Quote]) -> Iterator[str]:
    """List the legal sources of the layers of quotes."""
    return (text for quote in quotes for layer in quote.layers for text in layer.citations)


class Questions:
    """Tools: each method is one, its signature the schema of its input, its return the schema of its output.

    Args:
        client: answers the questions.
        schedule: copy of the schedule that words are searched in; None for the names of headings alone.
    """

    def __init__(self, client: Client, schedule: str | Path | None = None) -> None:
        self._client = client
        self._schedule = schedule

    def quote(
        self,
        hts: str,
        origin: str,
        value: Amount,
        date: str | None = None,
        claims: Claims | None = None,
        quantity: Amount | None = None,
        unit: str | None = None,
        mode: str | None = None,
        freight: Amount | None = None,
        insurance: Amount | None = None,
        scenario: str | None = None,
        known_on: str | None = None,
    ) -> answers.QuoteAnswer:
        """Compute the US duty on one entry line, with every layer named and cited.

        `hts` has 4 to 10 digits, `origin` is an ISO code, `value` the customs value in USD, `date` the day of entry
        (YYYY-MM-DD; the law's as-of day by default). `claims` are facts about the goods, such as {"usmca_share": 1}.
        Specific duties need `quantity` in `unit`. `scenario` names one of the library.
        """
        given = {"quantity": quantity, "unit": unit, "mode": mode, "freight": freight, "insurance": insurance}
        line = (hts, origin, date, value, claims)
        return self._quoted(answers.QuoteAnswer, line, scenario, known_on=known_on, **given)

    def explain(
        self,
        hts: str,
        origin: str,
        value: Amount,
        date: str | None = None,
        claims: Claims | None = None,
        quantity: Amount | None = None,
        unit: str | None = None,
        scenario: str | None = None,
        known_on: str | None = None,
    ) -> answers.ExplainAnswer:
        """Explain the duty on one entry line: why each layer applies or not, and which measures were left out.

        Arguments are those of `quote`.
        """
        given = {"quantity": quantity, "unit": unit, "known_on": known_on}
        return self._quoted(answers.ExplainAnswer, (hts, origin, date, value, claims), scenario, **given)

    def quotes(
        self, lines: list[Row], date: str | None = None, scenario: str | None = None
    ) -> answers.QuotesAnswer:
        """Compute the US duty on up to 1,000 rows.

        A row has `hts, origin, customs_value` and what else is known of the columns of a trade table: `entry_date,
        quantity, unit, mode, entry_id` and claims such as `usmca_share`. `date` is the day of rows without one.
        """
        result = self._client.duties(table_of(lines), on=date, scenario=named(scenario))
        rows = [{"row": row, **quote.to_json_dict()} for row, quote in result.quotes.items()]
        sums = {
            name: str(sum((getattr(quote, name) for quote in result.quotes.values()), Decimal("0.00")))
            for name in ("assessed", "owed", "min", "max")
        }
        return answer(
            answers.QuotesAnswer,
            result.provenance,
            _cited(result.quotes.values()),
            lines=rows,
            refused=json_rows(result.refused),
            total=sums,
        )

    def impact(
        self,
        scenarios: list[str],
        date: str | None = None,
        by: list[str] | None = None,
        response: str = "",
        horizon: str = "",
        table: str = "",
        groups: int = 30,
    ) -> answers.ImpactAnswer:
        """Compute the effect of scenarios of the library on US imports of 2024, or on a table that the server keeps.

        `by` are keys such as origin, hts2 or authority; `response` is armington, none or another model of trade;
        `table` is the name of a stored table. The largest groups are shown, `groups` of each scenario at most.
        """
        library = [Scenario.named(one) for one in scenarios]
        return self._effect(library, by, table, groups, on=date, response=response, horizon=horizon)

    def scenario_run(
        self,
        text: str,
        date: str | None = None,
        by: list[str] | None = None,
        response: str = "",
        horizon: str = "",
        table: str = "",
        groups: int = 30,
    ) -> answers.ImpactAnswer:
        """Compute the effect of a scenario given as the text of its YAML file, beside the law as it is.

        Other arguments are those of `impact`. Check the text with `scenario_check` first.
        """
        both = [Scenario.base(), Scenario.from_text(text)]
        return self._effect(both, by, table, groups, on=date, response=response, horizon=horizon)

    def scenario_check(self, text: str) -> answers.CheckAnswer:
        """Check the text of a scenario file (YAML, schema tariffs.scenario/v1): its problems by line, and fixes."""
        scenario = Scenario.from_text(text)
        found = self._client.check(scenario)
        changed = {one.id for one in self._client.diff("base", scenario)} if found.ok else set()
        cited = (text for one in self._client.measures() if one.id in changed for text in one.citations)
        facts = self._law()
        return answer(answers.CheckAnswer, facts, cited, ok=found.ok, problems=json_value(found.problems))

    def changes(
        self, start: str, end: str, hts: str = "", origin: str = "", scenario: str | None = None
    ) -> answers.ChangesAnswer:
        """List changes of the law from day `start` to `end`, for an HTS code or origin if given; the first 100."""
        result = self._client.changes(start, end, hts=hts, origin=origin, scenario=named(scenario))
        shown = result.changes[:_CHANGES_SHOWN]
        left_off = len(result.changes) - len(shown)
        cited = (text for one in shown for text in one.citations)
        return answer(
            answers.ChangesAnswer,
            result.provenance,
            cited,
            changes=json_value(shown),
            changes_left_off=left_off,
        )

    def refund(
        self, lines: list[Row], interest_rate: str | None = None, paid_on: str | None = None
    ) -> answers.RefundAnswer:
        """Compute refunds of duty assessed under a void authority, for up to 1,000 rows of entries.

        Rows are those of `quotes`, with `liquidation, liquidation_date, deposit_date, drawback` where known.
        `interest_rate` is corporate, other, or a yearly rate such as 7%; `paid_on` the day of the refund.
        """
        result = self._client.refund(table_of(lines), interest_rate=interest_rate, paid_on=paid_on)
        cited = (
            text
            for node in result.authorities
            for one in self._client.measures(node)
            for text in one.citations
        )
        return answer(
            answers.RefundAnswer,
            result.provenance,
            cited,
            entries=json_rows(result.entries),
            refused=json_rows(result.refused),
            total=json_value(result.total),
        )

    def find(
        self, words: str, origin: str = "", date: str | None = None, limit: int = 5
    ) -> answers.FindAnswer:
        """Find HTS codes that goods of some words may have, with the range of their duty from an origin.

        The answer lists codes to look into and the facts that separate them; it does not classify goods.
        """
        result = self._client.find(
            words, origin=origin, entry_date=date, limit=limit, schedule=self._schedule
        )
        low, high = result.rates or (None, None)
        facts = result.provenance or self._law()
        cited = (text for one in result.candidates for text in one.citations)
        return answer(
            answers.FindAnswer,
            facts,
            cited,
            candidates=[json_fields(one) for one in result.candidates],
            low=json_value(low),
            high=json_value(high),
            searched=result.searched,
            corrected=dict(result.corrected),
            unknown=list(result.unknown),
        )

    def _quoted(
        self, kind: type[Quoted], line: tuple[Any, ...], scenario: str | None, **given: Any
    ) -> Quoted:
        asked = {name: one for name, one in given.items() if one is not None}
        why = kind is answers.ExplainAnswer
        quote = self._client.duty(*line, why=why, scenario=named(scenario), **asked)
        document = quote.to_json_dict() | {"notes": [note.message for note in quote.notes]}
        document.pop("provenance", None)
        return answer(kind, quote.provenance, _cited([quote]), **document)

    def _law(self) -> dict[str, object]:
        """Facts about the law of an answer that has no provenance."""
        law = self._client.law()
        return {"law_version": law.version, "law_digest": law.digest, "law_read_to": law.read_to}

    def _effect(
        self, scenarios: Sequence[Scenario], by: Sequence[str] | None, table: str, groups: int, **given: Any
    ) -> answers.ImpactAnswer:
        stored = TableHandle(table, 0, 0, 0, "", "") if table else None
        chosen = {name: value for name, value in given.items() if value}
        result = self._client.impact(stored, scenarios, by=by or ["origin"], **chosen)
        law = self._client.legal_text(result)
        changed = [one for scenario in law.scenarios for one in law.changed_by(scenario)]
        return answer(
            answers.ImpactAnswer,
            result.provenance,
            (text for one in changed or law.measures for text in one.citations),
            scenarios=effects(result, min(max(groups, 0), _GROUPS_MOST)),
            refused_rows=result.refused.height,
            notes=[note.message for note in result.notes],
        )
