"""Apply the claim shares that a scenario sets to the facts of one line, in place of declared shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

from tariffs.engine.law.conditions import Fact
from tariffs.engine.law.law import Law
from tariffs.engine.law.law_edits import SetClaim
from tariffs.engine.law.model import Scope


def settings_at(law: Law, instant: datetime) -> tuple[SetClaim, ...]:
    """Claim settings in force at an instant, in the order of the scenario."""
    return tuple(setting for setting in law.set_claims if setting.holds(instant))


def facts_with_claim_shares(
    law: Law, instant: datetime, reaches: Callable[[Scope], bool], facts: Mapping[str, Fact]
) -> dict[str, Fact]:
    """Apply the shares that the scenario of the law sets to the facts of lines that `reaches` tests the scopes of."""
    result = dict(facts)
    for setting in settings_at(law, instant):
        if not reaches(setting.scope):
            continue
        result[setting.claim] = setting.share
        others = {
            name: share
            for name in partition_of(law, setting.claim)
            if isinstance(share := result.get(name), Decimal)
        }
        total, room = sum(others.values(), Decimal(0)), 1 - setting.share
        if total > room:
            result |= {name: share * room / total for name, share in others.items()}
    return result


def partition_of(law: Law, claim: str) -> list[str]:
    """Other claims of the same partition, whose shares sum with that of the claim to at most 1."""
    partition = law.claims[claim].partition
    return [
        name
        for name, other in law.claims.items()
        if partition and other.partition == partition and name != claim
    ]
