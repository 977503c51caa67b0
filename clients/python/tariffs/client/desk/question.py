"""Question of an address: its names and values, and addresses that differ in one of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qsl, urlencode

from tariffs.client.desk.unsaved import scenario_of
from tariffs.client.errors import InvalidRequest, TariffsError, Violation
from tariffs.client.results.table_handle import TableHandle
from tariffs.client.scenario import Scenario
from tariffs.run_spec.option import Kind, RunOption
from tariffs.run_spec.spec import taken

FORMATS = ("report", "xlsx", "csv", "json", "toml")
_FORMAT, _POINT = "as", "point"
_OF_THE_PAGE = frozenset({_FORMAT, _POINT})
_LEFT_OUT = frozenset({"include_lines"})
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Question:
    """Question of an address.

    Attributes:
        path: path of the page.
        pairs: names and values in their order, empty ones left out.
    """

    path: str
    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, path: str, query: str) -> Question:
        """Read the query of an address."""
        pairs = ((name, value.strip()) for name, value in parse_qsl(query))
        return cls(path, tuple((name, value) for name, value in pairs if value))

    def get(self, name: str, default: str = "") -> str:
        """Return the last value of a name."""
        return next((value for one, value in reversed(self.pairs) if one == name), default)

    def all(self, name: str) -> list[str]:
        """List the values of a name."""
        return [value for one, value in self.pairs if one == name]

    def beginning(self, prefix: str) -> dict[str, str]:
        """Return values by the rest of names that begin with a prefix."""
        return {
            name.removeprefix(prefix): value
            for name, value in self.pairs
            if name.startswith(prefix) and name != prefix
        }

    def address(self, path: str = "", /, **changed: str | Iterable[str]) -> str:
        """Write the address of this question with some values changed; empty ones are left out."""
        pairs = [(name, value) for name, value in self.pairs if name not in {*changed, *_OF_THE_PAGE}]
        for name, value in changed.items():
            values = [value] if isinstance(value, str) else value
            pairs += [(name, one) for one in values if one]
        return (path or self.path) + (f"?{urlencode(pairs)}" if pairs else "")

    @property
    def format(self) -> str:
        """Format that the answer is asked in; empty for a page."""
        return self.get(_FORMAT) if self.get(_FORMAT) in FORMATS else ""

    @property
    def canonical(self) -> str:
        """Text that is the same for all addresses of one question; the order of values of a name counts."""
        asked = [pair for pair in self.pairs if pair[0] not in _OF_THE_PAGE]
        return f"{self.path}?{urlencode(sorted(asked, key=lambda pair: pair[0]))}"

    @property
    def is_own(self) -> bool:
        """True if its answer depends on what the reader owns: a stored table, or a stored scenario."""
        return any(name == "table" or (name == "s" and "/" in value) for name, value in self.pairs)

    @property
    def names_rows(self) -> bool:
        """True if it is about rows that it names or holds."""
        return any(self.get(name) for name in ("table", "rows"))

    def scenarios(self, most: int = 6) -> list[Scenario]:
        """List its scenarios; the law as it is if there are none.

        Raises:
            InvalidRequest: there are more than a page can show beside each other.
        """
        names = self.all("s") or ["base"]
        if len(names) > most:
            raise_all([Violation("s", f"A page compares at most {most} scenarios, not {len(names)}.")])
        return [scenario_of(name) for name in names]

    def table(self) -> TableHandle | None:
        """Return its table; None for the embedded one."""
        name = self.get("table")
        return TableHandle(name, 0, 0, 0, "", "") if name else None

    def words(self, name: str) -> list[str]:
        """List the words of a name, which stand with commas or spaces between them, or come again."""
        return " ".join(self.all(name)).replace(",", " ").split()

    def number(self, name: str) -> str | None:
        """Return an amount without its grouping; None without a value."""
        return self.get(name).replace(",", "") or None

    def options(self, verb: str) -> dict[str, object]:
        """Return the options of a run that it gives, as arguments of the client.

        Raises:
            InvalidRequest: several faults, each a violation of its field.
        """
        raise_all(self.option_faults(verb))
        return {one.name: _value(one, text) for one, text in self._given(verb)}

    def option_faults(self, verb: str) -> list[Violation]:
        """List what is wrong with the options of a run that it gives."""
        faults = []
        for one, text in self._given(verb):
            try:
                _value(one, text)
            except ValueError as error:
                faults.append(Violation(one.name, str(error)))
        return faults

    def _given(self, verb: str) -> list[tuple[RunOption, str]]:
        given = ((one, ",".join(self.all(one.name))) for one in taken(verb) if one.name not in _LEFT_OUT)
        return [(one, text) for one, text in given if text]


def is_day(text: str) -> bool:
    """Test whether a text is a day, or an instant that begins with one."""
    try:
        return bool(date.fromisoformat(text[:10]))
    except ValueError:
        return False


def own_address(text: str) -> str:
    """Return an address of these pages, the front page for one of another host."""
    is_own = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if is_own else "/"


def raise_all(faults: Iterable[Violation]) -> None:
    """Raise all faults of a form as one error; nothing without any."""
    found = tuple(faults)
    if found:
        raise InvalidRequest("REQUEST_INVALID", found[0].description, field=found[0].field, violations=found)


def faults_of(error: TariffsError) -> dict[str, str]:
    """Return the faults of an error by the name of the field on the page; the last part of a path counts."""
    found = {one.field: one.description for one in error.violations}
    if error.field and error.field not in found:
        found[error.field] = error.message
    return {
        _FIELDS.get(name.rpartition(".")[2], name.rpartition(".")[2]): text for name, text in found.items()
    }


_FIELDS = {"entry_date": "on", "customs_value": "value", "lines": "table", "scenario": "s", "scenarios": "s"}


def _value(one: RunOption, text: str) -> object:
    """Read the value of an option; raises ValueError."""
    if len(text) > _LONGEST:
        raise ValueError(f"{one.title}: the text is too long.")
    if one.kind is Kind.KEYS:
        return [part for part in re.split(r"[,\s]+", text) if part]
    if one.kind in {Kind.PAIRS, Kind.VALUES}:
        return pairs_of(text)
    if one.kind is Kind.DAY and not is_day(text):
        raise ValueError(f"{text[:40]} is not a day; write it as 2026-11-24.")
    if one.kind is Kind.FLAG:
        return text in {"1", "on", "true", "yes"}
    if one.kind in {Kind.NUMBER, Kind.WHOLE}:
        try:
            return int(text) if one.kind is Kind.WHOLE else float(text)
        except ValueError:
            raise ValueError(f"{text[:40]} is not a number.") from None
    if one.kind in {Kind.CHOICE, Kind.PARAMETER_SET} and text not in one.choices:
        # The path of a parameter set would be a file of the server.
        raise ValueError(f"{text[:40]} is none of {', '.join(one.choices)}.")
    return text


def pairs_of(text: str) -> dict[str, str]:
    """Read `name=value` pairs, separated by commas or spaces; raises ValueError."""
    pairs = [part.partition("=") for part in re.split(r"[,\s]+", text.strip()) if part]
    for name, sign, value in pairs:
        if not (name and sign and value):
            raise ValueError(f"{name}{sign}{value} is not NAME=VALUE, such as cn=20%.")
    return {name: value for name, _, value in pairs}
