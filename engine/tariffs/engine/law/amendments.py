"""Verbs by which law and scenarios act on measures, and readers of their text form.

Acts of the law and changes of scenarios have one form. A `Change` is one act as written; bound to a measure it
becomes an `Act` with instants on that measure's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.conditions import Condition
from tariffs.engine.law.model import ANYWHERE, CONFIDENCE, Scope, Weights
from tariffs.engine.law.values import (
    RateStep,
    digits,
    is_code,
    read_day,
    read_dollars,
    read_instant,
    read_rate,
    read_share,
    read_step,
    read_yes,
)

LAW = "law"
ON_END = ("snap_back", "terminate", "none_scheduled")
RENT_HOLDERS = ("importer", "exporter", "government")
"""Holders of the premium of a limit on quantities, who also bear that of a floor."""
IMPORTER, EXPORTER = RENT_HOLDERS[:2]
_COMMON = frozenset({"op", "known_from", "cite", "conf", "switch", "note", "group"})
SCOPE_KEYS = ("origins", "not_origins", "products", "and_products", "not_products")
_GOODS = " ".join(SCOPE_KEYS)
_UTC = ZoneInfo("UTC")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Verb:
    """Required and optional keys of a verb, and the rank of its acts among those of one instant (low first)."""

    required: frozenset[str]
    optional: frozenset[str]
    rank: int
    text: str


def _verb(required: str, optional: str, rank: int, text: str) -> Verb:
    return Verb(frozenset(required.split()), frozenset(optional.split()), rank, text)


OPS: Mapping[str, Verb] = {
    "invalidate": _verb("at", "from_beginning collection_stop", 6, "a court voids the duty"),
    "enjoin": _verb("at", "until", 6, "an order enjoins the duty while collection goes on"),
    "revalidate": _verb("", "", 6, "earlier invalidations are undone"),
    "terminate": _verb("at", "", 5, "repealed for good"),
    "expire": _verb("at", "", 5, "ended by its own sunset clause"),
    "replace": _verb("at measure", "", 4, "ended, and another measure comes in its place"),
    "set_rate": _verb("from", "rate by base heading", 3, "the statutory rate is changed"),
    "suspend": _verb("from on_end", "until kept heading", 2, "on the books, not collected"),
    "extend": _verb("until", "", 1, "the end of the last suspension is moved"),
    "snap_back": _verb("at", "", 1, "the suspension ends"),
    "exempt": _verb("from", "until heading if", 4, "goods are relieved"),
    "lapse_exemption": _verb("at", "heading", 4, "a relief ends"),
    "delay": _verb("to", "", 0, "the start is moved before it comes"),
    "announce": _verb("", "at rate", 0, "a statement without an instrument; never charged"),
    "add": _verb("measure", "", 0, "a new measure"),
    "set_switch": _verb("name value", "", 0, "a doubtful fact or settled choice is set"),
    "set_stacking": _verb(
        "rule from", "until value as after", 0, "a stacking rule is ended, brought back or changed"
    ),
    "set_claim": _verb("claim share", f"from until {_GOODS}", 0, "the share of goods that declare a fact"),
    "shock_quantity": _verb(
        "from",
        f"until share limit floor compliance rents {_GOODS}",
        0,
        "a limit or floor on the quantity traded",
    ),
}
# Verbs that act on something other than a measure; `announce` may name one.
UNSELECTIVE = frozenset({"add", "set_switch", "announce", "set_stacking", "set_claim", "shock_quantity"})
# Verbs whose changes no day of publication touches: assumptions of a scenario, which nobody enacts.
UNPUBLISHED = frozenset({"set_switch", "set_claim", "shock_quantity"})
# Every key that a change of a verb may have.
CHANGE_KEYS: Mapping[str, frozenset[str]] = {
    op: verb.required
    | verb.optional
    | (_COMMON - ({"known_from"} if op in UNPUBLISHED else set()))
    | ({"measures"} if op not in UNSELECTIVE - {"announce"} else set())
    for op, verb in OPS.items()
}
# Verbs that only scenarios use: the law states such things in files of their own.
SCENARIO_ONLY = frozenset({"add", "replace", "set_switch", "set_stacking", "set_claim", "shock_quantity"})


@dataclass(frozen=True, slots=True)
class Selector:
    """Selection of measures by id, authority or heading, narrowed to a scope."""

    ids: tuple[str, ...] = ()
    authority: str = ""
    heading: str = ""
    scope: Scope = ANYWHERE


EVERYTHING = Selector()


@dataclass(frozen=True, slots=True)
class Change:
    """One act as written; instants are text until bound to a measure's clock."""

    op: str
    selector: Selector = EVERYTHING
    start: str = ""
    until: str = ""
    to: str = ""
    collection_stop: str = ""
    from_beginning: bool = False
    rate: Decimal | None = None
    step: RateStep | None = None
    kept: Decimal | None = None
    on_end: str = ""
    heading: str = ""
    conditions: tuple[str, ...] = ()
    base: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    value: str = ""
    measure: Mapping[str, Any] = field(default_factory=dict)
    rule: str = ""
    definition: Mapping[str, Any] = field(default_factory=dict)
    after: str = ""
    claim: str = ""
    share: Decimal | None = None
    limit: Decimal | None = None
    floor: Decimal | None = None
    compliance: Decimal | None = None
    rents: str = ""
    goods: Scope = ANYWHERE
    group: str = ""
    known_from: date | None = None
    switch: Mapping[str, str] = field(default_factory=dict)
    cite: tuple[str, ...] = ()
    conf: str = ""
    path: str = ""
    source: str = LAW


