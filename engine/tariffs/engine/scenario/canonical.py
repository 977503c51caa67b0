"""Compute the canonical form of a scenario and its digest, which do not depend on the layout of the file.

Keys are sorted, instants with an offset are in UTC, a day is its noon, rates are plain decimal fractions, codes have no
dots, and sets are sorted. Titles, descriptions, tags, notes and the days a scenario is meant for are omitted: they
change no figure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tariffs.engine.law.model import TERMS
from tariffs.engine.law.values import (
    digits,
    is_code,
    read_day,
    read_number,
    read_rate,
    read_step,
    read_weight,
    read_yes,
)

_OMITTED = frozenset({"title", "description", "tags", "note", "text", "valid"})
_ORDERED = frozenset({"changes", "parents", "rows", "periods", "events", "tiers", "one_of"})


def canonical(document: Mapping[str, Any]) -> Any:
    """Return the canonical form of a scenario document, as plain JSON values."""
    return _form("", document)


def digest_of(document: Mapping[str, Any], parents: Sequence[str]) -> str:
    """Compute SHA-256 (hex) of a document in canonical form together with its parents' digests."""
    return digest_of_texts(texts_by_key(document, parents))


def texts_by_key(document: Mapping[str, Any], parents: Sequence[str]) -> dict[str, str]:
    """Write the values of a document in canonical form, its parents as digests, as JSON by key."""
    return {key: _text(form) for key, form in {**canonical(document), "parents": list(parents)}.items()}


def text_of_change(change: Mapping[str, Any]) -> str:
    """Write one change of a document in canonical form as JSON."""
    return _text(_form("", change))


def digest_of_texts(texts: Mapping[str, str]) -> str:
    """Compute the digest of a document from `texts_by_key`."""
    text = ",".join(f"{json.dumps(key)}:{texts[key]}" for key in sorted(texts))
    return hashlib.sha256(f"{{{text}}}".encode()).hexdigest()


def _text(form: Any) -> str:
    return json.dumps(form, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def _form(key: str, value: Any) -> Any:
    if isinstance(value, Mapping) and key in _SHARES:
        return {name: _scalar("share", share) for name, share in value.items()}
    if isinstance(value, Mapping):
        forms = {name: _form(name, inner) for name, inner in value.items() if name not in _OMITTED}
        return {name: form for name, form in forms.items() if form not in ("", [], {})}
    if isinstance(value, list):
        items = [_scalar(key, item) if isinstance(item, str) else _form(key, item) for item in value]
        return items if key in _ORDERED else sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
    if key in _LISTS:
        return [_scalar(key, value)] if value else []
    return _scalar(key, value)


def _scalar(key: str, text: str) -> str:
    read = _READERS.get(key)
    if read is None:
        return " ".join(text.split())
    try:
        return read(text)
    except (ValueError, OverflowError):
        # text of another kind under the same key, such as money per unit under `rate`
        return " ".join(text.split())


def _instant(text: str) -> str:
    moment = datetime.fromisoformat(text)
    if len(text) == len("2025-11-10"):
        moment = moment.replace(hour=12)
    return (moment.astimezone(UTC) if moment.tzinfo else moment).isoformat()


def _decimal(number: Decimal) -> str:
    return format(number.normalize(), "f")


def _plain(read: Callable[[str], Decimal]) -> Callable[[str], str]:
    """Make a reader that returns the number as a plain decimal text."""
    return lambda text: _decimal(read(text))


def _step(text: str) -> str:
    step = read_step(text)
    return f"+{_decimal(step.points)} x{_decimal(step.factor)}"


def _code(text: str) -> str:
    return digits(text) if is_code(text) else text


_READERS: Mapping[str, Callable[[str], str]] = {
    **dict.fromkeys(("at", "from", "until", "to", "collection_stop"), _instant),
    "known_from": lambda text: read_day(text).isoformat(),
    **dict.fromkeys(("rate", "kept", "share", "compliance", "weight"), _plain(read_rate)),
    **dict.fromkeys(TERMS, _plain(read_weight)),
    **dict.fromkeys(("net_tons", "teu", "cargo_tons", "containers", "usd_per_unit"), _plain(read_number)),
    "by": _step,
    "from_beginning": lambda text: str(read_yes(text)).lower(),
    **dict.fromkeys(("products", "and_products", "not_products"), _code),
}
# Keys whose values are shares by measure.
_SHARES = frozenset({"let_through", "compliance"})
_LISTS = frozenset({"id", "products", "and_products", "not_products", "origins", "not_origins", "cite", "if"})
