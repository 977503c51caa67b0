"""Watch the directory of law packs: check new packs, warm what will answer by them, then serve them.

A pack that is refused changes nothing. All work is done in one thread and in processes of their own, so that the event
loop never waits; several servers of one state directory check a pack once.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from tariffs.engine.errors import InputError, LawError, TariffsError
from tariffs.engine.law.pack.archive import PACK_BYTES, pack_fault
from tariffs.service.rpc.law_versions import UnservedPack
from tariffs.service.rpc.laws import LAWS, ServedLaw
from tariffs.service.server.law_check import check_in_process, check_key, error_of
from tariffs.service.server.watched_file import LOOK_SECONDS, Signature, look_every_second, signature_of
from tariffs.service.settings.settings import Settings
from tariffs.service.storage.storage import Storage

SETTLE_SECONDS = 3.0
"""Seconds from the end of a check, or from the look that found a pack checked before, to the moment when servers that
share a port begin to serve its law together.

From the check on, and as long after it is served no more, calls may name its version at each of them.
"""
_PACKS = "*.tar.zst"
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
        settings: the directory, the trusted keys and the default.
        storage: keeps packs and the results of checks.
        warm: works out what calls need of a law that will be the newest.
        settle_seconds: seconds between the end of a check and the service of its law.
    """

    def __init__(self, settings: Settings, storage: Storage, warm: Warm, settle_seconds: float) -> None:
        self._settings = settings
        self._storage = storage
        self._warm = warm
        self._settle_seconds = settle_seconds
        self._seen: Mapping[str, Signature] = {}
        self._done: dict[str, Signature] = {}
        self._served: dict[str, str] = {}
        self._leaving: dict[str, float] = {}
        self._unserved: dict[str, UnservedPack] = {}
        self._child: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._looks = 0
        self._unreadable = ""
        self.generation = 0

    @property
    def unserved(self) -> tuple[UnservedPack, ...]:
        """Packs that are being checked or were refused, by name."""
        return tuple(one for _, one in sorted(self._unserved.items()))

    def counts(self) -> Mapping[str, int]:
        """Count the laws served, the packs that are being checked, and those refused."""
        refused = sum(one.error is not None for one in self.unserved)
        return {
            "served": len(LAWS.served),
            "loading": len(self._unserved) - refused,
            "refused": refused,
        }

    def open(self) -> None:
        """Serve the packs that are there at the start, and choose the default. Blocks.

        Raises:
            InputError: SETTING_INVALID if the default is a version that is not there.
        """
        LAWS.store = self._storage.laws
        self._seen = self._scan() or {}
        self._look(self._seen, 0.0)
        try:
            LAWS.choose_default(self._settings.law_default)
        except LawError as error:
            raise InputError(
                "SETTING_INVALID",
                f"TARIFFS_LAW_DEFAULT is {self._settings.law_default}: {error.message}",
                fix=error.fix,
            ) from None

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
        LAWS.withdraw({*self._served.values(), *self._leaving, *(one.digest for one in LAWS.coming)})

    def look(self) -> None:
        """Serve the packs that have come and are written whole, and withdraw those that are gone."""
        began = time.time()
        self._let_go()
        found = self._scan()
        if found is None:
            return
        # A file that still grows has another signature at the next look.
        steady = {name: signature for name, signature in found.items() if self._seen.get(name) == signature}
        self._seen = found
        self._look({name: found[name] for name in found if name in steady or name in self._done}, began)
        self._looks += 1
        if self._looks % _TOUCH_LOOKS == 0:
            for digest in self._served.values():
                self._storage.laws.touch(digest)

    def _scan(self) -> dict[str, Signature] | None:
        """Signatures of the packs in the directory; None if it cannot be read, which changes nothing."""
        directory = self._settings.law_dir
        if directory is None:
            return {}
        try:
            paths = [path for path in directory.iterdir() if path.match(_PACKS)]
            found = {path.name: signature_of(path) for path in sorted(paths) if not path.name.startswith(".")}
        except OSError as error:
            if str(error) != self._unreadable:
                self._unreadable = str(error)
                _log.error("law directory not read", directory=str(directory), message=str(error))
            return None
        self._unreadable = ""
        return found

    def _look(self, found: Mapping[str, Signature], began: float) -> None:
        new = [name for name, signature in found.items() if self._done.get(name) != signature]
        gone = [name for name in self._done if name not in found]
        if not new and not gone:
            return
        checked = [one for name in new if (one := self._checked(name, found[name], began)) is not None]
        self._serve(checked)
        self._forget(gone)

    # -- one pack ----------------------------------------------------------------------------------------------

    def _checked(self, name: str, signature: Signature, began: float) -> _Found | None:
        self._done[name] = signature
        self._note(UnservedPack(name, None, time.time()))
        try:
            return self._check(name, began)
        except TariffsError as error:
            self._refuse(name, error)
        except OSError as error:
            # It may be there again at the next look.
            del self._done[name]
            why = f"it cannot be read or checked ({error.strerror})"
            self._refuse(
                name, pack_fault(name, why, "Give the server room and rights; it tries again each second.")
            )
        return None

    def _check(self, name: str, began: float) -> _Found:
        assert self._settings.law_dir is not None
        with (self._settings.law_dir / name).open("rb") as file:
            pack = file.read(PACK_BYTES + 1)
        verdict = self._verdict(name, pack)
        if "error" in verdict:
            raise error_of(verdict["error"])
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
            self._warm(newest.served)
        for one in checked:
            while not self._stopped and time.time() < one.serve_at:
                time.sleep(min(LOOK_SECONDS, max(0.0, one.serve_at - time.time())))
            if self._stopped:
                return
            self._serve_one(one.served)

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
        self._served[served.pack] = served.digest
        self._unserved.pop(served.pack, None)
        self.generation += 1
        _log.info("law served", law=served.version, digest=served.digest, pack=served.pack, key=served.key_id)
        if before is not None and before != served.digest:
            self._withdraw(before)

    def _forget(self, names: Iterable[str]) -> None:
        for name in names:
            del self._done[name]
            self._unserved.pop(name, None)
            digest = self._served.pop(name, None)
            if digest is not None:
                self._withdraw(digest)
            self.generation += 1

    def _withdraw(self, digest: str) -> None:
        if digest in self._served.values():
            return
        try:
            LAWS.retire(digest)
        except LawError as error:
            # The default stays: calls without a name must be answered.
            _log.warning("law kept", digest=digest, message=error.message)
        else:
            self._leaving[digest] = time.monotonic() + self._settle_seconds
            _log.info("law withdrawn", digest=digest)
            self._let_go()

    def _let_go(self) -> None:
        """End what calls may name, where no other process serves it any more."""
        due = {digest for digest, at in self._leaving.items() if time.monotonic() >= at}
        self._leaving = {digest: at for digest, at in self._leaving.items() if digest not in due}
        # One that has come back since is served.
        if over := due - set(self._served.values()):
            LAWS.withdraw(over)

    def _refuse(self, name: str, error: TariffsError) -> None:
        if not self._stopped:
            self._note(UnservedPack(name, error, time.time()))
            _log.error("law refused", pack=name, reason=error.reason, message=error.message, fix=error.fix)

    def _note(self, unserved: UnservedPack) -> None:
        self._unserved[unserved.pack] = unserved
        self.generation += 1


def check_version(served: ServedLaw) -> None:
    """Refuse a second law of a version, which must say for good which law it is.

    Raises:
        LawError: LAW_PACK_INVALID.
    """
    for other in (*LAWS.served, *LAWS.coming):
        if other.version == served.version and other.digest != served.digest:
            raise pack_fault(
                served.pack,
                f"its version {served.version} is that of another law here ({other.pack or 'built in'})",
                "Raise the version in version.yaml, and build the pack again.",
            )
