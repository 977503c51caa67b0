"""Generate the Python code of the wire contract beside the .proto files: run by `make gen`.

The output depends on the .proto files and the pinned grpcio-tools alone, so running it twice leaves git clean.
"""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent
IMPORTED = (ROOT.parent / "third_party", files("grpc_tools") / "_proto")


def generate(out: Path) -> list[str]:
    """Write messages, stubs and type stubs of every .proto under `out`; give the names of the sources.

    Raises:
        SystemExit: protoc refuses a source; it has said why on stderr.
    """
    sources = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("tariffs/**/*.proto"))
    outputs = [f"--{kind}={out}" for kind in ("python_out", "pyi_out", "grpc_python_out")]
    paths = [f"--proto_path={path}" for path in (ROOT, *IMPORTED)]
    if protoc.main(["protoc", *paths, *outputs, *sources]):
        raise SystemExit(1)
    return sources


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    sys.stdout.write("".join(f"generated {name}\n" for name in generate(target)))
