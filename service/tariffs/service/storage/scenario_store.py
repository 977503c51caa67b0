"""Store of scenarios that callers keep on the server, with all their versions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from tariffs.engine.errors import InputError, ScenarioError, ServiceError
from tariffs.service.settings.settings import State
from tariffs.service.storage.access import check_change, check_group, count_owned, listed, visible
from tariffs.service.storage.database import Database
from tariffs.service.storage.scenario_events import (
    CHECKED,
    DELETED,
    SAVED,
    SCENARIO_CHECKS,
    SCENARIO_VERSIONS,
    SCENARIOS,
    SHARED,
    add_event,
)
from tariffs.service.storage.scenario_names import StoredName, StoredText, StoredVersion, name_of, not_found
from tariffs.service.wire.identity import Caller

VERSIONS_LIMIT = 500


class ScenarioStore:
    """Stored scenarios. Every method blocks."""

    def __init__(self, database: Database, settings: State) -> None:
        self._database = database
        self._per_owner = settings.scenarios_per_owner

    def save(self, who: Caller, owner: str, text: StoredText, etag: str) -> StoredVersion:
        """Store a text as a new scenario, or as the next version of one; the text of the newest changes nothing.

        Raises:
            ScenarioError: SCENARIO_CHANGED if the etag is not that of the scenario; SCENARIO_NOT_FOUND.
            InputError: SCENARIO_EXISTS without an etag.
            ServiceError: NOT_ALLOWED, ROW_QUOTA.
        """
        owner = owner or who.owner
        name = StoredName(text.name, owner)
        check_change(who, owner, name_of(owner, text.name))
        with self._database.turn() as connection:
            found = _newest(connection, SCENARIOS.c.owner == owner, SCENARIOS.c.name == text.name)
            now = self._database.now(connection)
            if not found and etag:
                raise not_found(name_of(owner, text.name), "etag")
            if not found:
                self._check_room(connection, owner)
                row = {"owner": owner, "name": text.name, "version": 1, "changes": 1}
                connection.execute(SCENARIOS.insert().values(**row, shared_with="", created=now))
            elif found[0].text == text.text:
                # Also a call sent again whose answer was lost, with the etag of before.
                return found[0]
            else:
                self._follow(connection, found[0], etag)
            version = found[0].version + 1 if found else 1
            _add_version(connection, owner, text, version, now)
            add_event(connection, _found(connection, who, name), SAVED, now)
        return self.find(who, name)

    def find(self, who: Caller, wanted: StoredName, field: str = "name") -> StoredVersion:
        """Return a version of a scenario that a caller may see.

        Raises:
            ScenarioError: SCENARIO_NOT_FOUND, or SCENARIO_CHANGED if it has another digest.
            InputError: REQUEST_INVALID if several owners share one of this name.
        """
        with self._database.read() as connection:
            return _found(connection, who, wanted, field)

    def page(self, who: Caller, size: int, after: tuple[str, str]) -> list[StoredVersion]:
        """Return the newest versions of scenarios that a caller may see, by owner and name, beyond `after`."""
        key = sa.tuple_(SCENARIOS.c.owner, SCENARIOS.c.name)
        with self._database.read() as connection:
            return _newest(connection, listed(SCENARIOS, who), key > sa.tuple_(*after), limit=size)

    def versions(self, who: Caller, wanted: StoredName) -> list[StoredVersion]:
        """Return all versions of a scenario, newest first; raises as `find`."""
        with self._database.read() as connection:
            newest = _found(connection, who, wanted)
            mine = (SCENARIOS.c.owner == newest.owner, SCENARIOS.c.name == newest.name)
            return _read(connection, SCENARIO_VERSIONS.c.version <= newest.version, *mine)

    def share(self, who: Caller, wanted: StoredName, group: str, etag: str) -> StoredVersion:
        """Share a scenario with a group, or with nobody for the empty one.

        Raises:
            ScenarioError: SCENARIO_NOT_FOUND, SCENARIO_CHANGED.
            ServiceError: NOT_ALLOWED if it is another caller's, or the caller is not in the group.
        """
        check_group(who, group, "group")
        with self._database.turn() as connection:
            found = _owned(connection, who, wanted, "")
            if found.shared_with == group:
                return found
            if etag:
                _check_etag(found, etag)
            values = {"shared_with": group, "changes": SCENARIOS.c.changes + 1}
            connection.execute(SCENARIOS.update().where(*_row(SCENARIOS, found)).values(values))
            # Members of both groups learn of it.
            for told in dict.fromkeys((found.shared_with or group, group or found.shared_with)):
                add_event(connection, found, SHARED, self._database.now(connection), shared_with=told)
        return self.find(who, StoredName(found.name, found.owner))

    def delete(self, who: Caller, wanted: StoredName, etag: str) -> None:
        """Delete a scenario with its versions; raises as `share`."""
        with self._database.turn() as connection:
            found = _owned(connection, who, wanted, etag)
            for table in (SCENARIO_CHECKS, SCENARIO_VERSIONS, SCENARIOS):
                connection.execute(table.delete().where(*_row(table, found)))
            add_event(connection, found, DELETED, self._database.now(connection))

    def unchecked(self, law_digest: str) -> list[StoredVersion]:
        """Return the newest versions that have not been checked under a law."""
        done = sa.select(SCENARIO_CHECKS.c.version).where(
            SCENARIO_CHECKS.c.owner == SCENARIOS.c.owner,
            SCENARIO_CHECKS.c.name == SCENARIOS.c.name,
            SCENARIO_CHECKS.c.version == SCENARIOS.c.version,
            SCENARIO_CHECKS.c.law_digest == law_digest,
        )
        with self._database.read() as connection:
            return _newest(connection, ~sa.exists(done))

    def add_check(self, scenario: StoredVersion, law_digest: str, result: bytes, *, is_news: bool) -> None:
        """Store the result of a check, and an event if it is news; the first server that stores one wins."""
        with self._database.turn() as connection:
            mine = _row(SCENARIO_CHECKS, scenario)
            same = (SCENARIO_CHECKS.c.version == scenario.version, SCENARIO_CHECKS.c.law_digest == law_digest)
            known = connection.execute(sa.select(SCENARIO_CHECKS).where(*mine, *same)).one_or_none()
            newest = _newest(connection, *_row(SCENARIOS, scenario))
            if known is not None or not newest or newest[0].version != scenario.version:
                return
            now = self._database.now(connection)
            _add_check(connection, scenario.owner, scenario.name, scenario.version, law_digest, result, now)
            if is_news:
                add_event(connection, newest[0], CHECKED, now, result=result)

    def _check_room(self, connection: sa.Connection, owner: str) -> None:
        if count_owned(connection, SCENARIOS, owner) >= self._per_owner:
            raise _quota(
                f"You have {self._per_owner:,} stored scenarios, the limit of an owner.", self._per_owner
            )

    @staticmethod
    def _follow(connection: sa.Connection, found: StoredVersion, etag: str) -> None:
        if not etag:
            raise InputError(
                "SCENARIO_EXISTS",
                f"There is a stored scenario {found.full_name}, version {found.version}.",
                field="etag",
                fix="Give its etag to store the next version.",
                metadata={"etag": found.etag},
            )
        _check_etag(found, etag)
        if found.version >= VERSIONS_LIMIT:
            raise _quota(f"{found.full_name} has {VERSIONS_LIMIT:,} versions, the limit.", VERSIONS_LIMIT)
        values = {"version": found.version + 1, "changes": SCENARIOS.c.changes + 1}
        connection.execute(SCENARIOS.update().where(*_row(SCENARIOS, found)).values(values))


def _add_version(connection: sa.Connection, owner: str, text: StoredText, version: int, now: float) -> None:
    row = {"owner": owner, "name": text.name, "version": version, "title": text.title, "digest": text.digest}
    connection.execute(SCENARIO_VERSIONS.insert().values(**row, text=text.text, stored=now))
    _add_check(connection, owner, text.name, version, text.law_digest, text.result, now)


def _add_check(
    connection: sa.Connection, owner: str, name: str, version: int, law_digest: str, result: bytes, now: float
) -> None:
    row = {"owner": owner, "name": name, "version": version, "law_digest": law_digest}
    connection.execute(SCENARIO_CHECKS.insert().values(**row, result=result, checked=now))


def _row(table: sa.Table, scenario: StoredVersion) -> tuple[Any, ...]:
    return (table.c.owner == scenario.owner, table.c.name == scenario.name)


def _newest(connection: sa.Connection, *conditions: Any, limit: int | None = None) -> list[StoredVersion]:
    return _read(connection, SCENARIO_VERSIONS.c.version == SCENARIOS.c.version, *conditions, limit=limit)


def _read(connection: sa.Connection, *conditions: Any, limit: int | None = None) -> list[StoredVersion]:
    """Read versions with their newest checks, by owner and name, and of one scenario the newest first."""
    checks = SCENARIO_CHECKS.alias()
    result = (
        sa.select(checks.c.result)
        .where(
            checks.c.owner == SCENARIO_VERSIONS.c.owner,
            checks.c.name == SCENARIO_VERSIONS.c.name,
            checks.c.version == SCENARIO_VERSIONS.c.version,
        )
        .order_by(checks.c.checked.desc())
        .limit(1)
        .scalar_subquery()
    )
    heads = (SCENARIOS.c.created, SCENARIOS.c.changes, SCENARIOS.c.shared_with)
    joined = sa.and_(
        SCENARIOS.c.owner == SCENARIO_VERSIONS.c.owner, SCENARIOS.c.name == SCENARIO_VERSIONS.c.name
    )
    query = (
        sa.select(SCENARIO_VERSIONS, *heads, result.label("result"))
        .select_from(SCENARIO_VERSIONS.join(SCENARIOS, joined))
        .where(*conditions)
        .order_by(SCENARIO_VERSIONS.c.owner, SCENARIO_VERSIONS.c.name, SCENARIO_VERSIONS.c.version.desc())
        .limit(limit)
    )
    return [StoredVersion(**row._mapping) for row in connection.execute(query)]


def _found(connection: sa.Connection, who: Caller, wanted: StoredName, field: str = "name") -> StoredVersion:
    text = name_of(wanted.owner or who.owner, wanted.name)
    named = SCENARIOS.c.name == wanted.name
    owners = (
        [visible(SCENARIOS, who), SCENARIOS.c.owner == wanted.owner]
        if wanted.owner
        else [listed(SCENARIOS, who)]
    )
    found = _newest(connection, named, *owners)
    if not wanted.owner:
        found = [one for one in found if one.owner == who.owner] or found
    if len(found) > 1:
        names = ", ".join(one.full_name for one in found)
        raise InputError(
            "REQUEST_INVALID",
            f"Several are shared with you: {names}.",
            field=field,
            fix="Name one with its owner.",
        )
    if found and wanted.version not in (0, found[0].version):
        found = _read(connection, SCENARIO_VERSIONS.c.version == wanted.version, *_row(SCENARIOS, found[0]))
    if not found:
        raise not_found(f"{text}@{wanted.version}" if wanted.version else text, field)
    if not found[0].digest.startswith(wanted.digest):
        raise ScenarioError(
            "SCENARIO_CHANGED",
            f"{found[0].full_name}, version {found[0].version}, has the digest {found[0].digest}, not {wanted.digest}.",
            path=field,
            fix="`tariffs scenario versions` lists the versions with their digests; pin one with @VERSION.",
            metadata={"digest": found[0].digest, "version": str(found[0].version)},
        )
    return found[0]


def _owned(connection: sa.Connection, who: Caller, wanted: StoredName, etag: str) -> StoredVersion:
    found = _found(connection, who, StoredName(wanted.name, wanted.owner))
    check_change(who, found.owner, found.full_name)
    if etag:
        _check_etag(found, etag)
    return found


def _check_etag(found: StoredVersion, etag: str) -> None:
    if etag != found.etag:
        raise ScenarioError(
            "SCENARIO_CHANGED",
            f"{found.full_name} was changed meanwhile: it has version {found.version} and the etag {found.etag}.",
            path="etag",
            fix="Read it again, and repeat your change on what it is now.",
            metadata={"etag": found.etag, "version": str(found.version)},
        )


def _quota(message: str, limit: int) -> ServiceError:
    fix = "Delete scenarios you no longer need."
    return ServiceError("ROW_QUOTA", message, fix=fix, metadata={"limit": str(limit)})
