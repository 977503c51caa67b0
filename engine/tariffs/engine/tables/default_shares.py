"""Default shares of claims for table lines that declare none, from law data and reference tables."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64
from tariffs.engine.law.law import CLAIM_COST, Law
from tariffs.engine.law.model import Claim, Reference
from tariffs.engine.schedule import reference_data
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.scope_masks import scope_mask

SOLE_VARIANT = "settled"
USMCA_CLAIM, USMCA_SWITCH = "usmca_share", "usmca_basis"
RESPONDING = "responding"
"""Value of the switch of USMCA shares under which they respond to the duty that a claim saves."""


def variant_of(law: Law, reference: Reference) -> str:
    """Variant of a default share that the switches of the law select."""
    return law.setting(reference.switch) if reference.switch else SOLE_VARIANT


def is_responding(law: Law) -> bool:
    """Test whether USMCA shares respond to the duty that a claim saves under a law."""
    return USMCA_SWITCH in law.choices.switches and law.setting(USMCA_SWITCH) == RESPONDING


def basis_of(law: Law) -> tuple[tuple[str, str], ...]:
    """Settings of the switches that select default shares, by name."""
    names = {reference.switch for reference in law.references.values()} - {""}
    names |= {CLAIM_COST} if is_responding(law) else set()
    return tuple((name, law.setting(name)) for name in sorted(names))


def default_share(law: Law, name: str, lines: LineArrays, keys: pl.DataFrame) -> F64:
    """Default share of every line.

    Args:
        law: the law, for its switches and lists.
        keys: per line `hts` and `origin`.
    """
    reference = law.references[name]
    variant = variant_of(law, reference)
    if variant in reference.tables:
        return _TABLES[reference.tables[variant]](keys)
    # Lists as of the as-of day of the law: a share belongs to goods, not to a date.
    in_force = law.in_force(law.context("import").instant(law.as_of.isoformat()))
    share = np.zeros(lines.count)
    for rule in reversed(reference.rules[variant]):
        share[scope_mask(rule.scope, lines, in_force)] = float(rule.share)
    return share


def has_source(law: Law, claim: Claim) -> bool:
    """Test whether a claim has a default share in tables; a reference without rules gives none."""
    reference = law.references.get(claim.reference)
    if reference is None:
        return False
    variant = variant_of(law, reference)
    return variant in reference.tables or bool(reference.rules.get(variant))


def _joined(keys: pl.DataFrame, table: pl.DataFrame, on: list[str], column: str) -> F64:
    joined = keys.join(table, on=on, how="left", maintain_order="left")
    return joined[column].fill_null(0.0).to_numpy()


def _usmca(keys: pl.DataFrame, basis: str) -> F64:
    table = reference_data.usmca_shares(basis).rename({"code": "hts"})
    return _joined(keys, table, ["hts", "origin"], "share")


def _preference(keys: pl.DataFrame) -> F64:
    """Shares of preferences other than the USMCA; its members have the USMCA share."""
    members = reference_data.usmca_shares()["origin"].unique()
    table = reference_data.preference_shares().filter(~pl.col("origin").is_in(members.implode()))
    return _joined(keys.with_columns(hts2=pl.col("hts").str.slice(0, 2)), table, ["hts2", "origin"], "share")


def _metal(keys: pl.DataFrame, name: str) -> F64:
    table = reference_data.metal_shares_of(keys["hts"]).rename({"code": "hts"})
    return _joined(keys, table, ["hts"], name)


def _exclusion(keys: pl.DataFrame) -> F64:
    return _joined(keys, reference_data.exclusion_shares().rename({"code": "hts"}), ["hts"], "share")


_TABLES: dict[str, Callable[[pl.DataFrame], F64]] = {
    **{f"usmca_{basis}": partial(_usmca, basis=basis) for basis in reference_data.USMCA_BASES},
    **{metal: partial(_metal, name=metal) for metal in reference_data.METALS},
    "preference": _preference,
    "exclusion": _exclusion,
}
