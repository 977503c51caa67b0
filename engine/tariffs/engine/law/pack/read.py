"""Read a law pack, trusted or not: check members, manifest and signature, and give its law and its golden cases."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tariffs.engine.errors import LawError
from tariffs.engine.law.files import raw_of
from tariffs.engine.law.law import Law
from tariffs.engine.law.loader import digest_of, law_from_raw
from tariffs.engine.law.pack import archive
from tariffs.engine.law.pack.archive import (
    MANIFEST,
    PACK_BYTES,
    SIGNATURE,
    Manifest,
    pack_fault,
    read_manifest,
)
from tariffs.engine.law.pack.build import GOLDEN, LAW
from tariffs.engine.law.pack.signature import PublicKeys, check_signature, untrusted


@dataclass(frozen=True, slots=True)
class LawPack:
    """Pack whose members are those of its manifest.

    Attributes:
        name: the name of its file.
        manifest: the manifest.
        signed: the manifest as it was signed.
        signature: its signature; empty without one.
        members: the other members, by name.
    """

    name: str
    manifest: Manifest
    signed: bytes
    signature: bytes
    members: Mapping[str, bytes]

    @property
    def files(self) -> PackFiles:
        """The files of the law."""
        return PackFiles(self.members, self.name)

    @property
    def golden(self) -> Mapping[str, Any]:
        """Contents of the files of golden cases, by name."""
        files = PackFiles(self.members, self.name, GOLDEN)
        return {name: files.mapping(name) for name in files.names("*")}

    def law(self) -> Law:
        """Read the law.

        Raises:
            LawError: LAW_INVALID, or LAW_PACK_INVALID if it is not the one of the manifest.
        """
        try:
            raw = raw_of(self.files)
        except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise pack_fault(self.name, f"its members do not have the form of law data ({error})") from error
        law = law_from_raw(raw)
        if (law.version, digest_of(raw)) != (self.manifest.version, self.manifest.digest):
            raise pack_fault(self.name, "its law is not the one of its manifest")
        return law


def open_pack(path: Path) -> LawPack:
    """Read the pack of a file.

    Raises:
        LawError: LAW_PACK_INVALID.
    """
    try:
        with path.open("rb") as file:
            data = file.read(PACK_BYTES + 1)
    except OSError as error:
        raise pack_fault(path.name, f"it cannot be read ({error.strerror})", "Copy the pack again.") from None
    return read_pack(data, path.name)


def read_pack(data: bytes, name: str) -> LawPack:
    """Read a pack from its bytes; its law is read later.

    Raises:
        LawError: LAW_PACK_INVALID.
    """
    members = archive.read(data, name)
    manifest = read_manifest(members, name)
    manifest.check(members, name)
    signed, signature = members.pop(MANIFEST), members.pop(SIGNATURE, b"")
    return LawPack(name, manifest, signed, signature, members)


class PackFiles:
    """Files of a law among the members of a pack, below a folder."""

    def __init__(self, members: Mapping[str, bytes], pack: str, folder: str = LAW) -> None:
        self._members = {
            name.removeprefix(folder): content for name, content in members.items() if name.startswith(folder)
        }
        self._pack = pack

    def names(self, pattern: str) -> Sequence[str]:
        """List the files that match a pattern, sorted."""
        return sorted(name for name in self._members if fnmatchcase(name, pattern))

    def mapping(self, name: str) -> Any:
        """Read a file of texts, lists and mappings."""
        content = self._content(name)
        if not content:
            return None
        try:
            found = json.loads(content)
            _check_texts(found)
        except (ValueError, RecursionError):
            raise self._malformed(name) from None
        return found

    def text(self, name: str) -> str:
        """Read a file of text."""
        try:
            return self._content(name).decode()
        except UnicodeDecodeError:
            raise self._malformed(name) from None

    def _content(self, name: str) -> bytes:
        if name not in self._members:
            raise pack_fault(self._pack, f"the file {name} of the law is missing")
        return self._members[name]

    def _malformed(self, name: str) -> LawError:
        return pack_fault(self._pack, f"the member {name!r} is malformed")


def _check_texts(value: Any) -> None:
    """Check that every scalar is text; raises ValueError."""
    if isinstance(value, dict):
        for item in value.values():
            _check_texts(item)
    elif isinstance(value, list):
        for item in value:
            _check_texts(item)
    elif not isinstance(value, str):
        raise ValueError("a scalar is not text")


def open_trusted_pack(path: Path, keys: PublicKeys, *, unsigned: bool) -> tuple[LawPack, str]:
    """Open a pack; the second value is the id of the key that signed it, empty for an unsigned one.

    Args:
        unsigned: packs without a signature are allowed.

    Raises:
        LawError: LAW_PACK_INVALID or LAW_PACK_UNTRUSTED.
    """
    pack = open_pack(path)
    signer = check_signature(pack.signed, pack.signature, keys, pack.name)
    if not signer and not unsigned:
        raise untrusted(pack.name, "it is not signed")
    return pack, signer
