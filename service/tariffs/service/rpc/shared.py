"""What all calls share: scenarios of a request, notes, provenance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.base.provenance import law_facts
from tariffs.engine.errors import InputError
from tariffs.engine.law import Law, load_law
from tariffs.engine.law.notes import Note
from tariffs.engine.scenario import Scenario, apply_scenario, library, parse_scenario
from tariffs.engine.scenario.named import find
from tariffs.service.rpc.checks import DOCUMENT_LIMIT, word, words
from tariffs.v1 import common_pb2

BASE = "base"
LAWS_KEPT = 32
_TEXTS = (
    "law_version",
    "law_digest",
    "law_read_to",
    "engine_version",
    "known_on",
    "table_digest",
    "parameter_digest",
    "run_digest",
)
_OWN_FIELDS = frozenset({*_TEXTS, "scenarios", "switches", "bases"})


def scenario_of(ref: common_pb2.ScenarioRef, field: str) -> Scenario:
    """The scenario a request names or brings; the law as it is if it does neither. Names never reach the disk.

    Raises:
        ScenarioError: SCENARIO_NOT_FOUND, or what is wrong with the text.
        InputError: BATCH_TOO_LARGE for a text over 1 MiB.
    """
    if ref.WhichOneof("scenario") != "yaml":
        return named_scenario(word(ref.name, field) or BASE, field)
    return parse_scenario(document(ref.yaml, field), field)


def named_scenario(name: str, field: str) -> Scenario:
    """The scenario of that name in the library; raises ScenarioError SCENARIO_NOT_FOUND with the nearest names."""
    return find(name, library(), field)


@dataclass(frozen=True, slots=True)
class LawKey:
    """What tells laws apart; scenarios compare by what they say."""

    id: str
    digest: str
    settings: tuple[tuple[str, str], ...]
    min_confidence: str


_LAWS: BoundedCache[LawKey, Law] = BoundedCache(LAWS_KEPT)


def law_key(scenario: Scenario, switches: Mapping[str, str], min_confidence: str) -> LawKey:
    """Names the law under a scenario, with doubtful facts as a request sets them and only acts of a confidence or
    better.
    """
    settings = tuple(sorted(words(switches, "switches").items()))
    return LawKey(scenario.id, scenario.digest, settings, word(min_confidence, "min_confidence"))


def law_under(scenario: Scenario, switches: Mapping[str, str], min_confidence: str) -> Law:
    """The law that `law_key` names."""
    key = law_key(scenario, switches, min_confidence)
    return _LAWS.get(key, lambda: _make_law(key, scenario))


def law_of(key: LawKey) -> Law | None:
    """The law of a name if it is in memory."""
    return _LAWS.find(key)


def _make_law(key: LawKey, scenario: Scenario) -> Law:
    law = load_law().with_switches(dict(key.settings))
    made = apply_scenario(law.with_min_conf(key.min_confidence) if key.min_confidence else law, scenario)
    # Laid out before the law can be found: who finds one looks up its segments, on the event loop.
    made.moment(made.coverage[0])
    return made


def document(text: str, field: str) -> str:
    """A text of at most 1 MiB."""
    size = len(text.encode())
    if size > DOCUMENT_LIMIT:
        raise InputError(
            "BATCH_TOO_LARGE",
            f"{field} has {size:,} bytes; the limit is {DOCUMENT_LIMIT:,}.",
            field=field,
            fix="Split it, using parents.",
            metadata={"limit": str(DOCUMENT_LIMIT), "found": str(size)},
        )
    return text


def notes_of(notes: Iterable[Note]) -> list[common_pb2.Note]:
    """Notes as messages."""
    return [common_pb2.Note(reason=note.reason, message=note.message) for note in notes]


def provenance_of(facts: Mapping[str, Any], request: Message) -> common_pb2.Provenance:
    """Provenance as a message: known facts in fields of their own, the others under `details`.

    The engine's run digest stands where it gives one; else it is taken from the request and the facts.
    """
    texts: dict[str, Any] = {name: str(facts[name]) for name in _TEXTS if facts.get(name)}
    message = common_pb2.Provenance(
        **texts,
        scenarios=[common_pb2.ScenarioDigest(id=i, digest=d) for i, d in facts.get("scenarios", {}).items()],
        switches=facts.get("switches", {}),
        bases=_listed(facts.get("bases", ())),
    )
    details = {
        name: value for name, value in facts.items() if name not in _OWN_FIELDS and value not in (None, "")
    }
    ParseDict(_plain(details), message.details)
    if not message.run_digest:
        message.run_digest = run_digest(message, request)
    return message


def law_provenance(law: Law, request: Message, scenarios: Iterable[Scenario] = ()) -> common_pb2.Provenance:
    """Provenance of an answer that depends on the law, and perhaps scenarios, alone."""
    facts: dict[str, Any] = {
        **law_facts(law),
        "scenarios": {scenario.id: scenario.digest for scenario in scenarios},
    }
    return provenance_of(facts, request)


def day_text(day: date | None) -> str:
    """A day as ISO text; empty where there is none."""
    return day.isoformat() if day else ""


def instant_text(instant: datetime | None, zone: ZoneInfo) -> str:
    """An instant as ISO text on a clock; empty where there is none."""
    return instant.astimezone(zone).isoformat(timespec="minutes") if instant else ""


def run_digest(provenance: common_pb2.Provenance, request: Message) -> str:
    """The digest of a request and of the provenance of its answer, which has no digest yet."""
    return digest_of(request, provenance.SerializeToString(deterministic=True))


def digest_of(request: Message, provenance: bytes) -> str:
    """As `run_digest`, of a provenance that is already serialized."""
    asked = request.SerializeToString(deterministic=True)
    parts = (request.DESCRIPTOR.full_name.encode(), b"\0", _sized(asked), _sized(provenance))
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(8, "big") + data


def _listed(bases: Any) -> list[str]:
    if isinstance(bases, Mapping):
        return [f"{name}: {value}" for name, value in bases.items()]
    return [bases] if isinstance(bases, str) else [str(item) for item in bases or ()]


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


__all__ = [
    "LawKey",
    "day_text",
    "digest_of",
    "document",
    "instant_text",
    "law_key",
    "law_of",
    "law_provenance",
    "law_under",
    "named_scenario",
    "notes_of",
    "provenance_of",
    "run_digest",
    "scenario_of",
]
