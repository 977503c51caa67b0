"""Golden cases of a law: worked entry lines whose layers and totals are known, compared with what the law gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from tariffs.engine.errors import LawError, TariffsError
from tariffs.engine.law.law import Law
from tariffs.engine.line_duty.quote import EntryLine, Quote, QuoteLayer, quote_line

SCHEMA = "tariffs.cases/v1"
_LINE = {"hts", "origin", "date", "value", "claims", "quantity", "unit", "mode"}
_FOR_READERS = {"id", "expect", "cite", "note", "confidence", "differs"}
_KEYS = frozenset(_LINE | _FOR_READERS)
_EXPECTS = frozenset({"layers", "assessed", "owed", "prohibited"})
_LAYER = frozenset({"heading", "base", "amount"})


_Wanted = tuple[str | None, Decimal | None, Decimal]
"""Heading, base and amount of a layer."""


@dataclass(frozen=True, slots=True)
class WorkedLine:
    """Case: an entry line, and what is charged on it.

    Attributes:
        id: its id in the file.
        file: the name of the file.
        line: the entry line.
        layers: heading, base and amount of each layer that charges, None for any; one of amount 0 must be
            there too; no layers are not compared.
        totals: duty assessed and owed.
        prohibited: measures that prohibit the goods; None for any.
        is_compared: False if it is known to come out otherwise.
    """

    id: str
    file: str
    line: EntryLine
    layers: tuple[_Wanted, ...]
    totals: Mapping[str, Decimal]
    prohibited: tuple[str, ...] | None
    is_compared: bool


def read_cases(contents: Mapping[str, Any]) -> list[WorkedLine]:
    """Read the cases of files.

    Args:
        contents: the content of each file, all scalars as text, by its name.

    Raises:
        LawError: LAW_INVALID, with the file.
    """
    return [case for name, content in sorted(contents.items()) for case in _of_file(name, content)]


def check_cases(law: Law, cases: Iterable[WorkedLine]) -> int:
    """Compare what a law gives with its cases; return how many were compared.

    Raises:
        LawError: LAW_TEST_FAILED, with the first cases that differ.
    """
    compared = [case for case in cases if case.is_compared]
    failed = [(case, found) for case in compared if (found := differences_of(law, case))]
    if failed:
        named = "; ".join(f"{case.file} {case.id}: {', '.join(found)}" for case, found in failed[:_NAMED])
        raise LawError(
            "LAW_TEST_FAILED",
            f"{len(failed)} of {len(compared)} golden cases differ: {named}.",
            field="golden",
            fix="Correct the law or the case: tariffs law test names all.",
            metadata={"cases": ", ".join(case.id for case, _ in failed[:_LISTED])},
        )
    return len(compared)


_NAMED, _LISTED = 3, 50


def differences_of(law: Law, case: WorkedLine) -> list[str]:
    """List what a law gives otherwise than a case says, in words; empty if they agree."""
    try:
        quote = quote_line(law, case.line)
    except TariffsError as error:
        return [f"{error.reason}: {error.message}"]
    return [*(_layers(case.layers, quote.layers) if case.layers else ()), *_totals(case, quote)]


def _totals(case: WorkedLine, quote: Quote) -> Iterator[str]:
    for name, wanted in case.totals.items():
        if (found := getattr(quote, name)) != wanted:
            yield f"{name} is {found}, not {wanted}"
    if case.prohibited is not None and sorted(quote.prohibited) != sorted(case.prohibited):
        yield f"prohibited by {', '.join(quote.prohibited) or 'nothing'}"


def _layers(wanted: Sequence[_Wanted], layers: Sequence[QuoteLayer]) -> Iterator[str]:
    left = list(layers)
    for heading, base, amount in wanted:
        fitting = [
            layer
            for layer in left
            if layer.amount == amount
            and base in {None, layer.base}
            and heading in {None, layer.heading, layer.heading.split(" ")[0]}
        ]
        if fitting:
            left.remove(fitting[0])
        else:
            yield f"nothing charged {amount} on {base or 'any base'} under {heading or 'any heading'}"
    yield from (f"charged {one.amount} on {one.base} under {one.heading}" for one in left if one.amount)


def _of_file(name: str, content: Any) -> list[WorkedLine]:
    try:
        if content["schema"] != SCHEMA:
            raise KeyError(f"the schema is {content['schema']}, not {SCHEMA}")
        return [_case(name, item) for item in content["cases"]]
    except (AttributeError, KeyError, TypeError, InvalidOperation) as error:
        raise LawError(
            "LAW_INVALID",
            f"{name}: a golden case cannot be read ({type(error).__name__}: {error}).",
            field="golden",
            fix="A case has id, hts, origin, date, value, and expects assessed and owed; see docs/law-packs.md.",
        ) from None


def _case(file: str, raw: Mapping[str, Any]) -> WorkedLine:
    # A fact that is left out would be compared as if it did not count.
    expect, layers = raw["expect"], raw["expect"].get("layers", [])
    for given, known in ((raw, _KEYS), (expect, _EXPECTS), *((layer, _LAYER) for layer in layers)):
        if unknown := sorted(given.keys() - known):
            raise KeyError(f"{raw['id']} has unknown keys: {', '.join(unknown)}")
    return WorkedLine(
        id=raw["id"],
        file=file,
        line=EntryLine(
            hts=raw["hts"],
            origin=raw["origin"],
            value=raw["value"],
            entry=raw["date"],
            claims=raw.get("claims", {}),
            quantity=raw.get("quantity") or None,
            unit=raw.get("unit", ""),
            mode=raw.get("mode", ""),
        ),
        layers=tuple(
            (
                layer.get("heading"),
                Decimal(layer["base"]) if "base" in layer else None,
                Decimal(layer["amount"]),
            )
            for layer in layers
        ),
        totals={name: Decimal(expect[name]) for name in ("assessed", "owed")},
        prohibited=tuple(expect["prohibited"]) if "prohibited" in expect else None,
        is_compared="differs" not in raw,
    )
