"""List the laws that a server would serve, for `tariffs serve --check`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from tariffs.engine.errors import InputError
from tariffs.service.rpc.law_versions import UnservedPack
from tariffs.service.rpc.laws import LAWS, ServedLaw
from tariffs.service.server.law_watch import LawWatch
from tariffs.service.settings.settings import Settings
from tariffs.service.storage.storage import Storage


def law_lines(settings: Settings) -> Iterator[str]:
    """Check the packs of the directory, and list the laws served, the newest first, and the packs refused.

    Raises:
        InputError: SETTING_INVALID if a server with these settings would not serve.
    """
    with TemporaryDirectory(prefix="tariffs-check-") as place:
        # Nothing is written to the state of a server that may be running.
        own = settings.model_copy(update={"state_dir": Path(place), "database_url": None})
        with (
            closing(Storage(own, str)) as storage,
            closing(LawWatch(own, storage, (), 0.0)) as watch,
        ):
            watch.first_look()
            yield from map(_served, LAWS.served)
            yield from map(_refused, watch.unserved)
            if watch.fault:
                raise InputError(
                    "SETTING_INVALID",
                    f"A server would wait before it serves: {watch.fault.rstrip('.')}.",
                    fix="Mount the directory TARIFFS_LAW_DIR, and put the packs there.",
                )


def _served(one: ServedLaw) -> str:
    marks = [
        mark
        for mark, holds in (
            ("latest", one is LAWS.served[0]),
            ("default", one.digest == LAWS.default.digest),
        )
        if holds
    ]
    return f"law {one.version}: {', '.join(['served', *marks])}  ({one.pack or 'built in'})"


def _refused(one: UnservedPack) -> str:
    assert one.error is not None
    return f"pack {one.pack}: refused, {one.error.reason}: {one.error.message}"
