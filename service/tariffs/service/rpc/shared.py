"""Helpers of all methods: scenarios of a request, laws under scenarios, notes, provenance."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.base.provenance import law_facts
from tariffs.engine.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.scenario import (
    Scenario,
    apply_scenario,
    fill_parameters,
    library,
    parse_scenario,
    scenario_facts,
)
from tariffs.engine.scenario.named import find
from tariffs.service.rpc.checks import DOCUMENT_LIMIT, word, words
from tariffs.service.rpc.laws import FIELD, LAWS
from tariffs.service.rpc.scenario_refs import add_stored
from tariffs.service.wire import arrow
from tariffs.service.wire.status import too_large
from tariffs.v1 import common_pb2

BASE = "base"
LAWS_KEPT = 32
BASES_KEPT = 4
"""Laws whose forms under scenarios and switches are kept: a server that gets new law every week must not grow."""
_TEXTS = (
    "law_version", "law_digest", "law_read_to", "engine_version", "known_on", "table_digest", "parameter_digest",
    "run_digest",
)  # fmt: skip
_STORED: BoundedCache[str, Scenario] = BoundedCache(32)
"""Stored scenarios by their texts: calls name the same ones again and again."""
_OWN_FIELDS = frozenset({*_TEXTS, "scenarios", "switches", "bases"})


def scenario_of(ref: common_pb2.ScenarioRef, field: str) -> Scenario:
    """Return the scenario that a request names or contains, by default BASE. Names never reach the disk.

    Raises:
        ScenarioError: SCENARIO_NOT_FOUND, or an invalid text.
        InputError: BATCH_TOO_LARGE for a text over 1 MiB.
    """
    if ref.WhichOneof("scenario") != "yaml":
        return named_scenario(word(ref.name, field) or BASE, field)
    if ref.stored_name:
        return _STORED.get(ref.yaml, lambda: parse_scenario(ref.yaml, field))
    return parse_scenario(document(ref.yaml, field), field)


def filled_scenario(request: Any) -> Scenario:
    """Return the scenario of a request, any parameters filled in; raises as `scenario_of` and `filled`."""
    values = getattr(request, "parameters", {})
    return filled([scenario_of(request.scenario, "scenario")], values, "parameters")[0]


def law_asked(request: Any) -> tuple[Scenario, Law]:
    """Return the scenario of a request and the law under it; raises as `filled_scenario` and `law_under`."""
    scenario, confidence = filled_scenario(request), getattr(request, "min_confidence", "")
    return scenario, law_under(request.law_version, scenario, request.switches, confidence)


def filled(scenarios: Sequence[Scenario], values: Mapping[str, str], field: str) -> list[Scenario]:
    """Fill in the parameters of the scenarios of a request: a value fills each scenario that declares it.

    Raises:
        ScenarioError: PARAMETER_UNKNOWN or PARAMETER_INVALID.
        InputError: REQUEST_INVALID for too many or too long values.
    """
    return fill_parameters(scenarios, words(values, field))


def named_scenario(name: str, field: str) -> Scenario:
    """Return the library scenario of a name; raises ScenarioError SCENARIO_NOT_FOUND with the nearest names."""
    return find(name, library(), field)


class LawKey(NamedTuple):
    """Cache key of a law; laws and scenarios compare by content."""

    law: str
    id: str
    digest: str
    settings: tuple[tuple[str, str], ...]
    min_confidence: str


_LAWS: BoundedCache[LawKey, Law] = BoundedCache(LAWS_KEPT)


def law_key(law: Law, scenario: Scenario, switches: Mapping[str, str], min_confidence: str) -> LawKey:
    """Make the key of a law under a scenario, with switches set and acts of at least `min_confidence`."""
    settings = tuple(sorted(words(switches, "switches").items()))
    return LawKey(law.digest, scenario.id, scenario.digest, settings, word(min_confidence, "min_confidence"))


def law_under(version: str, scenario: Scenario, switches: Mapping[str, str], min_confidence: str) -> Law:
    """Return the law of a version as in `law_key`, made if it is not cached.

    Raises:
        LawError: LAW_VERSION_NOT_FOUND.
        ScenarioError: the scenario cannot be applied.
    """
    law = LAWS.named(version)
    key = law_key(law, scenario, switches, min_confidence)
    return _LAWS.get(key, lambda: _make_law(key, law, scenario))


def law_of(key: LawKey) -> Law | None:
    """Return the law of a key if it is cached."""
    return _LAWS.find(key)


_BASES: OrderedDict[str, None] = OrderedDict()
_BASES_LOCK = threading.Lock()


def _keep_base(digest: str) -> None:
    """Note the use of a law, and forget the forms of the one that was made least recently, if there are too many."""
    with _BASES_LOCK:
        _BASES[digest] = None
        _BASES.move_to_end(digest)
        oldest = _BASES.popitem(last=False)[0] if len(_BASES) > BASES_KEPT else ""
    if oldest:
        _LAWS.drop(lambda key: key.law == oldest)


def _make_law(key: LawKey, law: Law, scenario: Scenario) -> Law:
    _keep_base(key.law)
    law = law.with_switches(dict(key.settings))
    law = apply_scenario(law.with_min_conf(key.min_confidence) if key.min_confidence else law, scenario)
    # Segments are computed before the law is cached: a cached law is used on the event loop.
    law.moment(law.coverage[0])
    return law


def document(text: str, field: str) -> str:
    """Return a text; raises InputError BATCH_TOO_LARGE above DOCUMENT_LIMIT bytes."""
    size = len(text.encode())
    if size > DOCUMENT_LIMIT:
        raise too_large(
            f"{field} has {size:,} bytes; the limit is {DOCUMENT_LIMIT:,}.",
            field,
            "Split it into scenarios, and name them as parents.",
            size,
            DOCUMENT_LIMIT,
        )
    return text


def notes_of(notes: Iterable[Note]) -> list[common_pb2.Note]:
    """Convert notes to messages."""
    return [common_pb2.Note(reason=note.reason, message=note.message) for note in notes]


def provenance_of(facts: Mapping[str, Any], request: Message) -> common_pb2.Provenance:
    """Convert provenance to a message: known facts in their fields, the others under `details`.

    Without a run digest of the engine, the request and the facts are digested.
    """
    texts: dict[str, Any] = {name: str(facts[name]) for name in _TEXTS if facts.get(name)}
    message = common_pb2.Provenance(
        **texts,
        scenarios=[common_pb2.ScenarioDigest(id=i, digest=d) for i, d in facts.get("scenarios", {}).items()],
        switches=facts.get("switches", {}),
        bases=_listed(facts.get("bases", ())),
    )
    add_stored(message, request)
    details = {
        name: value for name, value in facts.items() if name not in _OWN_FIELDS and value not in (None, "")
    }
    ParseDict(json.loads(json.dumps(details, default=str)), message.details)
    if not message.run_digest:
        message.run_digest = digest_of(request, message.SerializeToString(deterministic=True))
    return message


def law_provenance(
    law: Law, request: Message, scenarios: Iterable[Scenario] = (), **more: Any
) -> common_pb2.Provenance:
    """Make the provenance of a response that depends on the law, scenarios and `more` facts."""
    return provenance_of({**law_facts(law), **scenario_facts(scenarios), **more}, request)


def first_rows(frame: pl.DataFrame, limit: int) -> tuple[bytes, int]:
    """Encode as many rows as fit; return them and the number of rows left off."""
    data = next(arrow.batches(frame, limit))
    return data, frame.height - pl.read_ipc_stream(io.BytesIO(data)).height


def instant_text(instant: datetime | None, zone: ZoneInfo) -> str:
    """Format an instant as ISO text in a time zone; empty for None."""
    return instant.astimezone(zone).isoformat(timespec="minutes") if instant else ""


def digest_of(request: Message, provenance: bytes) -> str:
    """Digest a request and the serialized provenance of its response, which has no run digest yet.

    The provenance says which law it was, so the name by which the request asked for it does not count.
    """
    data = _without_law_version(request).SerializeToString(deterministic=True)
    parts = (request.DESCRIPTOR.full_name.encode(), b"\0", _sized(data), _sized(provenance))
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _without_law_version(request: Any) -> Message:
    if not getattr(request, FIELD, ""):
        asked: Message = request
        return asked
    copy: Message = type(request)()
    copy.CopyFrom(request)
    copy.ClearField(FIELD)
    return copy


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(8, "big") + data


def _listed(bases: Any) -> list[str]:
    if isinstance(bases, Mapping):
        return [f"{name}: {value}" for name, value in bases.items()]
    return [bases] if isinstance(bases, str) else [str(item) for item in bases or ()]
