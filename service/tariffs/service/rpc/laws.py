"""Laws of this process by version: the one built in, those of law packs, and those that a run needs.

A call names a law as `VERSION`, `VERSION@DIGEST` or `latest`; without a name it gets the default. A server settles the
name once, to `VERSION@DIGEST`, before the call goes to a worker or into a long run.
"""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.errors import LawError
from tariffs.engine.law import Law, load_law
from tariffs.service.storage.law_store import LawStore

DEFAULT, LATEST, BUILTIN = "default", "latest", "builtin"
AT_LEAST = "latest>="
"""Before the least version that the default may have."""
FLOATING = frozenset({"", DEFAULT, LATEST})
"""Names that mean another law when the laws of the server change."""
FIELD = "law_version"
_LOADED = 4
"""Laws in memory besides the default, the latest, the one built in and those in use; one takes some 10 MB, and up to
60 MB with what is worked out from it."""
_SHOWN = 12
_EXACT = re.compile(r"([0-9.]{1,32})@([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class ServedLaw:
    """Law that calls may name.

    Attributes:
        version: its version.
        digest: its digest.
        as_of: the day that it describes.
        read_to: the last day up to which acts have been read.
        pack: the name of the file of its pack; empty for the one built in.
        key_id: id of the key that signed the pack; empty without one.
        path: a pack of it that stays while it is served; None for the one built in.
        since: when it was first served, seconds since 1970; 0 for the one built in.
    """

    version: str
    digest: str
    as_of: str = ""
    read_to: str = ""
    pack: str = ""
    key_id: str = ""
    path: Path | None = None
    since: float = 0.0

    @property
    def exact(self) -> str:
        """Its name for good."""
        return f"{self.version}@{self.digest}"

    @property
    def order(self) -> tuple[int, ...]:
        """Place of its version among others."""
        return order_of(self.version)


def order_of(version: str) -> tuple[int, ...]:
    """Place of a version among others."""
    return tuple(int(part) if part.isdecimal() else 0 for part in version.split("."))


def is_minimum(name: str) -> bool:
    """Return True if the name of a default is the newest law from a version on: `latest>=VERSION`."""
    return name.startswith(AT_LEAST)


@dataclass(frozen=True, slots=True)
class _Serving:
    """Laws that calls may name, the newest first; by all their names; and the two that are held in memory."""

    served: tuple[ServedLaw, ...]
    by_name: Mapping[str, ServedLaw]
    default: Law
    latest: Law


class Laws:
    """Laws of a process. Readers wait for no lock that is held over work; only `named` and `load` may read a disk.

    Attributes:
        store: packs of laws that runs need; in a worker that of its server.
    """

    def __init__(self) -> None:
        self._packs: Mapping[str, ServedLaw] = {}
        self._coming: Mapping[str, ServedLaw] = {}
        self._leaving: Mapping[str, ServedLaw] = {}
        self._default_name = BUILTIN
        self._now: _Serving | None = None
        self._loaded: BoundedCache[str, Law] = BoundedCache(_LOADED)
        self._in_use: weakref.WeakValueDictionary[str, Law] = weakref.WeakValueDictionary()
        self._loading = threading.RLock()
        self._changing = threading.Lock()
        self.store: LawStore | None = None

    # -- what calls read ---------------------------------------------------------------------------------------

    @property
    def served(self) -> tuple[ServedLaw, ...]:
        """Laws that calls may name, the newest first."""
        return self._serving().served

    @property
    def coming(self) -> tuple[ServedLaw, ...]:
        """Laws that calls may name by their version, and that will be served."""
        return tuple(self._coming.values())

    @property
    def default(self) -> Law:
        """Law of calls that name none."""
        return self._serving().default

    def settle(self, name: str) -> ServedLaw:
        """Find the law of a name; raises LawError LAW_VERSION_NOT_FOUND, with the versions there."""
        serving = self._serving()
        found = serving.by_name.get(name)
        if found is None:
            raise _not_found(name, serving.served)
        return found

    def ready(self, name: str) -> Law | None:
        """Return the law of a name if it is in memory; raises LawError LAW_VERSION_NOT_FOUND."""
        serving = self._now or self._serving()
        return self._find(self.settle(name).digest) if name else serving.default

    def named(self, name: str) -> Law:
        """Return the law of a name, read from its pack if it is not in memory.

        A law given as `VERSION@DIGEST` may also be one of the store, which a run or a worker needs.

        Raises:
            LawError: LAW_VERSION_NOT_FOUND.
        """
        match = _EXACT.fullmatch(name)
        if match is None:
            return self.load(self.settle(name)) if name else self.default
        known = self._serving().by_name.get(name)
        return self.load(known or ServedLaw(match[1], match[2], path=self._stored(match[2])))

    # -- memory ------------------------------------------------------------------------------------------------

    def load(self, served: ServedLaw) -> Law:
        """Return a law, read from its pack if it is not in memory.

        Raises:
            LawError: LAW_VERSION_NOT_FOUND without a pack; LAW_PACK_INVALID if the pack holds another law.
        """
        with self._loading:
            found = self._find(served.digest)
            if found is not None:
                return found
            if served.path is None:
                raise _not_found(served.exact, self.served)
            return self.take(served.exact, served.path.read_bytes())

    def take(self, name: str, pack: bytes) -> Law:
        """Return the law of an exact name, read from a pack if it is not in memory.

        Raises:
            LawError: LAW_PACK_INVALID if the pack holds another law.
        """
        digest = name.rpartition("@")[2]
        with self._loading:
            found = self._find(digest)
            if found is not None:
                return found
            # Packs need libraries that a process with the law built in does not load.
            from tariffs.engine.law.pack.archive import pack_fault
            from tariffs.engine.law.pack.read import read_pack

            law = read_pack(pack, name).law()
            if law.digest != digest:
                raise pack_fault(name, "it holds another law")
            self._in_use[digest] = law
            return self._loaded.keep(digest, law)

    def pack_of(self, name: str) -> bytes:
        """Read the pack of a law for tasks on other machines; empty for the law built in, which they have.

        Raises:
            LawError: LAW_VERSION_NOT_FOUND.
        """
        law = self.named(name)
        if law is load_law():
            return b""
        known = self._packs.get(law.digest)
        path = known.path if known else self._stored(law.digest)
        if path is None:
            raise _not_found(name, self.served)
        return path.read_bytes()

    def _stored(self, digest: str) -> Path | None:
        return (self.store or LawStore.of_environment()).find(digest)

    def _find(self, digest: str) -> Law | None:
        serving = self._serving()
        for held in (serving.default, serving.latest, load_law()):
            if held.digest == digest:
                return held
        return self._loaded.find(digest) or self._in_use.get(digest)

    # -- what is served ----------------------------------------------------------------------------------------

    def admit(self, served: ServedLaw) -> None:
        """Let calls name a law by its version before it is served: other processes may serve it already."""
        with self._changing:
            self._coming = {**self._coming, served.digest: served}
            self._change(self._packs, self._default_name)

    def serve(self, served: ServedLaw) -> None:
        """Let calls name a law; it is read if it is not in memory."""
        with self._changing:
            self._coming = _without(self._coming, {served.digest})
            self._leaving = _without(self._leaving, {served.digest})
            self._change({**self._packs, served.digest: served}, self._default_name)

    def retire(self, digest: str) -> None:
        """Serve a law no longer, but let calls name its version: other processes may serve it still.

        Raises:
            LawError: LAW_VERSION_NOT_FOUND if it is the default.
        """
        with self._changing:
            leaving = {digest: self._packs[digest]} if digest in self._packs else {}
            before, self._leaving = self._leaving, {**self._leaving, **leaving}
            try:
                self._change(_without(self._packs, {digest}), self._default_name)
            except LawError:
                self._leaving = before
                raise

    def withdraw(self, digests: Collection[str]) -> None:
        """Let calls name laws no longer; calls and runs that have them go on."""
        with self._changing:
            self._coming = _without(self._coming, digests)
            self._leaving = _without(self._leaving, digests)
            self._change(_without(self._packs, digests), self._default_name)

    def choose_default(self, name: str) -> None:
        """Choose the law of calls that name none: `builtin`, `latest`, `latest>=VERSION` or a version.

        Raises:
            LawError: LAW_VERSION_NOT_FOUND.
        """
        with self._changing:
            self._change(self._packs, name)

    def _change(self, packs: Mapping[str, ServedLaw], default_name: str) -> None:
        own = _builtin()
        others = (one for digest, one in packs.items() if digest != own.digest)
        served = tuple(sorted((own, *others), key=lambda one: one.order, reverse=True))
        by_name = _by_name(served) | {LATEST: served[0]}
        chosen = own if default_name == BUILTIN else _named(default_name, by_name)
        if chosen is None:
            raise _not_found(default_name, served)
        by_name |= {"": chosen, DEFAULT: chosen}
        # One that is served comes before one that is not yet or no longer.
        by_name = _by_name((*self._leaving.values(), *self._coming.values())) | by_name
        serving = _Serving(served, by_name, self._read(chosen), self._read(served[0]))
        self._packs, self._default_name, self._now = packs, default_name, serving

    def _read(self, served: ServedLaw) -> Law:
        return load_law() if served.digest == load_law().digest else self.load(served)

    def _serving(self) -> _Serving:
        if self._now is None:
            own = _builtin()
            names = dict.fromkeys(("", DEFAULT, LATEST, own.version, own.exact), own)
            self._now = _Serving((own,), names, load_law(), load_law())
        return self._now


def _without(laws: Mapping[str, ServedLaw], digests: Collection[str]) -> dict[str, ServedLaw]:
    return {digest: one for digest, one in laws.items() if digest not in digests}


def _by_name(laws: Iterable[ServedLaw]) -> dict[str, ServedLaw]:
    return {name: one for one in laws for name in (one.version, one.exact)}


def _named(default_name: str, by_name: Mapping[str, ServedLaw]) -> ServedLaw | None:
    if not is_minimum(default_name):
        return by_name.get(default_name)
    newest = by_name[LATEST]
    return newest if newest.order >= order_of(default_name.removeprefix(AT_LEAST)) else None


@cache
def _builtin() -> ServedLaw:
    law = load_law()
    return ServedLaw(law.version, law.digest, law.as_of.isoformat(), law.read_to.isoformat())


def _not_found(name: str, served: Iterable[ServedLaw]) -> LawError:
    there = ", ".join([one.version for one in served][:_SHOWN])
    return LawError(
        "LAW_VERSION_NOT_FOUND",
        f"There is no law {name[:120]!r} here.",
        field=FIELD,
        fix=f"Versions here: {there}; `latest` is the newest, and without a name the server chooses.",
        metadata={"versions": there},
    )


LAWS = Laws()
"""Laws of this process."""


def pin(request: Any) -> None:
    """Write into a request which law it gets, for good; raises LawError LAW_VERSION_NOT_FOUND."""
    request.law_version = LAWS.settle(request.law_version).exact
