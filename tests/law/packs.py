"""Copies of the law with one more exemption, and packs of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tariffs.engine.law.files import HERE
from tariffs.engine.law.pack.build import build_pack
from tariffs.engine.law.yaml_texts import load_yaml
from tariffs.engine.line_duty.golden_cases import SCHEMA

GOLDEN = Path(__file__).parent / "golden"
NEWER = "2026.12.01.1"
TOYS = {"hts": "9503.00.0073", "origin": "CN", "entry": "2026-11-24", "value": "10000.00"}
"""Goods that pay 12.5 percent in the law built in, and nothing under the exemption."""
CHARGED, EXEMPT = "1250.00", "0.00"
HEADING = "9903.06.90"


def law_copy(folder: Path, version: str = NEWER, *, origin: str = "CN") -> Path:
    """Copy the law's files with another version, and toys of an origin exempt from the duty over forced labor."""
    shutil.copytree(HERE, folder)
    facts = load_yaml(folder / "version.yaml") | {"version": version}
    (folder / "version.yaml").write_text(json.dumps(facts), encoding="utf-8")
    path = folder / "measures" / "s301_fl.yaml"
    content = load_yaml(path)
    (measure,) = (one for one in content["measures"] if one["id"] == "fl301")
    exemption = {"origins": [origin], "products": ["9503"], "rate": "0%", "heading": HEADING}
    measure["periods"][0]["rows"].insert(0, exemption)
    path.write_text(json.dumps(content), encoding="utf-8")
    return folder


def golden_case(folder: Path, *, origin: str = "CN", assessed: str = EXEMPT) -> Path:
    """Write a golden case that holds under the exemption, changed as given."""
    folder.mkdir(exist_ok=True)
    layers = [{"heading": HEADING, "amount": "0.00"}]
    expect = {"layers": layers, "assessed": assessed, "owed": EXEMPT}
    line = {"hts": TOYS["hts"], "origin": origin, "date": TOYS["entry"], "value": TOYS["value"]}
    case = {"id": "toys-exempt", **line, "expect": expect}
    (folder / "toys.yaml").write_text(json.dumps({"schema": SCHEMA, "cases": [case]}), encoding="utf-8")
    return folder


def key_pair(folder: Path, name: str = "law") -> tuple[Path, Path]:
    """Write the PEM files of a new private key and of its public one."""
    private, public = folder / f"{name}-key.pem", folder / f"{name}-keys.pem"
    key = Ed25519PrivateKey.generate()
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def newer_pack(folder: Path, version: str = NEWER, *, key: Path | None = None, origin: str = "CN") -> bytes:
    """Build a pack of the law with one more exemption, and a golden case of it."""
    golden = golden_case(folder / f"golden-{version}", origin=origin)
    return build_pack(law_copy(folder / version, version, origin=origin), golden=golden, key=key)


def drop(pack: bytes, folder: Path, name: str) -> Path:
    """Put a pack into a directory as deployments do: written beside it, then renamed."""
    folder.mkdir(exist_ok=True)
    draft = folder / f".{name}.part"
    draft.write_bytes(pack)
    return draft.replace(folder / name)
