"""Check names that law data and scenarios use: countries, groups, product lists, switches, and others by kind.

A misspelt list or country would match no goods, so every reader of a scope or switch checks it here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from tariffs.engine.base.spelling import nearest
from tariffs.engine.errors import ScenarioError, TariffsError
from tariffs.engine.law.model import Scope
from tariffs.engine.law.values import is_code
from tariffs.engine.schedule.country_names import origins_named, similar_origins

ORIGINS = "country or group"
"""The kind of names that people also write as a country's name or alpha-3 code."""


def refuse(errors: Iterable[TariffsError]) -> None:
    """Raise the first of some errors."""
    for error in errors:
        raise error


def check_known(names: Iterable[str], known: Collection[str], kind: str, path: str) -> None:
    """Refuse a name that is not among the known ones.

    Raises:
        ScenarioError: NOTHING_MATCHED with the nearest names.
    """
    refuse(unknown(names, known, kind, path))


def unknown(names: Iterable[str], known: Collection[str], kind: str, path: str) -> Iterator[ScenarioError]:
    """Yield the error NOTHING_MATCHED of every name that is not among the known ones, with the nearest of them."""
    for name in sorted(set(names).difference(known)):
        near = nearest(name, known)
        if kind == ORIGINS:
            near = [*origins_named(name)] or near or similar_origins(name)
        yield ScenarioError(
            "NOTHING_MATCHED",
            f"The law has no {kind} {name!r}.",
            path=path,
            fix=f"Did you mean {', '.join(near)}?" if near else "See docs/law-data.md for the known names.",
            metadata={"name": name, "nearest": ", ".join(near)},
        )


@dataclass(frozen=True)
class Names:
    """Names of one law: `origins` are ISO codes and groups, `switches` the values of each switch.

    `retired` gives the outcome of each switch that is settled.
    """

    origins: frozenset[str]
    lists: frozenset[str]
    switches: Mapping[str, tuple[str, ...]]
    retired: Mapping[str, str]

    def check_scope(self, scope: Scope, path: str) -> None:
        """Refuse a scope whose lists, groups or countries do not exist.

        Raises:
            ScenarioError: NOTHING_MATCHED with the path of the scope's key.
        """
        refuse(self.unknown_in(scope, path))

    def unknown_in(self, scope: Scope, path: str) -> Iterator[ScenarioError]:
        """Yield the error of every list, group or country of a scope that does not exist."""
        for key, names in (("origins", scope.origins), ("not_origins", (scope.not_origins,))):
            yield from unknown(_joined(names), self.origins, ORIGINS, _below(path, key))
        for key, names in (("products", scope.products), ("not_products", (scope.not_products,))):
            lists = (name for name in _joined(names) if not is_code(name))
            yield from unknown(lists, self.lists, "product list", _below(path, key))

    def unknown_switch(self, name: str, value: str, path: str) -> Iterator[ScenarioError]:
        """Yield SWITCH_UNKNOWN for a switch setting that does not exist, or SWITCH_RETIRED, with the path."""
        if name in self.retired:
            yield ScenarioError(
                "SWITCH_RETIRED",
                f"The switch {name!r} was retired: {self.retired[name]}.",
                path=path,
                fix="Leave the switch out.",
            )
            return
        values = self.switches.get(name, ())
        if value not in values:
            yield ScenarioError(
                "SWITCH_UNKNOWN",
                f"The law has no switch {name!r} with the value {value!r}.",
                path=path,
                fix=f"Use one of: {', '.join(values or sorted(self.switches))}.",
                metadata={"name": name},
            )


def _joined(names: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*names)


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
