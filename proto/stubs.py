"""Generate the packages of stubs for TypeScript and Go in build/stubs: run by `make stubs`.

The plugins are those of registries: protoc-gen-es of npm, at the versions of clients/typescript/package-lock.json, and
protoc-gen-go and protoc-gen-go-grpc of Debian. A language whose plugins are missing is left out by name.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parents[1]
OUT, NODE = ROOT / "build" / "stubs", ROOT / "build" / "node"
TYPESCRIPT, GO = ROOT / "clients" / "typescript", ROOT / "clients" / "go"
NPM_SECONDS = 120
_IMPORTED = (ROOT / "proto", ROOT / "third_party", files("grpc_tools") / "_proto")
_GO_MODULE, _GO_PACKAGE = "tariffs.internal/stubs", "tariffs.internal/stubs/tariffsv1"
# Go has packages of these already; two copies of one message in a program are an error.
_GO_IMPORTS = {
    "google/longrunning/operations.proto": "cloud.google.com/go/longrunning/autogen/longrunningpb",
    "google/rpc/status.proto": "google.golang.org/genproto/googleapis/rpc/status",
}


class MissingError(Exception):
    """A plugin is not installed; the text says what to install."""


def version() -> str:
    """Return the version of the project, which the packages have too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def sources(folder: str) -> list[str]:
    """List the .proto files of a folder as they are imported."""
    root = ROOT / folder
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*.proto"))


def node_modules() -> Path:
    """Install the tools of the TypeScript package in build/node, unless they are there, and return their folder.

    Raises:
        MissingError: npm is not there, or cannot install.
    """
    lock, seen = TYPESCRIPT / "package-lock.json", NODE / "package-lock.json"
    if seen.is_file() and seen.read_bytes() == lock.read_bytes() and (NODE / "installed").is_file():
        return NODE / "node_modules"
    if shutil.which("npm") is None:
        raise MissingError("npm is not installed: apt-get install npm")
    NODE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(TYPESCRIPT / name, NODE / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        subprocess.run(command, cwd=NODE, check=True, capture_output=True, timeout=NPM_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise MissingError(f"npm cannot install: {error}") from error
    (NODE / "installed").touch()
    return NODE / "node_modules"


def typescript(out: Path = OUT / "typescript") -> Path:
    """Generate the TypeScript package, with the messages that the contract imports.

    Raises:
        MissingError: protoc-gen-es cannot be installed.
    """
    plugin = node_modules() / ".bin" / "protoc-gen-es"
    _clear(out)
    _generate(
        [f"--plugin=protoc-gen-es={plugin}", f"--es_out={out}", "--es_opt=target=js+dts,import_extension=js"],
        [*sources("proto"), *sources("third_party")],
    )
    package = json.loads((TYPESCRIPT / "package.json").read_text(encoding="utf-8"))
    package["version"] = version()
    del package["devDependencies"]
    (out / "package.json").write_text(json.dumps(package, indent=2) + "\n", encoding="utf-8")
    shutil.copy(ROOT / "LICENSE", out)
    return out


def go(out: Path = OUT / "go") -> Path:
    """Generate the Go module.

    Raises:
        MissingError: protoc-gen-go or protoc-gen-go-grpc is not installed.
    """
    for plugin in ("protoc-gen-go", "protoc-gen-go-grpc"):
        if shutil.which(plugin) is None:
            raise MissingError(f"{plugin} is not installed: apt-get install {plugin}")
    _clear(out)
    packages = {**dict.fromkeys(sources("proto"), _GO_PACKAGE), **_GO_IMPORTS}
    options = [f"M{name}={package}" for name, package in packages.items()] + [f"module={_GO_MODULE}"]
    arguments = [f"--{kind}_opt={option}" for kind in ("go", "go-grpc") for option in options]
    _generate([f"--go_out={out}", f"--go-grpc_out={out}", *arguments], sources("proto"))
    shutil.copy(GO / "go.mod", out)
    shutil.copy(ROOT / "LICENSE", out)
    return out


def _clear(out: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)


def _generate(arguments: Iterable[str], names: Iterable[str]) -> None:
    paths = [f"--proto_path={path}" for path in _IMPORTED]
    if protoc.main(["protoc", *paths, *arguments, *names]):
        raise SystemExit(1)


def main() -> int:
    """Generate every package whose plugins are there; say which are not."""
    for make in (typescript, go):
        try:
            sys.stdout.write(f"generated {make().relative_to(ROOT)}\n")
        except MissingError as error:
            sys.stdout.write(f"left out {make.__name__}: {error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
