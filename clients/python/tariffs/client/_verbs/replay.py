"""Run a written result again and compare every number, or name the inputs that have changed.

A result carries the call that made it, beside the digests of all it was made from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

import polars as pl

from tariffs.client import _arguments as arguments
from tariffs.client._wire.csv_text import guarded
from tariffs.client._wire.frames import Table
from tariffs.client._wire.requests import ScenarioLike
from tariffs.client._wire.run_options import recorded_options
from tariffs.client.errors import InvalidRequest, NotFound, TariffsError
from tariffs.client.results.impact import ImpactResult, TimelineResult
from tariffs.client.results.law import Law
from tariffs.client.results.quote import Provenance
from tariffs.client.results.sweep import Sweep
from tariffs.client.scenario import Scenario
from tariffs.run_spec.spec import RunSpec

LAW_VERSION = "law_version"
REQUEST = "request"
_FRAME = "given as a frame"
_FRAMES = {"impact": ("groups", "lines"), "timeline": ("segments", "score"), "sweep": ("groups",)}
_REPLAYED = " or ".join(", ".join(_FRAMES).rsplit(", ", 1))
_INPUTS = (
    ("scenarios", "scenario"),
    ("table_digest", "table"),
    ("parameter_digest", "parameters"),
    ("switches", "switches"),
    ("bases", "bases of shares"),
    ("details", "options"),
    ("engine_version", "engine"),
)


class ReplayClient(Protocol):
    """Client methods that a replay calls."""

    @property
    def law(self) -> Callable[..., Law]:
        """Get the law that runs would use."""

    @property
    def impact(self) -> Callable[..., ImpactResult]:
        """Run scenarios on days."""

    @property
    def timeline(self) -> Callable[..., TimelineResult]:
        """Run scenarios over a period."""

    @property
    def sweep(self) -> Callable[..., Sweep]:
        """Run a scenario at many points."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Outcome of running a result again.

    Attributes:
        same: True if every number is the same bit for bit.
        changed: inputs that differ, each with its old and new value; empty if equal inputs gave other numbers.
        rows: number of rows compared.
        largest: the largest relative difference of a number; 0 if the rows are the same, None if rows differ.
    """

    same: bool
    changed: tuple[str, ...]
    rows: int
    largest: float | None

    def to_json_dict(self) -> dict[str, object]:
        """Convert to the document of `replay --json`."""
        return {"same": self.same, "changed": list(self.changed), "rows": self.rows, "largest": self.largest}


def recorded_call(
    verb: str, lines: Table | None, scenarios: Sequence[ScenarioLike], spec: RunSpec, **own: object
) -> dict[str, object]:
    """Record a call as plain data that is enough to repeat it; `own` are arguments that are no options."""
    return {
        "verb": verb,
        "table": str(lines) if isinstance(lines, str | Path) else lines if lines is None else _FRAME,
        "scenarios": [
            {"name": one.name, "text": one.text, "day": one.day} for one in map(Scenario.of, scenarios)
        ],
        "options": {name: _plain(value) for name, value in (own | recorded_options(verb, spec)).items()},
    }


def with_call(provenance: Provenance, call: Mapping[str, object]) -> Provenance:
    """Add the call that made the result to its provenance."""
    return {**provenance, REQUEST: call}


def replay(client: ReplayClient, result: Path, table: Table | None = None) -> Replay:
    """Run a written result again.

    Args:
        client: client that runs it.
        result: the file: `-o` of a run (.parquet or .csv) or its JSON document.
        table: trade table, if the result does not name it or its path has changed.

    Raises:
        NotFound: LAW_VERSION_NOT_FOUND, naming the release that has the law of the result.
        InvalidRequest: TABLE_UNREADABLE if the file is no result of impact, timeline or sweep, or its table cannot be
            found.
    """
    provenance, rows = _read(result)
    call = provenance.get(REQUEST)
    if not isinstance(call, Mapping) or call.get("verb") not in _FRAMES:
        raise _no_result(result, f"it does not contain its call, as a result of {_REPLAYED} does")
    frame = _frame(result, rows)
    again = _run(client, _under_its_law(client, call, provenance), table)
    named = [getattr(again, name) for name in _FRAMES[str(call["verb"])]]
    frames = [candidate for candidate in named if candidate is not None]
    if result.suffix.lower() == ".csv":
        frames = [*map(guarded, frames), *frames]  # written with or without --raw-csv
    found = [candidate for candidate in frames if _like(candidate, frame)]
    if not found:
        raise _no_result(result, f"its columns are not those of groups or lines: {', '.join(frame.columns)}")
    if result.suffix.lower() == ".csv":
        # A CSV file has no types: both are read from text.
        texts = [_read_csv(candidate.write_csv().encode()) for candidate in found]
        found = [one for one in texts if one.select(frame.columns).schema == frame.schema] or texts
    now = next((candidate for candidate in found if _same(frame, candidate)), found[0])
    changed = tuple(_changed(provenance, again.provenance))
    same = _same(frame, now)
    return Replay(same, changed, frame.height, 0.0 if same else _largest(frame, now))


def _run(
    client: ReplayClient, call: Mapping[str, Any], table: Table | None
) -> ImpactResult | TimelineResult | Sweep:
    lines = table if table is not None else call["table"]
    if table is None and call["table"] == _FRAME:
        raise InvalidRequest(
            "TABLE_UNREADABLE",
            "The result was made from a table in memory.",
            field="table",
            fix="Give the table.",
        )
    scenarios = [
        replace(
            Scenario.from_text(one["text"]) if one["text"] else Scenario.named(one["name"]), day=one["day"]
        )
        for one in call["scenarios"]
    ]
    if call["verb"] == "timeline":
        return client.timeline(lines, scenarios, **call["options"])
    if call["verb"] == "sweep":
        return client.sweep(lines, scenarios[0], **call["options"])
    return client.impact(lines, scenarios, **call["options"])


Rows: TypeAlias = "Callable[[], pl.DataFrame]"


def _read(path: Path) -> tuple[Provenance, Rows]:
    """Read the provenance of a written result; its rows are read later."""
    try:
        if path.suffix.lower() == ".parquet":
            text = pl.read_parquet_metadata(path).get("tariffs.provenance", "{}")
            return _provenance(path, json.loads(text)), lambda: pl.read_parquet(path)
        if path.suffix.lower() == ".csv":
            provenance_file = _beside(path)
            provenance = _provenance(path, json.loads(provenance_file.read_text(encoding="utf-8")))
            return provenance, lambda: _read_csv(path)
        written = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise _no_result(path, "it is not a JSON document") from error
    except OSError as error:
        raise _no_result(path, f"it cannot be read ({error.strerror or error})") from error
    except (ValueError, pl.exceptions.PolarsError) as error:
        raise _no_result(path, str(error)) from error
    embedded = written.get("provenance") if isinstance(written, Mapping) else None
    return _provenance(path, embedded), lambda: _groups(written)


def _beside(path: Path) -> Path:
    """Find the file with the provenance of a CSV file, which `-o` and `--lines` write next to it."""
    beside = path.with_name(path.name + ".provenance.json")
    if path.is_file() and not beside.exists():
        raise _no_result(path, f"its provenance file {beside.name} is missing")
    return beside


def _read_csv(source: Path | bytes) -> pl.DataFrame:
    return pl.read_csv(source, infer_schema_length=None)


def _provenance(path: Path, document: object) -> Provenance:
    if not isinstance(document, Mapping):
        raise _no_result(path, "it has no provenance")
    return document


def _groups(document: Mapping[str, Any]) -> pl.DataFrame:
    """Collect the group rows of a JSON document, or the years of a score, of all its scenarios if it has some."""
    if "scenarios" not in document:
        return pl.DataFrame(document["groups"], infer_schema_length=None)
    rows = [
        {"scenario": block["id"], **({"on": block["on"]} if "on" in block else {}), **row}
        for block in document["scenarios"]
        for row in block.get("years") or block["groups"]
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _frame(path: Path, rows: Rows) -> pl.DataFrame:
    try:
        return rows()
    except KeyError as error:
        raise _no_result(path, f"it has no entry {error}") from error
    except (OSError, ValueError, TypeError, pl.exceptions.PolarsError) as error:
        raise _no_result(path, f"its rows cannot be read ({error})") from error


def _no_result(path: Path, why: str) -> InvalidRequest:
    return InvalidRequest(
        "TABLE_UNREADABLE",
        f"{path} is not a result that can be run again: {why}.",
        field="result",
        fix=f"Give a result of {_REPLAYED}: Parquet or CSV with its provenance, or the JSON document. Others do not "
        "contain their call: make it again.",
    )


def _under_its_law(
    client: ReplayClient, call: Mapping[str, Any], provenance: Provenance
) -> Mapping[str, Any]:
    """Return the call under the law of the result, if the client uses it or can name it, else raise NotFound."""
    law = client.law()
    if law.digest != provenance.get("law_digest"):
        exact = exact_law(provenance)
        try:
            client.law(law_version=exact)
        except TariffsError:
            raise _no_law(law, provenance) from None
        return {**call, "options": {**call["options"], LAW_VERSION: exact}}
    # A result of an exact law was perhaps asked for as `latest`, which may be another law by now.
    options = {name: value for name, value in call["options"].items() if name != LAW_VERSION}
    return {**call, "options": options}


def exact_law(provenance: Mapping[str, object]) -> str:
    """Name the law of a result for good."""
    return f"{provenance.get('law_version')}@{provenance.get('law_digest')}"


def _no_law(law: Law, provenance: Provenance) -> NotFound:
    version, release = provenance.get("law_version"), provenance.get("engine_version")
    return NotFound(
        "LAW_VERSION_NOT_FOUND",
        f"The result was made under the law {version} ({str(provenance.get('law_digest'))[:12]}); "
        f"this is {law.version} ({law.digest[:12]}).",
        code="NOT_FOUND",
        fix=f"Ask a server that has that law (`tariffs law versions`), or install release {release} of tariffs.",
        metadata={"law_version": str(version), "release": str(release)},
    )


def _changed(before: Provenance, after: Provenance) -> list[str]:
    return [
        f"{word}: was {before.get(name)}, is {after.get(name)}"
        for name, word in _INPUTS
        if before.get(name) != after.get(name)
    ]


def _like(frame: pl.DataFrame, other: pl.DataFrame) -> bool:
    return set(frame.columns) == set(other.columns)


def _same(before: pl.DataFrame, after: pl.DataFrame) -> bool:
    if before.height != after.height:
        return False
    return before.equals(after.select(before.columns).cast(before.schema), null_equal=True)


def _largest(before: pl.DataFrame, after: pl.DataFrame) -> float | None:
    """Compute the largest relative difference of a number; None if the rows are not of the same groups."""
    numbers = [name for name, kind in before.schema.items() if kind.is_float()]
    keys = [name for name in before.columns if name not in numbers]
    if before.height != after.height or not before.select(keys).equals(
        after.select(keys).cast(before.select(keys).schema)
    ):
        return None
    gaps = [((after[name] - before[name]).abs() / before[name].abs().clip(1.0)).max() for name in numbers]
    return max((float(cast(float, gap)) for gap in gaps if gap is not None), default=0.0)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if isinstance(value, Sequence):
        return list(value)
    return str(value) if isinstance(value, Path) else arguments.day(value, "date")
