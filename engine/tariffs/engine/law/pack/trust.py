"""Open a law pack that must be signed by a known key, before anything else of it is read."""

from __future__ import annotations

from pathlib import Path

from tariffs.engine.law.pack.read import LawPack, open_pack
from tariffs.engine.law.pack.signature import PublicKeys, check_signature, untrusted


def open_trusted_pack(path: Path, keys: PublicKeys, *, unsigned: bool) -> tuple[LawPack, str]:
    """Open a pack; the second value is the id of the key that signed it, empty for an unsigned one.

    Args:
        path: its file.
        keys: the keys that are trusted.
        unsigned: packs without a signature are allowed.

    Raises:
        LawError: LAW_PACK_INVALID or LAW_PACK_UNTRUSTED.
    """
    pack = open_pack(path)
    signer = check_signature(pack.signed, pack.signature, keys, pack.name)
    if not signer and not unsigned:
        raise untrusted(pack.name, "it is not signed")
    return pack, signer