@dataclass(frozen=True, slots=True)
class Act:
    """A change bound to one measure: instants in UTC, `label` a period it is limited to, `order` its place.

    `name` is how rows of the measure name it, another for every change. `origins` spells out the origins of its scope
    over all time; None is any. `origin_names` are these and the groups that any of them is ever in.
    """

    change: Change
    scope: Scope
    label: str
    start: datetime | None
    until: datetime | None
    to: datetime | None
    collection_stop: datetime | None
    known_from: date | None
    order: int
    name: str
    conditions: tuple[Condition, ...] = ()
    base: Weights = ()
    metals: tuple[int, ...] = ()
    origins: frozenset[str] | None = None
    origin_names: frozenset[str] | None = None


def name_among(acts: Sequence[Act], change: Change, order: int) -> str:
    """Name the next act of a measure: verb and start for acts of the law, numbered if an earlier act has that name.

    Args:
        acts: the acts of the measure before it.
        change: the change it comes from.
        order: the place of the change; acts of one change have one name.
    """
    if change.source != LAW:
        return f"{change.source}:{change.path}"
    plain = f"{change.op} {change.start or change.until}"
    same = {act.order: act.name for act in acts if act.name == plain or act.name.startswith(f"{plain} (")}
    return same.get(order) or (f"{plain} ({len(same) + 1})" if same else plain)


def change_from_mapping(mapping: Mapping[str, Any], path: str, *, source: str = LAW) -> Change:
    """Read and check one change; `path` (such as `changes[2]`) begins the path of every error.

    Raises:
        ScenarioError: SCENARIO_SYNTAX, SCENARIO_UNKNOWN_KEY or CHANGE_DATES_REVERSED, with the path of
        the key.
    """
    change = read_change(mapping, path, source=source)
    _check_sense(change, path)
    return change


def read_change(mapping: Mapping[str, Any], path: str, *, source: str = LAW) -> Change:
    """Read the values of one change without checking them against each other; raises as `change_from_mapping`."""
    op = mapping.get("op", "")
    verb = OPS.get(op) if isinstance(op, str) else None
    if verb is None:
        known = ", ".join(sorted(OPS))
        raise _fault(path + ".op", f"{op!r} is not an operation", f"Use one of: {known}.")
    _check_keys(mapping, verb, op, path)
    read = _Reader(mapping, path)
    return Change(
        op=op,
        selector=_selector(mapping.get("measures", {}), path + ".measures"),
        start=read.instant("at") or read.instant("from"),
        until=read.instant("until"),
        to=read.instant("to"),
        collection_stop=read.instant("collection_stop"),
        from_beginning=read.value("from_beginning", read_yes, False),
        rate=read.value("rate", read_rate, None),
        step=read.value("by", read_step, None),
        kept=read.value("kept", read_rate, None),
        on_end=read.word("on_end", ON_END),
        heading=read.word("heading"),
        conditions=read.words("if"),
        base=read.mapping("base"),
        name=read.word("name"),
        value=read.word("value"),
        measure=read.mapping("measure"),
        rule=read.word("rule"),
        definition=read.mapping("as"),
        after=read.word("after"),
        claim=read.word("claim"),
        share=read.value("share", read_share, None),
        limit=read.value("limit", read_dollars, None),
        floor=read.value("floor", read_dollars, None),
        compliance=read.value("compliance", read_share, None),
        rents=read.word("rents", RENT_HOLDERS),
        goods=read_scope(mapping, path),
        group=read.word("group"),
        known_from=read.value("known_from", read_day, None),
        switch=read.mapping("switch"),
        cite=read.words("cite"),
        conf=read.word("conf", tuple(CONFIDENCE)),
        path=path,
        source=source,
    )


def _check_keys(mapping: Mapping[str, Any], verb: Verb, op: str, path: str) -> None:
    allowed = CHANGE_KEYS[op]
    for key in mapping:
        if key not in allowed:
            verbs = ", ".join(other for other, known in sorted(CHANGE_KEYS.items()) if key in known)
            others = f" Verbs with {key}: {verbs}." if verbs else ""
            raise ScenarioError(
                "SCENARIO_UNKNOWN_KEY",
                f"{op} does not know the key {key!r}.",
                path=f"{path}.{key}",
                fix=f"Keys of {op}: {', '.join(sorted(allowed))}.{others}",
            )
    for key in sorted(verb.required - mapping.keys()):
        raise _fault(path, f"{op} needs the key {key!r}", "Add it.")


