"""From the raw text form of claims, switches and reference shares to the values of `model`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tariffs.engine.law.events import read_words
from tariffs.engine.law.model import Claim, Reference, ShareRule, Switch
from tariffs.engine.law.read import check_keys, fault, scope_of

CLAIM_TYPES = ("share", "content", "bool", "date", "code", "number")
_CLAIM_KEYS = frozenset({"type", "role", "partition", "ask", "reference", "text", "source", "switch", "note"})


def read_claim(name: str, raw: Any) -> Claim:
    """One claim of claims.yaml."""
    path = f"claims.{name}"
    raw = check_keys(raw, _CLAIM_KEYS, path)
    if raw.get("type") not in CLAIM_TYPES:
        raise fault(f"{path}.type", f"is one of {', '.join(CLAIM_TYPES)}")
    return Claim(
        id=name,
        type=raw["type"],
        role=raw.get("role", "relief"),
        partition=raw.get("partition", ""),
        asked="ask" in raw,
        ask=scope_of(raw.get("ask", {}), f"{path}.ask"),
        reference=raw.get("reference", ""),
        text=raw.get("text", ""),
        source=read_words(raw.get("source", []), f"{path}.source"),
    )


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


def read_reference(name: str, raw: Any) -> Reference:
    """One reference share of references.yaml."""
    path = f"references.{name}"
    raw = check_keys(raw, frozenset({"switch", "variants"}), path)
    tables: dict[str, str] = {}
    rules: dict[str, tuple[ShareRule, ...]] = {}
    for variant, item in raw["variants"].items():
        item = check_keys(item, frozenset({"table", "rules"}), f"{path}.{variant}")
        if "table" in item:
            tables[variant] = item["table"]
        else:
            rules[variant] = tuple(
                ShareRule(scope_of(rule, f"{path}.{variant}"), Decimal(rule["share"]))
                for rule in item["rules"]
            )
    return Reference(name, raw.get("switch", ""), tables, rules)
