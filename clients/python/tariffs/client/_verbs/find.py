"""Client method that finds codes by words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Unpack

from tariffs.client import _arguments as arguments
from tariffs.client._verbs.changes import LawCalls
from tariffs.client._wire import requests
from tariffs.client._wire.reading import provenance, read
from tariffs.client._wire.requests import ScenarioLike
from tariffs.client.errors import InvalidRequest, from_status, module_of
from tariffs.client.results.find import FindCandidate, FindResult
from tariffs.run_spec.option import Day
from tariffs.run_spec.typed import LawOptions
from tariffs.v1 import duty_service_pb2 as pb

_BELOW = 21
_LEAST_DIGITS = 4


class FindCalls(LawCalls):
    """Codes by words; mixed into `Client`."""

    def find(
        self,
        words: str,
        *,
        origin: str = "",
        entry_date: Day | None = None,
        scenario: ScenarioLike | None = None,
        schedule: str | Path | None = None,
        limit: int = 5,
        timeout: float | None = None,
        **options: Unpack[LawOptions],
    ) -> FindResult:
        """Find codes that goods of some words may have, with the range of their duty; none of them is "the" code.

        Words are searched in the short names of headings and in words that people use for them, and with `schedule`
        in the texts of codes of 8 and 10 digits. Nothing is sent for it; the duty is asked with an origin.

        Args:
            words: such as `cotton T-shirts`; misspelt words are corrected, and the answer says so.
            origin: ISO code of the country of origin; without one there is no duty.
            entry_date: day of entry; by default the law's as-of day.
            scenario: library name, `*.yaml` path, or `Scenario`.
            schedule: table of your copy of the schedule, as `tariffs data import hts` writes it.
            limit: codes at most, up to 20.
            timeout: seconds; by default the config's deadline.
            **options: options of the law, listed by `help(tariffs.client.LawOptions)`, of imports.

        Raises:
            InvalidRequest: no words, a day without an origin, an unknown origin, or a schedule without texts.
            ExtraMissing: the extra `cli` is not installed.
        """
        text, country = arguments.text(words, "words"), arguments.text(origin, "origin")
        if not text.strip():
            raise InvalidRequest(
                "REQUEST_INVALID", "No words were given.", field="words", fix="Name the goods."
            )
        if not country and (entry_date is not None or scenario is not None):
            raise InvalidRequest(
                "REQUEST_INVALID",
                "A day or scenario needs an origin.",
                field="origin",
                fix="Give the origin.",
            )
        goods = module_of("cli", "tariffs.client.find.goods")
        hits = goods.find_goods(text, arguments.whole(limit, "limit", _BELOW), schedule)
        own = goods.own_words({one.hts: one.text for one in hits.found})
        found = tuple(
            FindCandidate(one.hts, one.text, one.score, one.matched, own[one.hts]) for one in hits.found
        )
        result = FindResult(found, hits.searched, hits.corrected, tuple(hits.unknown))
        codes = [one.hts for one in found if len(one.hts) >= _LEAST_DIGITS]
        if not country or not codes:
            return result
        request = requests.law_request(
            "find",
            pb.CompareCodesRequest,
            options,
            scenario=requests.scenario_ref(scenario),
            codes=codes,
            origin=country,
            entry=arguments.day(entry_date, "entry_date"),
        )
        return _rated(result, self._call(request, timeout, "batch"))


def _rated(result: FindResult, answer: pb.CompareCodesResponse) -> FindResult:
    duties = dict(zip((one.hts for one in result.candidates), answer.codes, strict=True))
    return replace(
        result,
        candidates=tuple(_with_duty(one, duties[one.hts]) for one in result.candidates),
        provenance=provenance(answer.provenance),
    )


def _with_duty(one: FindCandidate, duty: pb.CodeDuty) -> FindCandidate:
    return read(
        FindCandidate,
        duty,
        hts=one.hts,
        text=one.text,
        score=one.score,
        matched=one.matched,
        words=one.words,
        facts=tuple(duty.missing_claims),
        refused=dict(duty.refused),
        problem=from_status(duty.failure) if duty.HasField("failure") else None,
    )
