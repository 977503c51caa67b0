"""From the raw text form of claims, switches and reference shares to the values of `model`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tariffs.engine.law.amendments import read_scope, read_words
from tariffs.engine.law.known_names import Names
from tariffs.engine.law.model import Claim, Reference, Scope, ShareRule, Switch
from tariffs.engine.law.raw_fields import Raw, check_keys, fault, one_of, read, read_required
from tariffs.engine.law.values import read_share

ROLES = ("relief", "content", "charge")
CLAIM_TYPES = ("share", "content", "bool", "date", "code", "number")
_CLAIM_KEYS = frozenset({"type", "role", "partition", "ask", "reference", "text", "source", "switch", "note"})


def read_claim(name: str, raw: Any, names: Names) -> Claim:
    """One claim of claims.yaml."""
    path = f"claims.{name}"
    raw = check_keys(raw, _CLAIM_KEYS, path)
    return Claim(
        id=name,
        type=read_required(raw, "type", one_of(*CLAIM_TYPES), path),
        role=read(raw, "role", one_of(*ROLES), "relief", path),
        partition=raw.get("partition", ""),
        asks=_asks(raw, names, f"{path}.ask"),
        reference=raw.get("reference", ""),
        text=raw.get("text", ""),
        source=read_words(raw.get("source", []), f"{path}.source"),
    )


def _asks(raw: Raw, names: Names, path: str) -> tuple[Scope, ...]:
    """The scopes a claim is asked for: none, one, or a list of them."""
    found = raw.get("ask", [])
    if isinstance(found, Mapping):
        return (_scope(found, names, path),)
    return tuple(_scope(scope, names, f"{path}[{index}]") for index, scope in enumerate(found))


def read_one_switch(name: str, raw: Any) -> Switch:
    """One switch of switches.yaml."""
    path = f"switches.{name}"
    raw = check_keys(raw, frozenset(["default", "values", "text", "cite", "conf", "note"]), path)
    values = read_words(raw.get("values", []), f"{path}.values")
    if raw.get("default") not in values:
        raise fault(f"{path}.default", f"is one of the values {', '.join(values)}")
    return Switch(
        name,
        raw["default"],
        values,
        raw.get("text", ""),
        read_words(raw.get("cite", []), path),
        raw.get("conf", "C"),
    )


def read_reference(name: str, raw: Any, names: Names) -> Reference:
    """One reference share of references.yaml."""
    path = f"references.{name}"
    raw = check_keys(raw, frozenset({"switch", "text", "variants"}), path)
    tables: dict[str, str] = {}
    rules: dict[str, tuple[ShareRule, ...]] = {}
    for variant, item in raw["variants"].items():
        item = check_keys(item, frozenset({"table", "rules"}), f"{path}.{variant}")
        if "table" in item:
            tables[variant] = item["table"]
        else:
            rules[variant] = tuple(
                _share_rule(rule, names, f"{path}.{variant}.rules[{index}]")
                for index, rule in enumerate(item["rules"])
            )
    return Reference(name, raw.get("switch", ""), tables, rules, raw.get("text", ""))


def _share_rule(raw: Raw, names: Names, path: str) -> ShareRule:
    return ShareRule(_scope(raw, names, path), read_required(raw, "share", read_share, path))


def _scope(raw: Raw, names: Names, path: str) -> Scope:
    scope = read_scope(raw, path)
    names.check_scope(scope, path)
    return scope