def _check_sense(change: Change, path: str) -> None:
    if change.op == "set_rate" and (change.rate is None) == (change.step is None):
        raise _fault(path, "set_rate needs either `rate` or `by`", "Give one of them.")
    if change.op == "suspend" and not change.until and change.on_end != "none_scheduled":
        raise _fault(
            path + ".on_end",
            "a suspension without `until` has on_end none_scheduled",
            "Write on_end: none_scheduled, or an end.",
        )
    _check_pairs(change, path)
    if change.op not in UNSELECTIVE and change.selector == EVERYTHING and change.source != LAW:
        raise _fault(path, f"{change.op} needs `measures`", "Select by id or authority.")
    if change.start and change.until and read_instant(change.start, _UTC) > read_instant(change.until, _UTC):
        raise ScenarioError(
            "CHANGE_DATES_REVERSED",
            f"The change ends ({change.until}) before it begins ({change.start}).",
            path=path + ".until",
            fix="Put the end after the start.",
        )


def _check_pairs(change: Change, path: str) -> None:
    """Require exactly one key of some pairs."""
    if change.op == "set_stacking" and bool(change.value) == bool(change.definition):
        raise _fault(path, "set_stacking needs either `value` or `as`", "Give one of them.")
    if change.op == "set_stacking" and change.value not in {"", "on", "off"}:
        raise _fault(path + ".value", "value is on or off", "Write one of them.")
    sizes = (change.share, change.limit, change.floor)
    if change.op == "shock_quantity" and sum(size is not None for size in sizes) != 1:
        raise _fault(path, "shock_quantity needs one of `share`, `limit` or `floor`", "Give one of them.")


def _fault(path: str, message: str, fix: str) -> ScenarioError:
    return ScenarioError("SCENARIO_SYNTAX", message[0].upper() + message[1:] + ".", path=path, fix=fix)


class _Reader:
    """Reader of the keys of one mapping; every error has its path."""

    def __init__(self, mapping: Mapping[str, Any], path: str) -> None:
        self._mapping = mapping
        self._path = path

    def text(self, key: str) -> str:
        value = self._mapping.get(key, "")
        if not isinstance(value, str):
            raise _fault(
                f"{self._path}.{key}", f"{key} is a single value, not a list or mapping", "Write one value."
            )
        return value

    def value(self, key: str, read: Callable[[str], _T], absent: _T) -> _T:
        text = self.text(key)
        if not text:
            return absent
        try:
            return read(text)
        except ValueError as error:
            raise _fault(f"{self._path}.{key}", str(error), "Correct the value.") from None

    def instant(self, key: str) -> str:
        text = self.text(key)
        self.value(key, lambda found: read_instant(found, _UTC), None)
        return text

    def word(self, key: str, choices: tuple[str, ...] = ()) -> str:
        text = self.text(key)
        if text and choices and text not in choices:
            raise _fault(
                f"{self._path}.{key}",
                f"{text!r} is not a value of {key}",
                f"Use one of: {', '.join(choices)}.",
            )
        return text

    def words(self, key: str) -> tuple[str, ...]:
        return read_words(self._mapping.get(key, []), f"{self._path}.{key}")

    def mapping(self, key: str) -> Mapping[str, Any]:
        value = self._mapping.get(key, {})
        if not isinstance(value, Mapping):
            raise _fault(f"{self._path}.{key}", f"{key} is a mapping", "Write keys and values.")
        return value


def read_words(raw: Any, path: str) -> tuple[str, ...]:
    """Read a text or a list of texts as a tuple; raises ScenarioError with `path`."""
    items = [raw] if isinstance(raw, str) else raw
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise _fault(path, "a value or a list of values is expected", "Write [a, b].")
    return tuple(items)


def read_scope(mapping: Mapping[str, Any], path: str) -> Scope:
    """Read the keys of `SCOPE_KEYS` of a row, selector or claim; `and_products` narrows `products` to goods in both."""

    def origins(key: str) -> frozenset[str]:
        return frozenset(read_words(mapping.get(key, []), f"{path}.{key}"))

    def products(key: str) -> frozenset[str]:
        words = read_words(mapping.get(key, []), f"{path}.{key}")
        return frozenset(digits(word) if is_code(word) else word for word in words)

    def conjunct(found: frozenset[str]) -> tuple[frozenset[str], ...]:
        return (found,) if found else ()

    return Scope(
        conjunct(origins("origins")),
        origins("not_origins"),
        conjunct(products("products")) + conjunct(products("and_products")),
        products("not_products"),
    )


SELECTOR_KEYS = ("id", "authority", "heading", *SCOPE_KEYS)


def _selector(mapping: Any, path: str) -> Selector:
    if not isinstance(mapping, Mapping):
        raise _fault(path, "measures is a mapping such as {id: NAME} or {authority: NODE}", "Write it so.")
    for key in mapping:
        if key not in SELECTOR_KEYS:
            raise ScenarioError(
                "SCENARIO_UNKNOWN_KEY",
                f"A selector does not know the key {key!r}.",
                path=f"{path}.{key}",
                fix=f"Keys of a selector: {', '.join(SELECTOR_KEYS)}.",
            )
    read = _Reader(mapping, path)
    scope = read_scope(mapping, path)
    return Selector(read.words("id"), read.text("authority"), read.text("heading"), scope)
