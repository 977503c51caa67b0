"""Roles, groups and quotas of callers, from a YAML file that is reloaded when it changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from tariffs.engine.errors import InputError, ScenarioError
from tariffs.engine.scenario.yaml_positions import parse_yaml
from tariffs.service.server.watched_file import WatchedFile
from tariffs.service.wire.identity import ANONYMOUS, NAME_LIMIT, Caller, Quotas, is_name

EVERYBODY = "*"
_RESOLVED_KEPT = 4096
_FAULTS_SHOWN, _SHOWN = 3, 40
Role = Literal["read", "run", "admin"]


def _name(text: str) -> str:
    if not is_name(text):
        raise ValueError(f"{text[:_SHOWN]!r} is no visible text of at most {NAME_LIMIT} characters")
    return text


Name = Annotated[str, AfterValidator(_name)]
Count = Annotated[int, Field(ge=0)]
AtOnce = Annotated[int, Field(ge=1)]


class _Strict(BaseModel):
    # Built by the first file: most servers have none.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class QuotaEntry(_Strict):
    """Quotas of an entry; those not given are those of the next entry that has them, at last of the server."""

    calls: AtOnce | None = None
    calls_per_second: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    runs: AtOnce | None = None
    runs_kept: Count | None = None
    tables: Count | None = None
    table_bytes: Count | None = None
    sweep_points: Count | None = None


class GroupEntry(_Strict):
    """Roles and quotas of the members of a group."""

    roles: tuple[Role, ...] = ()
    quotas: QuotaEntry = QuotaEntry()


class CallerEntry(GroupEntry):
    """Roles, groups and quotas of a caller; those of `*` are for everybody."""

    groups: tuple[Name, ...] = ()


class CallersText(_Strict):
    """The whole file."""

    callers: Mapping[Name, CallerEntry] = {}
    groups: Mapping[Name, GroupEntry] = {}


class Grants:
    """Grants of the file, resolved once for each caller."""

    def __init__(self, text: CallersText) -> None:
        self.text = text
        self.caller = lru_cache(maxsize=_RESOLVED_KEPT)(self._caller)

    def _caller(self, name: str, roles: frozenset[str], groups: frozenset[str]) -> Caller:
        """Make the caller of a name with what its identity grants and what the file adds."""
        named, everybody = self.text.callers.get(name), self.text.callers.get(EVERYBODY)
        own = [entry for entry in (named, everybody) if entry is not None]
        all_groups = groups.union(*(entry.groups for entry in own))
        of_groups = [self.text.groups[group] for group in sorted(all_groups & self.text.groups.keys())]
        entries: list[GroupEntry] = [*own, *of_groups]
        levels = ([named] if named else [], of_groups, [everybody] if everybody else [])
        return Caller(
            owner=name,
            key=name,
            roles=roles.union(*(entry.roles for entry in entries)),
            groups=all_groups,
            quotas=_quotas([entry.quotas for entry in level] for level in levels),
        )


class Callers(WatchedFile[Grants]):
    """Roles, groups and quotas by name and by group.

    Raises:
        InputError: SETTING_INVALID if the file cannot be read, or breaks a rule of its format.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "callers")

    @property
    def size(self) -> int:
        """Number of entries."""
        return len(self.content.text.callers) + len(self.content.text.groups)

    def _read(self) -> Grants:
        try:
            text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise _invalid(self._path, f"it cannot be read ({error})") from None
        try:
            document = parse_yaml(text)
        except (ScenarioError, yaml.YAMLError) as error:
            raise _invalid(self._path, _place(error)) from None
        if document.problems:
            raise _invalid(self._path, _place(document.problems[0]))
        try:
            # The values are texts, which pydantic reads as the types of the model.
            content = CallersText.model_validate(document.value or {})
        except ValidationError as error:
            faults = [_fault(fault) for fault in error.errors()[:_FAULTS_SHOWN]]
            raise _invalid(self._path, "; ".join(faults)) from None
        if ANONYMOUS in content.callers:
            raise _invalid(
                self._path, f"callers.{ANONYMOUS} is not a name; write {EVERYBODY!r} for everybody"
            )
        return Grants(content)


def _quotas(levels: Iterable[list[QuotaEntry]]) -> Quotas:
    """Take each quota from the first level that has it: own, the highest of the groups, everybody's."""
    chosen: dict[str, Any] = {}
    for entries in levels:
        for field in fields(Quotas):
            values = [value for entry in entries if (value := getattr(entry, field.name)) is not None]
            if values:
                chosen.setdefault(field.name, max(values))
    return Quotas(**chosen)


def _place(error: Exception) -> str:
    line = getattr(error, "line", None)
    message = str(getattr(error, "message", error)).rstrip(".").replace("The scenario", "the text")
    return f"line {line}: {message}" if line else message


def _fault(error: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in error["loc"]) or "the file"
    why = str(error["msg"])
    return f"{place}: {why[:1].lower()}{why[1:]}"


def _invalid(path: Path, why: str) -> InputError:
    return InputError(
        "SETTING_INVALID",
        f"TARIFFS_CALLERS_FILE {path}: {why}.",
        fix="docs/identity.md has the format of the file.",
    )
