"""Finding scenarios: the embedded library by name, files by path, texts as they come."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tariffs.engine.errors import ScenarioError
from tariffs.engine.scenario.canonical import digest_of
from tariffs.engine.scenario.model import Component, Problem, Scenario, located
from tariffs.engine.scenario.parents import Known, find, lineage
from tariffs.engine.scenario.read import Draft, read_draft, sealed
from tariffs.engine.scenario.yaml_positions import SIZE_AT_MOST

HERE = Path(__file__).parent / "library"
SUFFIXES = frozenset({".yaml", ".yml"})


@cache
def library() -> Mapping[str, Scenario]:
    """The embedded scenarios by name, sorted, `base` first."""
    return library_of(HERE)


def library_of(directory: Path) -> Mapping[str, Scenario]:
    """The scenarios of a directory of YAML files, each named as its file.

    Raises:
        ScenarioError: the first problem of the first file that has one.
    """
    drafts: dict[str, Draft] = {}
    for path in sorted(directory.glob("*.yaml"), key=lambda found: (found.stem != "base", found.stem)):
        draft = read_draft(path.read_text(encoding="utf-8"), path.name)
        scenario = _sound(draft, path.name)
        if scenario.id != path.stem:
            raise ScenarioError(
                "SCENARIO_SYNTAX", f"{path.name} has the id {scenario.id!r}.", fix="Name both alike."
            )
        drafts[scenario.id] = draft
    unsealed = {name: _sound(draft, name) for name, draft in drafts.items()}
    found: dict[str, Scenario] = {}
    for scenario in unsealed.values():
        for ancestor in lineage(scenario, unsealed):
            if ancestor.id not in found:
                found[ancestor.id] = seal(drafts[ancestor.id], found)
    return {name: found[name] for name in drafts}


def seal(draft: Draft, known: Known) -> Scenario:
    """A draft without problems as a scenario with its digest.

    Raises:
        ScenarioError: SCENARIO_NOT_FOUND or SCENARIO_CYCLE for its parents; the first problem of the draft, if any.
    """
    scenario = _sound(draft, "scenario")
    try:
        lineage(scenario, known)
    except ScenarioError as error:
        raise located(error, scenario) from None
    named = (*scenario.parents, *(part.scenario for part in sorted(scenario.mixture, key=_by_weight)))
    parents = [find(name, known).digest for name in named]
    return sealed(scenario, digest_of(draft.document, parents))


def _by_weight(part: Component) -> tuple[str, str]:
    return part.scenario, str(part.weight)


def _sound(draft: Draft, source: str) -> Scenario:
    if draft.scenario is None:
        raise error_of(draft.problems, source)
    return draft.scenario


def error_of(problems: tuple[Problem, ...], source: str) -> ScenarioError:
    """The first of some problems as an error that says how many more there are."""
    first = problems[0]
    more = f" ({len(problems) - 1} more: `tariffs scenario check` lists them.)" if len(problems) > 1 else ""
    return ScenarioError(
        first.reason,
        f"{source}:{first.line}:{first.column}: {first.message}{more}",
        path=first.path,
        line=first.line,
        column=first.column,
        fix=first.fix,
    )


def parse_scenario(text: str, source: str = "scenario") -> Scenario:
    """A scenario from its text; its parents are those of the embedded library.

    Raises:
        ScenarioError: SCENARIO_SYNTAX, SCENARIO_UNKNOWN_KEY, CHANGE_DATES_REVERSED, SCENARIO_NOT_FOUND or
            SCENARIO_CYCLE, with path, line and column.
    """
    draft = read_draft(text, source)
    if draft.scenario is None:
        raise error_of(draft.problems, source)
    return seal(draft, library())


def load_scenario(name_or_path: str | Path) -> Scenario:
    """A scenario by library name, or from a file (`*.yaml`, `*.yml`).

    Raises:
        ScenarioError: SCENARIO_NOT_FOUND with the nearest names, or what `parse_scenario` raises.
    """
    path = Path(name_or_path)
    if not isinstance(name_or_path, Path) and path.suffix.lower() not in SUFFIXES:
        return find(name_or_path, library())
    return parse_scenario(read_file(path), str(path))


def read_file(path: Path) -> str:
    """The text of a scenario file; raises ScenarioError SCENARIO_NOT_FOUND or SCENARIO_SYNTAX."""
    try:
        with path.open("rb") as file:
            content = file.read(SIZE_AT_MOST + 1)
        return content.decode("utf-8-sig")
    except OSError as error:
        raise ScenarioError(
            "SCENARIO_NOT_FOUND",
            f"The scenario file {path} cannot be read: {error.strerror or error}.",
            fix="`tariffs scenario list` names those of the library.",
            metadata={"path": str(path)},
        ) from error
    except UnicodeDecodeError as error:
        raise ScenarioError(
            "SCENARIO_SYNTAX",
            f"The scenario file {path} is not UTF-8: {error.reason}.",
            fix="Save it as UTF-8.",
        ) from error
