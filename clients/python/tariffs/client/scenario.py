"""Scenario of a request: a name of the library, or a file of the caller."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import cast

from tariffs.client import _arguments as arguments
from tariffs.client.errors import InvalidRequest, NotFound
from tariffs.client.results import html

SUFFIXES = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, slots=True, repr=False)
class Scenario:
    """Dated edits to the law, by library name or as YAML text.

    Attributes:
        name: name in the library; empty for inline text.
        text: YAML sent with the request; empty for a named scenario.
        source: origin of the text, for messages.
        day: day to run it on, if it differs from `on` of the run.
    """

    name: str = ""
    text: str = ""
    source: str = ""
    day: str = ""

    def __repr__(self) -> str:
        day = f" on {self.day}" if self.day else ""
        lines = self.text.count("\n") + 1
        return f"Scenario {self.name}{day}" if self.name else f"Scenario of {self.source}{day}, {lines} lines"

    def _repr_html_(self) -> str:
        text = html.code(self.text) if self.text else ""
        return html.block(html.heading(repr(self)), html.folded("Text", text))

    @classmethod
    def base(cls) -> Scenario:
        """The law as it is, without edits."""
        return cls(name="base")

    @classmethod
    def named(cls, name: str) -> Scenario:
        """Name a scenario of the library."""
        return cls(name=name)

    @classmethod
    def from_text(cls, text: str, source: str = "text") -> Scenario:
        """Make a scenario from YAML text; the service reads and checks it."""
        return cls(text=text, source=source)

    @classmethod
    def from_file(cls, path: str | Path) -> Scenario:
        """Read a scenario file, which is sent inline.

        Raises:
            NotFound: SCENARIO_NOT_FOUND if the file cannot be opened.
            InvalidRequest: SCENARIO_SYNTAX if it is no UTF-8 text.
        """
        path = Path(path)
        try:
            return cls(text=path.read_text(encoding="utf-8"), source=str(path))
        except UnicodeDecodeError as error:
            raise InvalidRequest(
                "SCENARIO_SYNTAX",
                f"The scenario file {path} is not UTF-8 text: byte {error.start + 1} cannot be read.",
                field="scenario",
                fix="Save it as UTF-8.",
                metadata={"path": str(path)},
            ) from error
        except (OSError, ValueError) as error:  # ValueError: no file can have such a path
            raise NotFound(
                "SCENARIO_NOT_FOUND",
                f"The scenario file {path} cannot be read: {getattr(error, 'strerror', None) or error}.",
                code="NOT_FOUND",
                field="scenario",
                fix="`tariffs scenario list` lists the library.",
                metadata={"path": str(path)},
            ) from error

    def on(self, day: str | date) -> Scenario:
        """Copy the scenario with its own day, in place of the run's `on`."""
        return replace(self, day=arguments.day(day, "on"))

    @classmethod
    def of(cls, value: str | Path | Scenario) -> Scenario:
        """Convert a value to a scenario: a `Scenario`, a path (`*.yaml`, `*.yml`), or a library name.

        Raises:
            InvalidRequest: REQUEST_INVALID if it is none of these.
            NotFound: SCENARIO_NOT_FOUND if the file cannot be read.
        """
        if isinstance(value, Scenario):
            return value
        if not isinstance(value, str | Path):
            raise arguments.refusal("scenario", value, "Give a name, a path or a Scenario.")
        if isinstance(value, Path) or Path(value).suffix.lower() in SUFFIXES:
            return cls.from_file(value)
        return cls.named(value)

    @classmethod
    def all_of(cls, values: object) -> list[Scenario]:
        """Convert a collection of values to scenarios by `of`; a single value is a collection of one."""
        if isinstance(values, Scenario):
            return [values]
        return [cls.of(cast("str | Path | Scenario", one)) for one in arguments.several(values, "scenarios")]
