"""List the options that each verb takes, and read the combinations of options that runs refuse.

Server, client, command line and docs/options.md follow these tables: a combination has the same reason and text from
every side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tariffs.engine.base.snapshot import files_digest, kept_json
from tariffs.engine.errors import InputError
from tariffs.run_spec import spec as run_spec
from tariffs.run_spec.option import IMPACT, SEEK, SWEEP, TIMELINE, VERBS

_DATA = Path(__file__).parent / "data" / "refusals.yaml"
ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "scenarios": (IMPACT, TIMELINE),
    "scenario": (SWEEP, SEEK),
    "vary": (SWEEP, SEEK),
    "points": (SWEEP,),
    "target": (SEEK,),
    "where": (SEEK,),
    "start": (TIMELINE,),
    "end": (TIMELINE,),
    "lines_to": (IMPACT,),
    "cluster": (IMPACT, TIMELINE, SWEEP),
}
"""Verbs that take each argument that is no option of runs."""
OPTIONS = {**ARGUMENTS, **{name: one.verbs for name, one in run_spec.OPTIONS.items()}}
"""Verbs that take each argument and option; the names are those of the Python client."""
LAYOUTS: Mapping[str, tuple[str, ...]] = {
    "one table": VERBS,
    "several files": (IMPACT, TIMELINE, SWEEP),
    "long run": (IMPACT, TIMELINE, SWEEP),
}
"""Verbs that compute each layout of a table, and long runs."""


@dataclass(frozen=True)
class OptionValues:
    """Values of an option or fact for which a refusal holds, with their text for the docs."""

    text: str
    holds: Callable[[Any], bool]

    @classmethod
    def read(cls, text: str) -> OptionValues:
        """Read values as `data/refusals.yaml` has them."""
        if text in _WORDS:
            return cls(text, _WORDS[text])
        word, _, value = text.rpartition(" ")
        if word == "other than":
            return cls(f"other than `{value}`", lambda found: bool(found != value))
        if word == "with":
            return cls(f"with `{value}`", lambda found: value in found)
        values = text.split(" or ")
        return cls(" or ".join(f"`{value}`" for value in values), values.__contains__)


_WORDS: Mapping[str, Callable[[Any], bool]] = {"given": bool, "yes": bool, "missing": lambda found: not found}
FACTS: Mapping[str, str] = {
    "verb": "verb",
    "files": "table of several files",
    "dates": "entry dates in the table",
    "mixture": "mixture of scenarios",
    "own_table": "table of your own",
}
"""Facts that refusals test besides options, in words."""


@dataclass(frozen=True)
class Refusal:
    """Combination of options and facts that a run refuses.

    Attributes:
        field: option that the error names.
        when: conditions that hold together, by option or fact.
        message, fix: text of the error; `{name}` stands for the value of an option.
        reason: reason of the error.
    """

    field: str
    when: Mapping[str, OptionValues]
    message: str
    fix: str
    reason: str = "PARAMETER_INVALID"

    def holds(self, asked: Mapping[str, object]) -> bool:
        """Return True if all conditions hold; a fact that is not known yet holds nothing."""
        return all(name in asked and one.holds(asked[name]) for name, one in self.when.items())

    def error(self, asked: Mapping[str, object]) -> InputError:
        """Make the error."""
        message = self.message.format(**{name: asked.get(name) for name in self.when})
        return InputError(self.reason, message, field=self.field, fix=self.fix)


def refuse(asked: Mapping[str, object]) -> None:
    """Raise the first refusal that holds, InputError PARAMETER_INVALID or BASELINE_REQUIRED.

    `asked` has the values of options and facts by name, as far as they are known.
    """
    for one in refusals():
        if one.holds(asked):
            raise one.error(asked)


def refuse_untaken(verb: str, given: Iterable[str]) -> None:
    """Refuse options that a verb does not take; raises InputError PARAMETER_INVALID."""
    for name in given:
        if verb not in OPTIONS[name]:
            fix = f"Leave it out, or use {' or '.join(OPTIONS[name])}."
            raise InputError("PARAMETER_INVALID", f"A {verb} takes no {name}.", field=name, fix=fix)


@cache
def refusals() -> tuple[Refusal, ...]:
    """Read the refusals in the order in which they are looked at; the first that holds is the error."""
    rows = kept_json("refusals", files_digest("runs/data/refusals.yaml", "law/yaml_texts.py"), _rows)
    return tuple(one for row in rows for one in _refusals_of(row))


def _rows() -> list[dict[str, Any]]:
    # A process that has the rows in their snapshot imports no reader of YAML.
    from tariffs.engine.law.yaml_texts import load_yaml

    rows: list[dict[str, Any]] = load_yaml(_DATA)
    return rows


def _refusals_of(row: Mapping[str, Any]) -> Iterator[Refusal]:
    """Make the refusal of a row, or one of each of its options."""
    texts = {name: text for name, text in row.items() if name not in {"each", "when"}}
    for named in row.get("each", [{"": ""}]):
        ((option, values),) = named.items()
        when = {
            name.replace("$option", option): OptionValues.read(text.replace("$values", values))
            for name, text in row["when"].items()
        }
        yield Refusal(when=when, **{name: text.replace("$option", option) for name, text in texts.items()})
