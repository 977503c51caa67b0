"""Building the wheel and installing it where nothing else is: shared by the tests of this folder."""

from __future__ import annotations

import re
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE_ROOTS = ("engine", "service", "clients/python", "proto")
PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ ;\\]+)(?P<marker> ;[^\\]*)?", re.MULTILINE)


@dataclass(frozen=True)
class Environment:
    """A virtual environment of its own, with nothing of this project's checkout on its path."""

    folder: Path

    def run(self, *arguments: str, **options: str) -> subprocess.CompletedProcess[str]:
        """Run one of the environment's programs away from the checkout; the exit code is the caller's to read."""
        program = str(self.folder / "bin" / arguments[0])
        quiet = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder)}
        quiet["NUMBA_CACHE_DIR"] = str(self.folder / "numba")
        return outcome([program, *arguments[1:]], self.folder, quiet | options)


def outcome(
    command: list[str], folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder, with what it prints as text."""
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL
    )  # fmt: skip


def build_wheel(folder: Path) -> Path:
    """Build the wheel from the checkout with the tools of this environment."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    (wheel,) = folder.glob("tariffs-*.whl")
    return wheel


def pins(lock: str) -> dict[str, set[str]]:
    """Name -> versions that a lock file allows."""
    found: dict[str, set[str]] = {}
    for pin in PIN.finditer(lock):
        found.setdefault(pin["name"], set()).add(pin["version"])
    return found


def install(wheel: Path, folder: Path, extras: str = "") -> Environment:
    """A fresh environment with the wheel in it, at the versions of requirements.lock."""
    venv.create(folder / "env", with_pip=True)
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(pin[0].strip() for pin in PIN.finditer(lock)), encoding="utf-8")
    pip = [str(folder / "env" / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    pip += ["--disable-pip-version-check", "--only-binary", ":all:", "--constraint", str(constraints)]
    subprocess.run([*pip, f"{wheel}{extras}"], check=True, capture_output=True, timeout=400)
    return Environment(folder / "env")
