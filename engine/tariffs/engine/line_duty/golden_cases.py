"""Golden cases of a law: worked entry lines whose layers and totals are known, compared with what the law gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from tariffs.engine.errors import LawError, TariffsError
from tariffs.engine.law.law import Law
from tariffs.engine.line_duty.quote import EntryLine, Quote, QuoteLayer, quote_line

ANY = "TBD"
"""Heading of a layer that may be any."""
_WAITS = "no"
_LINE = {"hts", "origin", "entry", "value", "claims", "quantity", "unit", "mode"}
_CHARGED = {"layers", "assessed", "owed", "prohibited", "modelled"}
_FOR_READERS = {"conf", "source", "note"}
_KEYS = frozenset({"id"} | _LINE | _CHARGED | _FOR_READERS)


@dataclass(frozen=True, slots=True)
class WorkedLine:
    """Case: an entry line, and what is charged on it.

    Attributes:
        id: its id in the file.
        file: the name of the file.
        line: the entry line.
        layers: heading, base and amount of each layer that charges; one of amount 0 is a heading that must be there.
        assessed: the duty.
        owed: the duty owed.
        prohibited: measures that prohibit the goods.
        is_modelled: False if it needs a measure that the law does not compute yet.
    """

    id: str
    file: str
    line: EntryLine
    layers: tuple[tuple[str, Decimal, Decimal], ...]
    assessed: Decimal
    owed: Decimal
    prohibited: tuple[str, ...]
    is_modelled: bool


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
    compared = [case for case in cases if case.is_modelled]
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
    return [*_layers(case.layers, quote.layers), *_totals(case, quote)]


def _totals(case: WorkedLine, quote: Quote) -> Iterator[str]:
    for name in ("assessed", "owed"):
        found, wanted = getattr(quote, name), getattr(case, name)
        if found != wanted:
            yield f"{name} is {found}, not {wanted}"
    if quote.prohibited != case.prohibited:
        yield f"prohibited by {', '.join(quote.prohibited) or 'nothing'}"


def _layers(wanted: Sequence[tuple[str, Decimal, Decimal]], layers: Sequence[QuoteLayer]) -> Iterator[str]:
    charged = Counter((layer.heading, layer.base, layer.amount) for layer in layers if layer.amount)
    headings = {name for layer in layers for name in (layer.heading, layer.heading.split(" ")[0])}
    for heading, base, amount in wanted:
        if not amount:
            if heading != ANY and heading not in headings:
                yield f"no layer under {heading}"
            continue
        fitting = [key for key in charged if key[1:] == (base, amount) and heading in {ANY, key[0]}]
        if fitting:
            charged.subtract(fitting[:1])
            charged = +charged
        else:
            yield f"nothing charged {amount} on {base} under {heading}"
    yield from (f"charged {amount} on {base} under {heading}" for heading, base, amount in charged.elements())


def _of_file(name: str, content: Any) -> list[WorkedLine]:
    try:
        return [_case(name, item) for item in content["cases"]]
    except (AttributeError, KeyError, TypeError, InvalidOperation) as error:
        raise LawError(
            "LAW_INVALID",
            f"{name}: a golden case cannot be read ({type(error).__name__}: {error}).",
            field="golden",
            fix="A case has id, hts, origin, entry, value, layers, assessed and owed; see docs/law-packs.md.",
        ) from None


def _case(file: str, raw: Mapping[str, Any]) -> WorkedLine:
    # A fact that is left out would be compared as if it did not count.
    if unknown := sorted(raw.keys() - _KEYS):
        raise KeyError(f"{raw['id']} has unknown keys: {', '.join(unknown)}")
    return WorkedLine(
        id=raw["id"],
        file=file,
        line=EntryLine(
            hts=raw["hts"],
            origin=raw["origin"],
            value=raw["value"],
            entry=raw["entry"],
            claims=raw.get("claims", {}),
            quantity=raw.get("quantity") or None,
            unit=raw.get("unit", ""),
            mode=raw.get("mode", ""),
        ),
        layers=tuple(
            (layer["heading"], Decimal(layer["base"]), Decimal(layer["amount"])) for layer in raw["layers"]
        ),
        assessed=Decimal(raw["assessed"]),
        owed=Decimal(raw["owed"]),
        prohibited=tuple(raw.get("prohibited", ())),
        is_modelled=raw.get("modelled") != _WAITS,
    )
