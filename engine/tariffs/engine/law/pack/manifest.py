"""Manifest of a law pack: version, digest and days of its law, and the checksum of each other member."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from tariffs.engine.law.pack.archive import pack_fault

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
