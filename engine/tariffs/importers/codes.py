"""Sets of 10-digit codes, and the shortest lists of prefixes equal to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tariffs.importers.output import read_csv_text

LINE_DIGITS = 8
CODE_DIGITS = 10
SUBHEADING_DIGITS = 6
# Lengths at which a list may name goods, shortest first.
LENGTHS = (4, 6, 8, 10)


@dataclass(frozen=True)
class Universe:
    """All 10-digit codes of the schedules and of trade, and the current ones among them.

    Attributes:
        all: codes of every vintage and of 2024 trade.
        current: codes of the latest vintage, in which most lists are written.
        renamed: for a new code, the codes that stood for its goods before.
        traded: codes of 2024 trade.
    """

    all: frozenset[str]
    current: frozenset[str]
    renamed: Mapping[str, frozenset[str]]
    traded: frozenset[str] = frozenset()

    def under(self, prefix: str) -> frozenset[str]:
        """Find the codes of any vintage under a prefix of 4 digits or more."""
        return frozenset(code for code in self._by_heading.get(prefix[:4], ()) if code.startswith(prefix))

    @cached_property
    def _by_heading(self) -> dict[str, list[str]]:
        index: dict[str, list[str]] = {}
        for code in sorted(self.all):
            index.setdefault(code[:4], []).append(code)
        return index

    def resolve(self, listed: Iterable[str]) -> set[str]:
        """Expand listed prefixes to codes of any vintage.

        A line all of whose current codes are listed is listed whole, so codes of other vintages follow it; a listed
        code also brings the code it replaced if every successor of that code is listed.
        """
        wanted = set(listed)
        found = {code for prefix in wanted for code in (self.under(prefix) or {prefix})}
        for line in {code[:LINE_DIGITS] for code in found}:
            current = {code for code in self.under(line) if code in self.current}
            if current and current <= found:
                found |= self.under(line)
        for replaced in (self._renamed_to, self.successors):
            found |= {old for old, new in replaced.items() if new <= found}
        return found

    @cached_property
    def successors(self) -> Mapping[str, frozenset[str]]:
        """Find the current codes that replaced codes missing from the current schedule.

        The table of renamed codes says which, those of the same line before others. Where it is silent on a traded
        code: the current codes of its line that were not traded under their own number.
        """
        found = {old: self._successors_of(old) for old in self.all - self.current}
        return {old: new for old, new in found.items() if new}

    def _successors_of(self, old: str) -> frozenset[str]:
        line = {code for code in self.under(old[:LINE_DIGITS]) if code in self.current}
        named = self._renamed_to.get(old, frozenset()) & self.current
        silent = line - self.traded if old in self.traded else set()
        return frozenset((named & line) or named or silent)

    @cached_property
    def _renamed_to(self) -> Mapping[str, frozenset[str]]:
        """Find the codes of any vintage that, by the table, replaced codes missing from the current schedule.

        The table matches some codes by the word "other" alone, so that only a code of the same subheading counts.
        """
        found: dict[str, set[str]] = {}
        for new, before in self.renamed.items():
            for old in before - self.current:
                if new.startswith(old[:SUBHEADING_DIGITS]):
                    found.setdefault(old, set()).add(new)
        return {old: frozenset(new) for old, new in found.items()}

    def shortest(self, codes: Iterable[str]) -> list[str]:
        """Find the shortest disjoint prefixes that cover exactly these codes of the universe."""
        left, prefixes = set(codes), []
        for length in LENGTHS:
            for prefix in sorted({code[:length] for code in left}):
                under = self.under(prefix)
                if under and under <= left:
                    prefixes.append(prefix)
                    left -= under
        return sorted(prefixes + sorted(left))


def universe(
    vintages: Mapping[str, Iterable[str]], current: str, traded: Iterable[str], concordance: Path
) -> Universe:
    """Build the universe from schedule vintages, traded codes and renamed codes (`old_hts10`, `new_hts10`)."""
    renamed: dict[str, set[str]] = {}
    for row in read_csv_text(concordance):
        old, new = row["old_hts10"], row["new_hts10"]
        if len(old) == len(new) == CODE_DIGITS and old != new:
            renamed.setdefault(new, set()).add(old)
    imports = frozenset(traded)
    return Universe(
        imports.union(*vintages.values()),
        frozenset(vintages[current]),
        {new: frozenset(old) for new, old in renamed.items()},
        imports,
    )
