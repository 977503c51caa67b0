"""Build a law pack from a directory: the files of the law in canonical form, golden cases, manifest and signature."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tariffs.engine.errors import LawError
from tariffs.engine.law.documents import LawFiles
from tariffs.engine.law.files import DirectoryFiles, raw_of
from tariffs.engine.law.loader import digest_of, law_from_raw
from tariffs.engine.law.pack import archive
from tariffs.engine.law.pack.archive import FORMAT, MANIFEST, SIGNATURE, VERSION, Manifest, checksum_of
from tariffs.engine.law.pack.signature import sign
from tariffs.engine.law.yaml_texts import load_yaml

LAW, GOLDEN = "law/", "golden/"


def build_pack(directory: Path, *, golden: Path | None = None, key: Path | None = None) -> bytes:
    """Build the pack of a directory of law data; the same files give the same bytes.

    Comments and layout of YAML files are left out, so that they do not change the pack.

    Args:
        directory: the directory, as `tariffs law lint` reads it.
        golden: directory of golden cases, YAML files as in tests/law/golden; None for none.
        key: PEM file of the private Ed25519 key that signs it; None for no signature.

    Raises:
        LawError: LAW_INVALID if the law cannot be read.
        InputError: REQUEST_INVALID for a key that cannot be used.
    """
    files = _Recorded(DirectoryFiles(directory))
    raw = _read(files, directory)
    law = law_from_raw(raw)
    if not VERSION.fullmatch(law.version):
        raise LawError(
            "LAW_INVALID",
            f"version.yaml: the version is {law.version!r}, not YYYY.MM.DD.n.",
            field="version.version",
            fix="Use the day of the last act read and a number: 2026.12.01.1.",
        )
    members = {LAW + name: content for name, content in files.contents.items()}
    members |= {} if golden is None else _golden(golden)
    members = dict(sorted(members.items()))
    manifest = Manifest(
        format=FORMAT,
        version=law.version,
        digest=digest_of(raw),
        as_of=law.as_of.isoformat(),
        read_to=law.read_to.isoformat(),
        members={name: checksum_of(content) for name, content in members.items()},
    ).written()
    signature = {} if key is None else {SIGNATURE: sign(manifest, key)}
    return archive.written({MANIFEST: manifest, **signature, **members})


def canonical(content: Any) -> bytes:
    """Write the content of a YAML file as JSON, its keys in their order; an empty file is empty."""
    if content is None:
        return b""
    return json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()


class _Recorded:
    """Files of a law that keep what was read of them, in canonical form."""

    def __init__(self, files: LawFiles) -> None:
        self._files = files
        self.contents: dict[str, bytes] = {}

    def names(self, pattern: str) -> Sequence[str]:
        return self._files.names(pattern)

    def mapping(self, name: str) -> Any:
        content = self._files.mapping(name)
        self.contents[name] = canonical(content)
        return content

    def text(self, name: str) -> str:
        content = self._files.text(name)
        self.contents[name] = content.encode()
        return content


def _read(files: LawFiles, directory: Path) -> dict[str, Any]:
    try:
        return raw_of(files)
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise LawError(
            "LAW_INVALID",
            f"{directory} cannot be read as law data: {error}.",
            fix="tariffs law lint DIR names every fault.",
        ) from error


def _golden(directory: Path) -> dict[str, bytes]:
    paths = sorted(directory.glob("*.yaml"))
    if not paths:
        raise LawError(
            "LAW_INVALID",
            f"{directory} has no golden cases.",
            fix="Name a directory with *.yaml files of cases.",
        )
    try:
        return {f"{GOLDEN}{path.name}": canonical(load_yaml(path)) for path in paths}
    except (OSError, yaml.YAMLError) as error:
        raise LawError("LAW_INVALID", f"{directory}: {error}.", fix="Correct the YAML.") from error
