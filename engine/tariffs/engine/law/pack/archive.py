"""Write and read the archive of a law pack, a tar file compressed by Zstandard, and its manifest.

Writing is deterministic: members are in the order given, without times and owners. Reading trusts nothing: only plain
files with plain names are taken, and never more bytes than the limits allow.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import IO, Any, cast

import zstandard

from tariffs.engine.errors import LawError

PACK_BYTES = 16 << 20
"""Largest pack; one of the embedded law has some 200 KB."""
CONTENT_BYTES = 64 << 20
"""Most bytes that the members of a pack may have together; those of the embedded law have some 6 MB."""
MEMBERS = 2_000
_LEVEL = 10
_WINDOW_BYTES = 32 << 20
_NAME = re.compile(r"[a-z0-9_-]+(/[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)*(\.[a-z]+)?")
_NAME_LENGTH = 200
_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)


def pack_fault(
    name: str, problem: str, fix: str = "Build the pack again: tariffs law build DIR."
) -> LawError:
    """Make the error for a pack that cannot be read; `name` is its file."""
    return LawError("LAW_PACK_INVALID", f"{name}: {problem}.", field="pack", fix=fix, metadata={"pack": name})


def written(members: Mapping[str, bytes]) -> bytes:
    """Write an archive; equal members in equal order give equal bytes."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(plain.getvalue())


def read(data: bytes, pack: str) -> dict[str, bytes]:
    """Read the members of an archive.

    Raises:
        LawError: LAW_PACK_INVALID: it is damaged, too large, or has a member that is no plain file.
    """
    if len(data) > PACK_BYTES:
        raise pack_fault(pack, f"it has {len(data):,} bytes, more than {PACK_BYTES:,}")
    members: dict[str, bytes] = {}
    source = cast("IO[bytes]", _Limited(data, pack))
    try:
        with tarfile.open(fileobj=source, mode="r|") as archive:
            for entry in archive:
                _check(entry, members, pack)
                content = archive.extractfile(entry)
                members[entry.name] = content.read() if content else b""
    except (tarfile.TarError, zstandard.ZstdError, EOFError, ValueError, OverflowError) as error:
        raise pack_fault(
            pack, f"it is damaged or no law pack ({error})", "Copy the pack again, or build it."
        ) from None
    if not members:
        raise pack_fault(pack, "it is empty")
    return members


def _check(entry: tarfile.TarInfo, members: Mapping[str, bytes], pack: str) -> None:
    name = entry.name[:_NAME_LENGTH]
    if entry.type not in _PLAIN or entry.sparse is not None:
        raise pack_fault(pack, f"the member {name!r} is no plain file")
    if len(entry.name) > _NAME_LENGTH or not _NAME.fullmatch(entry.name):
        raise pack_fault(pack, f"the member {name!r} has a name that packs do not have")
    if entry.name in members:
        raise pack_fault(pack, f"the member {name!r} is there twice")
    if len(members) >= MEMBERS:
        raise pack_fault(pack, f"it has more than {MEMBERS:,} members")
    if entry.size > CONTENT_BYTES:
        raise pack_fault(pack, f"the member {name!r} has {entry.size:,} bytes, more than {CONTENT_BYTES:,}")


class _Limited:
    """Decompressed bytes, up to a limit."""

    def __init__(self, data: bytes, pack: str) -> None:
        decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES)
        self._source: Any = decompressor.stream_reader(io.BytesIO(data), read_across_frames=False)
        self._pack = pack
        self._left = CONTENT_BYTES

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes."""
        data: bytes = self._source.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise pack_fault(self._pack, f"it unpacks into more than {CONTENT_BYTES:,} bytes")
        return data


FORMAT = "tariffs-law-pack/1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
VERSION = re.compile(r"\d{4}\.\d{2}\.\d{2}\.\d{1,4}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """Manifest of a pack.

    Attributes:
        format: FORMAT.
        version: version of the law.
        digest: digest of the law.
        as_of: the day that the law describes.
        read_to: the last day up to which acts have been read.
        members: SHA-256 of every member besides the manifest and its signature, by name.
    """

    format: str
    version: str
    digest: str
    as_of: str
    read_to: str
    members: Mapping[str, str]

    def written(self) -> bytes:
        """Write the manifest as canonical JSON."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode()

    def check(self, members: Mapping[str, bytes], pack: str) -> None:
        """Compare the members of a pack with the manifest.

        Raises:
            LawError: LAW_PACK_INVALID for a member that is missing, changed or not listed.
        """
        found = members.keys() - {MANIFEST, SIGNATURE}
        for name in sorted(found ^ self.members.keys()):
            problem = "is not in its manifest" if name in found else "of its manifest is missing"
            raise pack_fault(pack, f"the member {name!r} {problem}")
        for name, checksum in self.members.items():
            if checksum_of(members[name]) != checksum:
                raise pack_fault(pack, f"the member {name!r} is not the one of its manifest")


def checksum_of(content: bytes) -> str:
    """SHA-256 of a member, in hex."""
    return hashlib.sha256(content).hexdigest()


def read_manifest(members: Mapping[str, bytes], pack: str) -> Manifest:
    """Read the manifest of a pack.

    Raises:
        LawError: LAW_PACK_INVALID.
    """
    if MANIFEST not in members:
        raise pack_fault(pack, "it has no manifest")
    try:
        given = json.loads(members[MANIFEST])
        checksums = given.pop("members")
        manifest = Manifest(members=dict(checksums), **given)
        texts = [value for name, value in asdict(manifest).items() if name != "members"]
        well_formed = all(isinstance(text, str) for text in (*texts, *manifest.members.values()))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise pack_fault(pack, "its manifest cannot be read") from None
    if not well_formed:
        raise pack_fault(pack, "its manifest cannot be read")
    if manifest.format != FORMAT:
        fix = f"This release reads {FORMAT}: build the pack with it."
        raise pack_fault(pack, f"its format is {manifest.format!r}", fix)
    if not VERSION.fullmatch(manifest.version) or not _DIGEST.fullmatch(manifest.digest):
        raise pack_fault(pack, "its version or digest is malformed")
    return manifest
