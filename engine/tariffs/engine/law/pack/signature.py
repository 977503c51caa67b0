"""Ed25519 signatures of law packs."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from tariffs.engine.errors import InputError, LawError

_BLOCK = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)
_ID_LENGTH = 16
_CONTEXT = b"tariffs law pack manifest\0"
"""Put before the manifest, so that the signature of nothing else is that of a pack."""


def sign(manifest: bytes, key: Path) -> bytes:
    """Sign a manifest by the private key of a PEM file.

    Raises:
        InputError: REQUEST_INVALID if the file holds no Ed25519 key without a password.
    """
    try:
        loaded = load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise _no_key(key, "private") from error
    if not isinstance(loaded, Ed25519PrivateKey):
        raise _no_key(key, "private")
    return loaded.sign(_CONTEXT + manifest)


class PublicKeys:
    """Keys whose signatures are trusted, by id."""

    def __init__(self, keys: list[Ed25519PublicKey]) -> None:
        self._keys = {key_id(key): key for key in keys}

    @classmethod
    def read(cls, path: Path) -> PublicKeys:
        """Read the keys of a PEM file, one or several.

        Raises:
            InputError: REQUEST_INVALID if it holds something else.
        """
        try:
            keys = [load_pem_public_key(block) for block in _BLOCK.findall(path.read_bytes())]
        except (OSError, ValueError, UnsupportedAlgorithm) as error:
            raise _no_key(path, "public") from error
        trusted = [key for key in keys if isinstance(key, Ed25519PublicKey)]
        if not trusted or len(trusted) != len(keys):
            raise _no_key(path, "public")
        return cls(trusted)

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the keys, sorted."""
        return tuple(sorted(self._keys))

    def signer(self, manifest: bytes, signature: bytes) -> str:
        """Return the id of the key that signed a manifest; empty if none of them did."""
        for name, key in self._keys.items():
            try:
                key.verify(signature, _CONTEXT + manifest)
            except InvalidSignature:
                continue
            return name
        return ""


def key_id(key: Ed25519PublicKey) -> str:
    """Id of a key: the beginning of the SHA-256 of its 32 bytes, in hex."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:_ID_LENGTH]


def check_signature(manifest: bytes, signature: bytes, keys: PublicKeys, pack: str) -> str:
    """Return the id of the trusted key that signed a pack; empty for one without a signature.

    Raises:
        LawError: LAW_PACK_UNTRUSTED if it is signed by no trusted key.
    """
    if not signature:
        return ""
    signer = keys.signer(manifest, signature)
    if not signer:
        raise untrusted(pack, f"it is not signed by a known key ({', '.join(keys.ids) or 'none is known'})")
    return signer


def untrusted(pack: str, problem: str) -> LawError:
    """Make the error for a pack that is not trusted; `pack` is the name of its file."""
    return LawError(
        "LAW_PACK_UNTRUSTED",
        f"{pack}: {problem}.",
        field="pack",
        fix="Sign it by a key of TARIFFS_LAW_KEYS: tariffs law build --sign KEY; or set TARIFFS_LAW_UNSIGNED=true.",
        metadata={"pack": pack},
    )


def _no_key(path: Path, kind: str) -> InputError:
    return InputError(
        "REQUEST_INVALID",
        f"{path} has no Ed25519 {kind} key in PEM form.",
        field="key",
        fix="Make one: openssl genpkey -algorithm ed25519 -out key.pem; its public half: openssl pkey -pubout.",
    )
