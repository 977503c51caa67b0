"""Read declared claims as facts, split shares into atoms, enumerate undeclared facts."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tariffs.engine.base.amounts import LARGEST, comma_note, parse_number, parse_share
from tariffs.engine.base.spelling import did_you_mean, nearest
from tariffs.engine.errors import InputError, LawError
from tariffs.engine.law.conditions import MODE, Condition, Fact
from tariffs.engine.law.model import Claim
from tariffs.engine.law.notes import Note
from tariffs.engine.law.values import digits, read_yes
from tariffs.engine.rating.fits import dotted
from tariffs.engine.schedule.lines import LINE_DIGITS
from tariffs.engine.tables.dates import DateError, Moment, read_moment

ATOMS_AT_MOST = 32
REQUESTED_AT_MOST = 12
_NO_FORMATS: Mapping[str, str] = {}
_NOTHING_DECLARED: Mapping[str, Decimal] = {}
ClaimValue = str | float | int | bool | Decimal | date | datetime


@dataclass(frozen=True, slots=True)
class Atom:
    """Part of a line with only yes-or-no facts, and its weight; the weights of a line sum to 1."""

    weight: Decimal
    facts: Mapping[str, Fact]


def read_claims(
    claims: Mapping[str, Claim],
    given: Mapping[str, ClaimValue],
    zone: ZoneInfo,
    date_formats: Mapping[str, str] = _NO_FORMATS,
) -> dict[str, Fact]:
    """Read declared claims as facts; shares and contents as Decimal in [0, 1].

    Args:
        given: values by name.
        zone: the time zone of days and of instants without an offset.
        date_formats: date formats by claim, where known; see `base.dates.FORMATS`.

    Raises:
        InputError: CLAIM_UNKNOWN, CLAIM_INVALID, CONTENT_SHARES_EXCEED_ONE or PREFERENCE_SHARES_EXCEED_ONE.
    """
    facts: dict[str, Fact] = {}
    for name, value in given.items():
        claim = claims.get(name)
        if claim is None:
            raise InputError(
                "CLAIM_UNKNOWN",
                f"The law has no claim {name!r}.",
                field=f"claims.{name}",
                fix=f"{did_you_mean(nearest(name, claims))}Claims: {', '.join(sorted(claims))}.",
            )
        if name == MODE:
            raise InputError(
                "CLAIM_INVALID",
                "The mode of transport is not a claim.",
                field=f"claims.{name}",
                fix="Give it as the mode of the line.",
            )
        facts[name] = _read(claim, value, zone, date_formats.get(name, ""))
    _check_sums(claims, facts)
    return facts


def claim_notes(
    claims: Mapping[str, Claim],
    given: Mapping[str, ClaimValue],
    zone: ZoneInfo,
    date_formats: Mapping[str, str] = _NO_FORMATS,
) -> Iterator[Note]:
    """Notes on claims, already read, whose date was not written as ISO text, or whose number has a comma."""
    for name, value in given.items():
        if claims[name].type == "date":
            moment = _moment(value, zone, date_formats.get(name, ""))
            if moment.reason:
                yield Note(moment.reason, f"{name}: {moment.note}")
        elif claims[name].type == "number" and (text := comma_note(name, value)):
            yield Note("COMMA_READ", text)


def _moment(value: ClaimValue, zone: ZoneInfo, date_format: str) -> Moment:
    return read_moment(value.isoformat() if isinstance(value, date) else str(value), zone, date_format)


def _read(claim: Claim, value: ClaimValue, zone: ZoneInfo, date_format: str) -> Fact:
    text = str(value).strip()
    fix = ""
    try:
        if claim.type == "bool":
            return read_yes(text)
        if claim.type == "date":
            return _moment(value, zone, date_format).instant
        if claim.type == "code":
            return _read_code(text)
        number = parse_number(text) if claim.type == "number" else parse_share(text)
    except DateError as error:
        number, fix = Decimal("NaN"), error.fix
    except ValueError:
        number = Decimal("NaN")
    top = LARGEST.next_minus() if claim.type == "number" else Decimal(1)
    if not number.is_finite() or not 0 <= number <= top:
        wanted = {"number": "a number of at least 0 and below 10^15", "bool": "yes or no"}
        raise InputError(
            "CLAIM_INVALID",
            f"{claim.id} is {text!r}.",
            field=f"claims.{claim.id}",
            fix=fix or f"Give {wanted.get(claim.type, 'a share between 0 and 1')}.",
        )
    return number


def _read_code(text: str) -> str:
    """Read a code; an HTS number with a statistical suffix, as entry summaries give it, is its subheading."""
    bare = digits(text)
    if not bare.isdigit():
        return text.upper()
    return text if len(bare) <= LINE_DIGITS else dotted(bare[:LINE_DIGITS])


def _check_sums(claims: Mapping[str, Claim], facts: Mapping[str, Fact]) -> None:
    sums: dict[str, Decimal] = {}
    for name, fact in facts.items():
        partition = claims[name].partition
        if partition and isinstance(fact, Decimal):
            sums[partition] = sums.get(partition, Decimal(0)) + fact
    for partition, total in sums.items():
        if total > 1:
            members = [name for name in facts if claims[name].partition == partition]
            content = any(claims[name].type == "content" for name in members)
            raise InputError(
                "CONTENT_SHARES_EXCEED_ONE" if content else "PREFERENCE_SHARES_EXCEED_ONE",
                f"{', '.join(members)} sum to {total}.",
                field=f"claims.{members[0]}",
                fix="Give shares that sum to at most 1.",
            )


def split(claims: Mapping[str, Claim], facts: Mapping[str, Fact], read: Iterable[str]) -> list[Atom]:
    """Split a line into atoms: share claims that a measure reads become yes or no, each combination weighted.

    Raises:
        InputError: TOO_MANY_ATOMS above 32.
    """
    fixed = {name: fact for name, fact in facts.items() if claims[name].type != "share"}
    partitions: dict[str, list[str]] = {}
    for name in sorted(facts.keys() & read):
        if claims[name].type == "share":
            partitions.setdefault(claims[name].partition or name, []).append(name)
    choices = [_choices(names, facts) for names in partitions.values()]
    atoms = []
    for combination in itertools.product(*choices):
        weight, chosen = Decimal(1), dict(fixed)
        for share, yes in combination:
            weight *= share
            chosen |= yes
        atoms.append(Atom(weight, chosen))
    if len(atoms) > ATOMS_AT_MOST:
        raise InputError(
            "TOO_MANY_ATOMS",
            f"The shares split the line into {len(atoms)} parts; {ATOMS_AT_MOST} is the most.",
            field="claims",
            fix="Declare more of the shares as 0 or 1.",
        )
    return atoms


def _choices(names: Sequence[str], facts: Mapping[str, Fact]) -> list[tuple[Decimal, dict[str, Fact]]]:
    shares = {name: share for name in names if isinstance(share := facts[name], Decimal)}
    none: dict[str, Fact] = dict.fromkeys(names, False)
    rest = 1 - sum(shares.values(), Decimal(0))
    choices: list[tuple[Decimal, dict[str, Fact]]] = [
        (share, none | {name: True}) for name, share in shares.items() if share
    ]
    if rest:
        choices.append((rest, dict(none)))
    return choices


def shares_left(claims: Mapping[str, Claim], facts: Mapping[str, Fact]) -> dict[str, Decimal]:
    """Compute the largest share that each partition with a declared share leaves to its other claims.

    Once the content of one metal is declared, that of the others is 0.
    """
    left: dict[str, Decimal] = {}
    for name in claims.keys() & facts.keys():
        claim, fact = claims[name], facts[name]
        if claim.partition and isinstance(fact, Decimal):
            rest = Decimal(0) if claim.type == "content" else left.get(claim.partition, Decimal(1)) - fact
            left[claim.partition] = max(Decimal(0), rest)
    return left


def assignments(
    claims: Mapping[str, Claim],
    requested: Sequence[str],
    conditions: Iterable[Condition],
    left: Mapping[str, Decimal] = _NOTHING_DECLARED,
) -> Iterator[dict[str, Fact]]:
    """Enumerate the joint assignments of requested facts: shares 0 or what is left, thresholds, yes or no.

    Args:
        conditions: the conditions that may test them.
        left: the largest share of the claims of a partition, and of their sum, where it is not 1; see `shares_left`.

    Raises:
        LawError: LAW_INVALID if more than 12 facts are requested of one line.
    """
    if len(requested) > REQUESTED_AT_MOST:
        raise LawError(
            "LAW_INVALID", f"The law requests {len(requested)} facts of one line: {', '.join(requested)}."
        )
    tests = list(conditions)
    for values in itertools.product(*(_alternatives(claims[name], tests, left) for name in requested)):
        assigned = dict(zip(requested, values, strict=True))
        partitions: dict[str, Decimal] = {}
        for name, value in assigned.items():
            if claims[name].partition and isinstance(value, Decimal):
                partitions[claims[name].partition] = (
                    partitions.get(claims[name].partition, Decimal(0)) + value
                )
        if all(total <= left.get(partition, 1) for partition, total in partitions.items()):
            yield assigned


def _alternatives(claim: Claim, tests: Sequence[Condition], left: Mapping[str, Decimal]) -> list[Fact]:
    own = [test for test in tests if test.claim == claim.id]
    if claim.type == "bool":
        return [False, True]
    if claim.type == "code":
        return [None, *sorted({v for t in own if isinstance(t.operand, frozenset) for v in t.operand})]
    if claim.type == "date":
        moments = sorted({t.operand for t in own if isinstance(t.operand, datetime)})
        return [None, *(moment - timedelta(days=1) for moment in moments[:1]), *moments]
    bounds = {Decimal(0), left.get(claim.partition, Decimal(1))}
    points = bounds | {t.operand for t in own if isinstance(t.operand, Decimal)}
    return [*sorted(points)]
