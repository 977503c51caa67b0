"""Fill in the parameters of a scenario at many points: read each change once for each of its values.

A sweep has up to 100,000 points, and reading the whole scenario at each of them would take longer than computing it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.amendments import Change, change_from_mapping
from tariffs.engine.scenario.canonical import digest_of_texts, text_of_change, texts_by_key
from tariffs.engine.scenario.filling import Use, fits, is_on, plain, put, without_when
from tariffs.engine.scenario.model import Places, Scenario
from tariffs.engine.scenario.read import File, renumbered

_CHANGES = "changes"
_CHANGES_CACHED = 4096


def can_refill(file: File, default: Scenario) -> bool:
    """Test whether only values in changes of the scenario's own depend on its parameters."""
    return not default.named and all(use.location[0] == _CHANGES for use in file.outline.uses)


@dataclass(frozen=True, slots=True)
class _ReadChange:
    """A change with its canonical text; both are empty for one that is off."""

    change: Change | None
    text: str


_OFF = _ReadChange(None, "")


class Refill:
    """Scenario file whose changes are read once for each combination of values that they use.

    Args:
        file: a file for which `can_refill` is true.
        default: its scenario with the defaults.
    """

    def __init__(self, file: File, default: Scenario, parents: Sequence[str]) -> None:
        self._default = default
        self._items = file.outline.document.get(_CHANGES) or []
        self._uses: list[list[Use]] = [[] for _ in self._items]
        for use in file.outline.uses:
            self._uses[int(use.location[1])].append(use)
        self._places = file.parsed.places
        texts = texts_by_key(plain(file.outline.document), parents)
        self._texts = {key: text for key, text in texts.items() if key != _CHANGES}
        self._changes: BoundedCache[tuple[object, ...], _ReadChange] = BoundedCache(_CHANGES_CACHED)
        self._places_by_on: BoundedCache[tuple[int, ...], Places] = BoundedCache(_CHANGES_CACHED)

    def scenario(self, given: Mapping[str, str]) -> Scenario | None:
        """Return the scenario with these values; None if a value is wrong, which a full reading describes."""
        parameters = self._default.parameters
        if not given.keys() <= parameters.keys():
            return None
        values = {
            name: given[name].strip() if name in given else parameter.default
            for name, parameter in parameters.items()
        }
        changes: list[Change] = []
        texts: list[str] = []
        on: list[int] = []
        for index in range(len(self._items)):
            read = self._read(index, len(on), values)
            if read is None:
                return None
            if read.change is not None:
                changes.append(read.change)
                texts.append(read.text)
                on.append(index)
        own = {_CHANGES: f"[{','.join(texts)}]"} if texts else {}
        return replace(
            self._default,
            changes=tuple(changes),
            digest=digest_of_texts({**self._texts, **own}),
            values=values,
            places=self._places_of(tuple(on)),
        )

    def _read(self, index: int, place: int, values: Mapping[str, str]) -> _ReadChange | None:
        """Read a change as the one at a place among those that are on; None if a value is wrong."""
        key = (index, place, *(values[use.name] for use in self._uses[index]))
        found = self._changes.find(key)
        if found is not None:
            return found
        item = self._items[index]
        for use in self._uses[index]:
            if not fits(use, values[use.name]):
                return None
            item = put(item, use.location[2:], values[use.name])
        change = without_when(item)
        try:
            read = change_from_mapping(change, f"{_CHANGES}[{place}]", source=self._default.id)
        except ScenarioError:
            return None
        return self._changes.keep(key, _ReadChange(read, text_of_change(change)) if is_on(item) else _OFF)

    def _places_of(self, on: tuple[int, ...]) -> Places:
        if len(on) == len(self._items):
            return self._places
        new = {f"{_CHANGES}[{index}]": f"{_CHANGES}[{place}]" for place, index in enumerate(on)}
        return self._places_by_on.get(on, lambda: renumbered(self._places, new))
