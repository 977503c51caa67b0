"""Choose the goods of a table of several files that are computed together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tariffs.engine.law.law import Law
from tariffs.engine.law.model import Scope
from tariffs.engine.law.quantity_rules import FLOOR
from tariffs.engine.response.hat_response import EXACT_HAT
from tariffs.engine.response.industries import NO_INDUSTRY, industries_among, industry_of
from tariffs.engine.response.parameters import SETS
from tariffs.engine.response.sector_market import PRODUCT
from tariffs.engine.runs.limit_columns import SHOCK
from tariffs.engine.runs.options import Options
from tariffs.engine.scenario import Scenario, components, library, lineage
from tariffs.engine.tables.partitions import PRODUCT_DIGITS

_LIMITED = "limited"
Prefixes = tuple[str, ...]


@dataclass(frozen=True)
class BucketGoods:
    """Key of each good: goods of one key respond together, so they must be in one bucket.

    A product is by itself. All goods that limits or floors hold together have one key, since two limits may have goods
    in common. The key depends on the code alone, so that it is the same for every file.

    Attributes:
        limited: per limit the codes of its products, of which a product must overlap with one of every tuple.
    """

    limited: tuple[tuple[Prefixes, ...], ...] = ()

    @classmethod
    def of(cls, law: Law, scenarios: Sequence[Scenario], options: Options) -> BucketGoods:
        """Find the goods of limits that hold goods together on any day.

        Args:
            law: the law before the scenarios.
            scenarios: the scenarios, their parameters filled in.
            options: options of the run.
        """
        if options.response == "none":
            return cls()
        scopes = dict.fromkeys(_joint_scopes(law, scenarios, options.goods_markets(law)))
        return cls(tuple(_prefixes(scope, law) for scope in scopes))

    def __call__(self, code: str) -> str:
        """Key of a code."""
        product = code[:PRODUCT_DIGITS]
        return _LIMITED if self.has_limit_on(product) else product

    def has_limit_on(self, prefix: str) -> bool:
        """Test whether a limit may hold goods under a prefix together with others."""
        return any(_is_within(prefix, codes) for codes in self.limited)


@dataclass(frozen=True)
class BucketSectors:
    """Key of each good where sectors respond, as `BucketGoods`: goods of one industry are together.

    A nest or sector is of one industry. Goods without an industry are by themselves, but where a user's parameters may
    put them into a nest.

    Attributes:
        goods: keys of goods by themselves.
        limited: industries with goods that a limit may hold together with others.
        has_nest_outside: True if goods without an industry may be in a nest.
    """

    goods: BucketGoods
    limited: frozenset[int]
    has_nest_outside: bool

    @classmethod
    def of(cls, goods: BucketGoods, options: Options) -> BucketSectors:
        """Find the industries of goods that limits hold together."""
        limited = industries_among(goods.has_limit_on) if goods.limited else frozenset()
        has_nest_outside = options.parameter_set not in {"", *SETS}
        if goods.limited and has_nest_outside:
            limited |= {NO_INDUSTRY}
        return cls(goods, limited, has_nest_outside)

    def __call__(self, code: str) -> str:
        """Key of a code."""
        industry, own = int(industry_of([code])[0]), self.goods(code)
        if own == _LIMITED or industry in self.limited:
            return _LIMITED
        return own if industry == NO_INDUSTRY and not self.has_nest_outside else f"industry {industry}"


def goods_keys(law: Law, scenarios: Sequence[Scenario], options: Options) -> Callable[[str], str]:
    """Make the keys of goods of a run; arguments as `BucketGoods.of`."""
    goods = BucketGoods.of(law, scenarios, options)
    is_by_sector = options.market != PRODUCT or options.response == EXACT_HAT
    return BucketSectors.of(goods, options) if is_by_sector else goods


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
