"""Choose the goods of a table of several files that are computed together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from tariffs.engine.law.law import Law
from tariffs.engine.law.model import Scope
from tariffs.engine.law.quantity_rules import FLOOR
from tariffs.engine.response.elasticities.parameters import SETS
from tariffs.engine.response.industries import NO_INDUSTRY, industries_among, industry_of
from tariffs.engine.response.sectors.sector_market import PRODUCT
from tariffs.engine.response.trade.trade_response import EXACT_HAT
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.responding_table import SHOCK
from tariffs.engine.scenario import Scenario, components, library, lineage
from tariffs.engine.tables.partitions import PRODUCT_DIGITS

_LIMITED = "limited"
Prefixes = tuple[str, ...]


def goods_keys(law: Law, scenarios: Sequence[Scenario], options: Options) -> Callable[[str], str]:
    """Make the function from a code to its key: goods of one key respond together, so they must be in one bucket.

    A product is by itself, but where sectors respond: then goods of one industry are together, since a nest or sector
    is of one industry, and goods without an industry are by themselves, unless a user's parameters may put them into a
    nest. All goods that limits or floors hold together have one key, since two limits may have goods in common; so have
    the industries of such goods. The key depends on the code alone, so that it is the same for every file.

    Args:
        law: the law before the scenarios.
        scenarios: the scenarios, their parameters filled in.
        options: options of the run.
    """
    scopes: Iterable[Scope] = ()
    if options.response != "none":
        scopes = dict.fromkeys(_joint_scopes(law, scenarios, options.goods_markets(law)))
    limits = [_prefixes(scope, law) for scope in scopes]

    def has_limit_on(prefix: str) -> bool:
        """Test whether a limit may hold goods under a prefix together with others."""
        return any(_is_within(prefix, codes) for codes in limits)

    def of_product(code: str) -> str:
        product = code[:PRODUCT_DIGITS]
        return _LIMITED if has_limit_on(product) else product

    if options.market == PRODUCT and options.response != EXACT_HAT:
        return of_product
    limited = industries_among(has_limit_on) if limits else frozenset()
    has_nest_outside = options.parameter_set not in {"", *SETS}
    if limits and has_nest_outside:
        limited |= {NO_INDUSTRY}

    def of_industry(code: str) -> str:
        industry, own = int(industry_of([code])[0]), of_product(code)
        if own == _LIMITED or industry in limited:
            return _LIMITED
        return own if industry == NO_INDUSTRY and not has_nest_outside else f"industry {industry}"

    return of_industry


def _joint_scopes(law: Law, scenarios: Sequence[Scenario], markets: Sequence[str]) -> Iterator[Scope]:
    """List the goods of each limit, floor and commitment on goods together."""
    yield from (one.scope for one in law.constraints if one.share is None)
    yield from (rule.scope for rule in law.limits if rule.kind == FLOOR and rule.market in markets)
    for scenario in scenarios:
        for _, part in components(scenario):
            for step in lineage(part, library()):
                yield from (one.goods for one in step.changes if one.op == SHOCK and one.share is None)


def _prefixes(scope: Scope, law: Law) -> tuple[Prefixes, ...]:
    """Codes of the products of a scope, those that lists have on any day included."""
    return tuple(
        tuple(
            code
            for name in sorted(names)
            for code in (law.lists[name].codes if name in law.lists else (name,))
        )
        for names in scope.products
    )


def _is_within(product: str, codes: tuple[Prefixes, ...]) -> bool:
    return all(
        any(product.startswith(prefix) or prefix.startswith(product) for prefix in prefixes)
        for prefixes in codes
    )
