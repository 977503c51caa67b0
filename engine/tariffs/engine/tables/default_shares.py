"""Sourced shares for table lines that declare none (law/references.yaml and the tables of 2024 to 2025 beside it)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64
from tariffs.engine.law.law import InForce, Law
from tariffs.engine.law.model import Claim, Reference
from tariffs.engine.schedule import reference_data
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.scope_masks import scope_mask

SOLE_VARIANT = "settled"


def variant_of(law: Law, found: Reference) -> str:
    """The variant of a reference share that the law's switches choose."""
    return law.setting(found.switch) if found.switch else SOLE_VARIANT


def basis_of(law: Law) -> tuple[tuple[str, str], ...]:
    """The settings of the switches that choose among sourced shares, by name."""
    names = {found.switch for found in law.references.values()} - {""}
    return tuple((name, law.setting(name)) for name in sorted(names))


def default_share(law: Law, name: str, lines: LineArrays, keys: pl.DataFrame) -> F64:
    """The reference share of every line.

    Args:
        law: the law, for its switches and lists.
        name: the reference's name.
        lines: the lines.
        keys: per line `hts` and `origin`.
    """
    found = law.references[name]
    variant = variant_of(law, found)
    if variant in found.tables:
        return _TABLES[found.tables[variant]](keys)
    in_force = law.in_force(_as_of(law))
    return _by_rules(found, variant, lines, in_force)


def has_source(law: Law, claim: Claim) -> bool:
    """Whether some source gives the share of a claim in tables; a reference without rules is none."""
    found = law.references.get(claim.reference)
    if found is None:
        return False
    variant = variant_of(law, found)
    return variant in found.tables or bool(found.rules.get(variant))


def _as_of(law: Law) -> datetime:
    """Lists are read as of the law's as-of day: a share belongs to goods, not to a date."""
    return law.context("import").instant(law.as_of.isoformat())


def _by_rules(found: Reference, variant: str, lines: LineArrays, in_force: InForce) -> F64:
    share = np.zeros(lines.count)
    for rule in reversed(found.rules[variant]):
        share[scope_mask(rule.scope, lines, in_force)] = float(rule.share)
    return share


def _joined(keys: pl.DataFrame, table: pl.DataFrame, on: list[str], column: str) -> F64:
    found = keys.join(table, on=on, how="left", maintain_order="left")
    return found[column].fill_null(0.0).to_numpy()


def _usmca(basis: str) -> Callable[[pl.DataFrame], F64]:
    def shares(keys: pl.DataFrame) -> F64:
        table = reference_data.usmca_shares(basis).rename({"code": "hts"})
        return _joined(keys, table, ["hts", "origin"], "share")

    return shares


def _preference(keys: pl.DataFrame) -> F64:
    """Preferences other than the USMCA, whose members' share is the USMCA share."""
    members = reference_data.usmca_shares()["origin"].unique()
    table = reference_data.preference_shares().filter(~pl.col("origin").is_in(members.implode()))
    return _joined(keys.with_columns(hts2=pl.col("hts").str.slice(0, 2)), table, ["hts2", "origin"], "share")


def _metal(name: str) -> Callable[[pl.DataFrame], F64]:
    def shares(keys: pl.DataFrame) -> F64:
        table = reference_data.metal_shares_of(keys["hts"]).rename({"code": "hts"})
        return _joined(keys, table, ["hts"], name)

    return shares


def _exclusion(keys: pl.DataFrame) -> F64:
    return _joined(keys, reference_data.exclusion_shares().rename({"code": "hts"}), ["hts"], "share")


_TABLES: dict[str, Callable[[pl.DataFrame], F64]] = {
    **{f"usmca_{basis}": _usmca(basis) for basis in reference_data.USMCA_BASES},
    **{metal: _metal(metal) for metal in reference_data.METALS},
    "preference": _preference,
    "exclusion": _exclusion,
}
