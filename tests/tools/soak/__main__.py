"""`python -m tests.tools.soak [--minutes 10] [--markdown FILE]`: disturb servers under load and check what is promised.

Three servers share a PostgreSQL database and a small state directory, and the shipped client calls them all. Servers
are restarted in turn and killed, workers are killed, the disk is full, the database is restarted, a clock is stepped
and readers stall. Exits with 1 if a call failed for good, a result was wrong or lost, or memory, files or threads grew.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tariffs.client import Client
from tests.tools.soak.callers import Calls, Wanted, calling
from tests.tools.soak.disturbances import disturbed
from tests.tools.soak.report import Soak, claims_of, summary
from tests.tools.soak.samples import sampling
from tests.tools.soak.servers import soaked

CALM_SECONDS = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the servers are disturbed")
    parser.add_argument("--markdown", type=Path, help="write the summary to this file too")
    parser.add_argument("--keep", type=Path, help="folder for logs, kept")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="tariffs-soak-") as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        # PostgreSQL runs as a user of its own.
        folder.chmod(0o755)
        soak = _soak(folder, 60 * given.minutes)
    claims = claims_of(soak)
    text = summary(soak, claims)
    sys.stdout.write(text)
    if given.markdown:
        given.markdown.write_text(text, encoding="utf-8")
    return int(not all(claim.held for claim in claims))


def _soak(folder: Path, seconds: float) -> Soak:
    with soaked(folder) as found:
        with Client(found.steady.target) as client:
            wanted = Wanted.of(client)
        calls = Calls()
        with sampling(found.steady) as samples, calling(found.target, calls, wanted):
            begun = time.monotonic()
            time.sleep(CALM_SECONDS)
            disturbed_at = time.monotonic()
            with disturbed(found) as disturber:
                time.sleep(seconds)
            ended = time.monotonic()
        with Client(found.steady.target) as client:
            left = [run for run in client.runs() if run.state != "succeeded"]
        logs = {server.name: server.log.read_text(encoding="utf-8") for server in found.servers}
        incoming = len(list((found.state / "incoming").iterdir()))
    return Soak(
        (begun, disturbed_at, ended),
        calls,
        disturber,
        samples,
        [f"{run.name} {run.state}" for run in left],
        logs,
        incoming,
    )


if __name__ == "__main__":
    sys.exit(main())
