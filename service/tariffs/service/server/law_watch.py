"""Watch the directory of law packs: check new packs, warm what will answer by them, then serve them.

A pack that is refused changes nothing. All work is done in one thread and in processes of their own, so that the event
loop never waits; several servers of one state directory check a pack once.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from tariffs.engine.errors import InputError, LawError, ServiceError, TariffsError
from tariffs.engine.law.pack.archive import pack_fault
from tariffs.service.rpc.law import UnservedPack
from tariffs.service.rpc.laws import LAWS, ServedLaw, is_minimum
from tariffs.service.server.law_check import check_in_process, check_key, error_of
from tariffs.service.server.law_directory import LawDirectory, PackEntry
from tariffs.service.server.watched_file import LOOK_SECONDS, look_every_second
from tariffs.service.settings.settings import Settings
from tariffs.service.storage.storage import Storage

SETTLE_SECONDS = 2.0
"""Seconds from the end of a check, or from the look that found a pack checked before, to the moment when servers that
share a port begin to serve its law together.

From the check on, and as long after it is served no more, calls may name its version at each of them.
"""
STEADY_SECONDS = 0.5
"""Seconds between the two looks at which a new file must be the same."""
WARM_SECONDS = 1.5
"""Seconds that a law waits at most for its warm-up, which goes on while it is served: on busy cores it takes many."""
_TOUCH_LOOKS = 60
_log = structlog.get_logger("tariffs.service")
Warm = Callable[[ServedLaw], None]


@dataclass(frozen=True, slots=True)
class _Found:
    """Pack that passed its check: its law, and the moment from which it may be served."""

    served: ServedLaw
    serve_at: float


class LawWatch:
    """Serves the packs of a directory; without one, the law built in alone.

    Args:
        warm: each works out, in a thread of its own, a part of what calls need of a law that will be the newest.
        settle_seconds: seconds between the end of a check and the service of its law.
    """

    def __init__(
        self, settings: Settings, storage: Storage, warm: Collection[Warm], settle_seconds: float
    ) -> None:
        self._settings = settings
        self._storage = storage
        self._warm = warm
        self._settle_seconds = settle_seconds
        self._directory = LawDirectory(settings.law_dir)
        self._seen: Mapping[str, PackEntry] = {}
        self._done: dict[str, PackEntry] = {}
        self._served: dict[str, ServedLaw] = {}
        self._kept: dict[str, ServedLaw] = {}
        self._leaving: dict[str, float] = {}
        self._unserved: dict[str, UnservedPack] = {}
        self._child: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._looks = 0
        self._lacking = ""
        self.generation = 0

    @property
    def unserved(self) -> tuple[UnservedPack, ...]:
        """Packs that are being checked or were refused, by name."""
        return tuple(one for _, one in sorted(self._unserved.items()))

    def counts(self) -> Mapping[str, int]:
        """Count the laws served, the packs that are being checked, and those refused."""
        refused = sum(one.error is not None for one in self.unserved)
        return {"served": len(LAWS.served), "loading": len(self._unserved) - refused, "refused": refused}

    @property
    def fault(self) -> str:
        """Why packs cannot be found, or the default is not there at the start; empty if all is well."""
        return self._directory.fault or self._lacking

    async def open(self) -> None:
        """Serve the packs that are there at the start, and choose the default.

        Waits until the directory has been read and has the least version that the default requires: a server that has
        not seen its packs must not answer by an older law.

        Raises:
            InputError: SETTING_INVALID if the default is a version that is not there.
        """
        LAWS.store = self._storage.laws
        while True:
            await asyncio.to_thread(self.first_look)
            if not self.fault:
                return
            await asyncio.sleep(LOOK_SECONDS)

    def first_look(self) -> None:
        """Serve the packs that are there and choose the default; `fault` says what is missing.

        Raises:
            InputError: SETTING_INVALID if the default is a version that is not there.
        """
        found = self._directory.entries()
        if found is None:
            return
        self._seen = found
        self._look(found, 0.0)
        self._choose_default()

    def _choose_default(self) -> None:
        name = self._settings.law_default
        try:
            LAWS.choose_default(name)
        except LawError as error:
            message = f"TARIFFS_LAW_DEFAULT is {name}: {error.message}"
            if not is_minimum(name):
                raise InputError("SETTING_INVALID", message, fix=error.fix) from None
            if message != self._lacking:
                _log.error("law not there", message=message, fix=error.fix)
            self._lacking = message
        else:
            self._lacking = ""

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look every second while the context is open."""
        looking = asyncio.create_task(self._keep_looking())
        try:
            yield
        finally:
            looking.cancel()

    async def _keep_looking(self) -> None:
        if self._settings.law_dir is not None:
            await look_every_second(self.look)

    def close(self) -> None:
        """End a check, and let go of the laws served."""
        self._stopped = True
        if self._child is not None:
            self._child.kill()
        LAWS.choose_default("builtin")
        served = (*self._served.values(), *self._kept.values(), *LAWS.coming)
        LAWS.withdraw({*self._leaving, *(one.digest for one in served)})

    def look(self) -> None:
        """Serve the packs that have come and are written whole, and withdraw those that are gone."""
        began = time.time()
        self._let_go()
        found = self._directory.entries()
        if found is not None and any(self._done.get(name) != entry for name, entry in found.items()):
            self._seen = found
            time.sleep(STEADY_SECONDS)
            found = self._directory.entries()
        if found is None:
            return
        # A file that still grows has another signature at the next look.
        steady = {name: entry for name, entry in found.items() if self._seen.get(name) == entry}
        self._seen = found
        self._look({name: found[name] for name in found if name in steady or name in self._done}, began)
        self._looks += 1
        if self._looks % _TOUCH_LOOKS == 0:
            for digest in self._digests():
                self._storage.laws.touch(digest)

    def _look(self, found: Mapping[str, PackEntry], began: float) -> None:
        new = [name for name, entry in found.items() if self._done.get(name) != entry]
        gone = [name for name in sorted({*self._done, *self._unserved}) if name not in found]
        if not new and not gone:
            return
        checked = [one for name in new if (one := self._checked(name, found[name], began)) is not None]
        self._serve(checked)
        self._forget(gone)

    # -- one pack ----------------------------------------------------------------------------------------------

    def _checked(self, name: str, entry: PackEntry, began: float) -> _Found | None:
        # One that is tried again each second stays refused meanwhile.
        if name in self._done or name not in self._unserved:
            self._note(UnservedPack(name, None, time.time()))
        self._done[name] = entry
        try:
            return self._check(name, entry, began)
        except ServiceError as error:
            self._try_again(name, error.message)
        except TariffsError as error:
            self._refuse(name, error)
        except OSError as error:
            self._try_again(name, f"it cannot be read or checked ({error})")
        return None

    def _check(self, name: str, entry: PackEntry, began: float) -> _Found:
        if entry.fault:
            raise pack_fault(name, entry.fault, "Put a plain file in its place, or remove it.")
        pack = self._directory.read(name)
        verdict = self._verdict(name, pack)
        if "error" in verdict:
            raise error_of(verdict, name)
        facts = verdict["pack"]
        served = ServedLaw(
            version=facts["version"],
            digest=facts["digest"],
            as_of=facts["as_of"],
            read_to=facts["read_to"],
            pack=name,
            key_id=facts["key_id"],
            path=self._storage.laws.add(facts["digest"], pack),
            since=time.time(),
        )
        check_version(served)
        # Of a pack that was checked long ago, as one that comes back, the others learn in this second too.
        return _Found(served, max(verdict["time"], began) + self._settle_seconds)

    def _try_again(self, name: str, why: str) -> None:
        """Refuse a pack that may be read, or stored, at the next look."""
        del self._done[name]
        fix = "Give the server room and rights; it tries again each second."
        self._refuse(name, pack_fault(name, why.rstrip("."), fix))

    def _verdict(self, name: str, pack: bytes) -> dict[str, Any]:
        """Check a pack, or read the result of a check by another server or an earlier start."""

        def make() -> dict[str, Any]:
            # A copy, as the file may be replaced meanwhile.
            place = self._storage.incoming / uuid.uuid4().hex
            place.mkdir(parents=True)
            try:
                (place / name).write_bytes(pack)
                return check_in_process(place / name, self._settings, self._started)
            finally:
                shutil.rmtree(place, ignore_errors=True)

        return self._storage.law_checks.result(check_key(pack, self._settings), make)

    def _started(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child
        if self._stopped:
            child.kill()

    # -- what is served ----------------------------------------------------------------------------------------

    def _serve(self, checked: Iterable[_Found]) -> None:
        checked = [
            one for one in sorted(checked, key=lambda one: one.served.order) if self._admitted(one.served)
        ]
        if not checked:
            return
        newest = checked[-1]
        if newest.served.order > LAWS.served[0].order:
            LAWS.load(newest.served)
            self._warm_up(newest.served)
        for one in checked:
            while not self._stopped and time.time() < one.serve_at:
                time.sleep(min(LOOK_SECONDS, max(0.0, one.serve_at - time.time())))
            if self._stopped:
                return
            self._serve_one(one.served)

    def _warm_up(self, served: ServedLaw) -> None:
        """Begin to warm up for a law, and wait for some time."""

        def warm(one: Warm) -> None:
            try:
                one(served)
            except TariffsError as error:
                _log.warning("law not warmed", law=served.version, message=error.message)

        threads = [threading.Thread(target=warm, args=(one,), name="warm-law") for one in self._warm]
        deadline = time.monotonic() + WARM_SECONDS
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _admitted(self, served: ServedLaw) -> bool:
        """Let calls name a law that is not served yet; False if it is refused."""
        try:
            check_version(served)
        except LawError as error:
            self._refuse(served.pack, error)
            return False
        LAWS.admit(served)
        return True

    def _serve_one(self, served: ServedLaw) -> None:
        try:
            LAWS.serve(served)
        except TariffsError as error:
            LAWS.withdraw({served.digest})
            self._refuse(served.pack, error)
            return
        before = self._served.get(served.pack)
        self._served[served.pack] = served
        self._unserved.pop(served.pack, None)
        self.generation += 1
        _log.info("law served", law=served.version, digest=served.digest, pack=served.pack, key=served.key_id)
        if before is not None and before.digest != served.digest:
            self._withdraw(before)
        for kept in tuple(self._kept.values()):
            self._withdraw(kept)

    def _forget(self, names: Iterable[str]) -> None:
        for name in names:
            self._done.pop(name, None)
            self._unserved.pop(name, None)
            served = self._served.pop(name, None)
            if served is not None:
                self._withdraw(served)
            self.generation += 1

    def _withdraw(self, served: ServedLaw) -> None:
        was_kept = self._kept.pop(served.digest, None) is not None
        if served.digest in self._digests():
            return
        facts = {"law": served.version, "digest": served.digest, "pack": served.pack}
        try:
            LAWS.retire(served.digest)
        except LawError as error:
            # The default stays: calls without a name must be answered.
            self._kept[served.digest] = served
            if not was_kept:
                _log.warning("law kept", **facts, message=error.message)
        else:
            self._leaving[served.digest] = time.monotonic() + self._settle_seconds
            _log.info("law withdrawn", **facts)
            self._let_go()

    def _digests(self) -> set[str]:
        return {one.digest for one in self._served.values()}

    def _let_go(self) -> None:
        """End what calls may name, where no other process serves it any more."""
        due = {digest for digest, at in self._leaving.items() if time.monotonic() >= at}
        self._leaving = {digest: at for digest, at in self._leaving.items() if digest not in due}
        # One that has come back since is served.
        if over := due - self._digests():
            LAWS.withdraw(over)

    def _refuse(self, name: str, error: TariffsError) -> None:
        if not self._stopped and not self._is_refused(name, error):
            self._note(UnservedPack(name, error, time.time()))
            _log.error("law refused", pack=name, reason=error.reason, message=error.message, fix=error.fix)

    def _is_refused(self, name: str, error: TariffsError) -> bool:
        noted = self._unserved.get(name)
        return noted is not None and noted.error is not None and noted.error.message == error.message

    def _note(self, unserved: UnservedPack) -> None:
        self._unserved[unserved.pack] = unserved
        self.generation += 1


def check_version(served: ServedLaw) -> None:
    """Refuse a second law of a version, which must say for good which law it is; raises LawError LAW_PACK_INVALID."""
    for other in (*LAWS.served, *LAWS.coming):
        if other.version == served.version and other.digest != served.digest:
            raise pack_fault(
                served.pack,
                f"its version {served.version} is that of another law here ({other.pack or 'built in'})",
                "Raise the version in version.yaml, and build the pack again.",
            )
