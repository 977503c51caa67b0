"""Write and read the archive of a law pack: a tar file compressed by Zstandard, with limits on what is read.

Writing is deterministic: members are in the order given, without times and owners. Reading trusts nothing: only plain
files with plain names are taken, and never more bytes than the limits allow.
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Mapping
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
