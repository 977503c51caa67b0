"""Draw the picture of a report in the README from a run; needs Chromium, the server's and the notebook's packages.

`python -m tariffs.reference_pages.picture docs/report.png`
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tariffs.client import Client

SCENARIOS, DAY, DRAWS, SEED = ("base", "ieepa-upheld-truce-lapsed"), "2026-11-20", 32, 1
QUESTION = "What would it cost if the IEEPA duties stood and the truce with China had lapsed?"
_SIZE = "780,1240"


def draw(path: Path) -> None:
    """Write the first screen of the report as PNG.

    Raises:
        FileNotFoundError: Chromium is not installed.
    """
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        raise FileNotFoundError("Chromium is not installed: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder, Client.local() as client:
        page = Path(folder) / "report.html"
        result = client.impact(scenarios=SCENARIOS, on=DAY, by=["origin"], draws=DRAWS, seed=SEED)
        result.report(page, question=QUESTION, law=client.legal_text(result))
        options = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={_SIZE}"]
        words = [browser, *options, f"--screenshot={path.resolve()}", page.as_uri()]
        subprocess.run(words, check=True, capture_output=True)


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
