"""Check law packs in a process of their own, so that neither a hostile pack nor its work touches a server.

`python -m tariffs.service.server.law_check PACK KEYS UNSIGNED` prints the result as JSON: KEYS is a PEM file of public
keys or empty, UNSIGNED is `yes` where unsigned packs are allowed.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tariffs.engine.base.provenance import engine_version
from tariffs.engine.errors import LawError, TariffsError

if TYPE_CHECKING:
    # The process that checks a pack does not need them, and is started for each.
    from tariffs.service.settings.settings import LawPacks

CHECK_SECONDS = 300.0
_NICENESS = 5
_YES = "yes"
_ONE_THREAD = dict.fromkeys(("TARIFFS_THREADS", "POLARS_MAX_THREADS", "NUMBA_NUM_THREADS"), "1")


def check_key(pack: bytes, settings: LawPacks) -> str:
    """Digest all that the result of a check depends on: the pack, the trusted keys and the engine."""
    keys = settings.law_keys.read_bytes() if settings.law_keys else b""
    digest = hashlib.sha256(f"{engine_version()} {settings.law_unsigned} {len(keys)}\n".encode())
    digest.update(keys + pack)
    return digest.hexdigest()


def check_in_process(
    pack: Path, settings: LawPacks, on_start: Callable[[subprocess.Popen[bytes]], None]
) -> dict[str, Any]:
    """Check a pack in a process of its own.

    Args:
        on_start: takes the process, which may be killed.

    Returns:
        `pack`, the facts of the pack (see `PackCheck`), or `error`, why it is refused; `time`, seconds since 1970; and
        `name`, that of the file.

    Raises:
        LawError: LAW_PACK_INVALID if the check did not end, whatever the reason.
    """
    keys, unsigned = str(settings.law_keys or ""), _YES if settings.law_unsigned else ""
    command = [sys.executable, "-m", __name__, str(pack), keys, unsigned]
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={**os.environ, **_ONE_THREAD},
        process_group=0,
    )
    on_start(child)
    try:
        output, _ = child.communicate(timeout=CHECK_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise _not_checked(pack.name, f"its check took more than {CHECK_SECONDS:g} seconds") from None
    try:
        found: dict[str, Any] = json.loads(output)
    except ValueError:
        raise _not_checked(pack.name, f"its check ended with exit code {child.returncode}") from None
    return {**found, "time": time.time(), "name": pack.name}


def error_of(result: Mapping[str, Any], name: str) -> LawError:
    """Rebuild the error of a check for a file that has what was checked, perhaps under another name."""
    facts = result["error"]
    message = facts["message"].removeprefix(f"{result['name']}: ")
    return LawError(
        facts["reason"],
        f"{name}: {message}",
        field=facts["field"],
        fix=facts["fix"],
        metadata={**facts["metadata"], "pack": name},
    )


def main(pack: str, keys: str, unsigned: str) -> None:
    """Check a pack and print the result."""
    os.nice(_NICENESS)
    from tariffs.engine.law.pack.read import open_trusted_pack
    from tariffs.engine.law.pack.signature import PublicKeys

    try:
        trusted = PublicKeys.read(Path(keys)) if keys else PublicKeys([])
        opened, signer = open_trusted_pack(Path(pack), trusted, unsigned=unsigned == _YES)
        # The engine is loaded for a pack that is trusted alone: that takes most of the time of a refusal.
        from tariffs.engine.validation.law_pack import check_contents

        result: dict[str, Any] = {"pack": check_contents(opened, signer).to_dict()}
    except TariffsError as error:
        names = ("reason", "message", "field", "fix", "metadata")
        result = {"error": {name: getattr(error, name) for name in names}}
    print(json.dumps(result))


def _not_checked(pack: str, problem: str) -> LawError:
    return LawError(
        "LAW_PACK_INVALID",
        f"{pack}: {problem}.",
        field="pack",
        fix="Try `tariffs law test PACK`; touch the file to have it checked again.",
        metadata={"pack": pack},
    )


if __name__ == "__main__":
    main(*sys.argv[1:4])
    sys.stdout.flush()
    # Libraries would take a while to unload.
    os._exit(0)
