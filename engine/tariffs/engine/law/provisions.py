"""Find provisions of the schedule that free goods of ordinary duty when they are claimed beside a preference.

Such a provision is a row of kind `total` at rate 0 that tests a share claim and a claim of type code with `codes: hts`.
"""

from __future__ import annotations

from collections.abc import Mapping

from tariffs.engine.law.law import Law
from tariffs.engine.law.model import Claim, Row


def freeing_claims(row: Row, claims: Mapping[str, Claim]) -> frozenset[str]:
    """Share claims that a row needs beside the provision it tests; none if it is no such row."""
    if row.kind != "total" or row.rate or not any(_codes(row, claims)):
        return frozenset()
    return frozenset(
        test.claim
        for test in row.conditions
        if not test.op and not test.negated and claims[test.claim].type == "share"
    )


def provisions_beside(law: Law, claim: str) -> dict[str, frozenset[str]]:
    """Codes that free goods beside a preference, on any day, by the claim that declares them."""
    found: dict[str, frozenset[str]] = {}
    for measure in law.measures.values():
        for row in (row for period in measure.periods for row in period.rows):
            if claim in freeing_claims(row, law.claims):
                for name, codes in _codes(row, law.claims).items():
                    found[name] = found.get(name, frozenset()) | codes
    return found


def _codes(row: Row, claims: Mapping[str, Claim]) -> dict[str, frozenset[str]]:
    return {
        test.claim: test.operand
        for test in row.conditions
        if isinstance(test.operand, frozenset) and claims[test.claim].codes == "hts"
    }
