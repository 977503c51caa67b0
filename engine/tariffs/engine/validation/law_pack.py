"""Check a law pack before it is used: signature, lint, golden cases, and a run over a part of the embedded table."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tariffs.engine.errors import LawError
from tariffs.engine.law.law import Law
from tariffs.engine.law.lint import Finding, lint_files
from tariffs.engine.law.pack.read import LawPack, open_pack, open_trusted_pack
from tariffs.engine.law.pack.signature import PublicKeys
from tariffs.engine.line_duty.golden_cases import check_cases, read_cases
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library
from tariffs.engine.schedule.reference_data import baseline, reference_table

_BASE = "base"
_EVERY = 50
"""One row in this many of the embedded table is computed: all kinds of goods, in a second."""
_NAMED = 3


@dataclass(frozen=True, slots=True)
class PackCheck:
    """Facts of a pack that has passed every check.

    Attributes:
        pack: the name of its file.
        version: version of its law.
        digest: digest of its law.
        as_of: the day that the law describes.
        read_to: the last day up to which acts have been read.
        key_id: id of the key that signed it; empty without a signature, or where no keys were given.
        is_signed: whether it has a signature.
        cases: number of golden cases that it fulfils.
    """

    pack: str
    version: str
    digest: str
    as_of: str
    read_to: str
    key_id: str
    is_signed: bool
    cases: int

    def to_dict(self) -> dict[str, Any]:
        """The check as JSON has it."""
        return asdict(self)


def check_trusted_pack(path: Path, keys: PublicKeys, *, unsigned: bool) -> PackCheck:
    """Check a pack whose signature is required, unless `unsigned` packs are allowed.

    Raises:
        LawError: LAW_PACK_INVALID, LAW_PACK_UNTRUSTED, LAW_INVALID or LAW_TEST_FAILED.
    """
    return check_contents(*open_trusted_pack(path, keys, unsigned=unsigned))


def check_pack(path: Path) -> PackCheck:
    """Check a pack without asking who signed it; raises as `check_trusted_pack`."""
    return check_contents(open_pack(path), "")


def check_contents(pack: LawPack, signer: str) -> PackCheck:
    """Check the law and the golden cases of a pack; `signer` is the id of the key that signed it.

    Raises:
        LawError: LAW_PACK_INVALID, LAW_INVALID or LAW_TEST_FAILED.
    """
    _check_findings(pack.name, lint_files(pack.files, Path(pack.name)).findings)
    law = pack.law()
    cases = check_cases(law, read_cases(pack.golden))
    _check_run(law, pack.name)
    manifest = pack.manifest
    return PackCheck(
        pack=pack.name,
        version=manifest.version,
        digest=manifest.digest,
        as_of=manifest.as_of,
        read_to=manifest.read_to,
        key_id=signer,
        is_signed=bool(pack.signature),
        cases=cases,
    )


def _check_findings(pack: str, findings: tuple[Finding, ...]) -> None:
    if findings:
        named = "; ".join(
            ": ".join(filter(None, (one.file, one.path, one.message))) for one in findings[:_NAMED]
        )
        raise LawError(
            "LAW_INVALID",
            f"{pack}: {len(findings)} findings, the first: {named}.",
            field="pack",
            fix=f"{findings[0].fix} tariffs law lint names all.",
        )


def _check_run(law: Law, pack: str) -> None:
    """Compute a part of the embedded table under the law, which every kernel and rule of the day takes part in."""
    lines = reference_table().gather_every(_EVERY)
    options = Options(by=("origin",), response="none", baseline=baseline().isoformat())
    block = impact(lines, [Point(library()[_BASE], "")], law=law, options=options).scenarios[0]
    groups, total = block.groups["duty"].sum(), block.total["duty"]
    if total is None or not math.isclose(groups, total, rel_tol=1e-9):
        raise LawError(
            "LAW_TEST_FAILED", f"{pack}: groups of a run sum to {groups} and not to {total}.", field="pack"
        )
