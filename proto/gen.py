"""Generate the Python code of the wire contract beside the .proto files, and what the list of run options makes.

Run by `make gen`. An option of runs that a request does not have yet is appended to its message with a new number.
Messages of declared questions are written whole, and so are `run_spec/typed.py` and what `gen_questions.py` makes. The
output depends on the .proto files, the lists and the pinned grpcio-tools alone, so running it twice leaves git clean.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from textwrap import wrap

from grpc_tools import protoc

import gen_questions
from tariffs.run_spec.option import IMPACT, LINES, SEEK, SWEEP, TIMELINE, Kind, RunOption
from tariffs.run_spec.spec import OPTIONS, taken

ROOT = Path(__file__).resolve().parent
IMPORTED = (ROOT.parent / "third_party", files("grpc_tools") / "_proto")
TYPED = "tariffs/run_spec/typed.py"
_FIELD_TYPES = {
    Kind.DAY: "string",
    Kind.TEXT: "string",
    Kind.KEYS: "repeated string",
    Kind.PAIRS: "map<string, string>",
    Kind.TABLE: "string",
    Kind.FLAG: "bool",
    Kind.NUMBER: "double",
    Kind.WHOLE: "uint64",
}
_MESSAGES = {
    IMPACT: ("simulation_service", "SimulateRequest"),
    TIMELINE: ("simulation_service", "TimelineRequest"),
    SWEEP: ("simulation_service", "SweepRequest"),
    SEEK: ("sweep_service", "SeekRequest"),
    LINES: ("simulation_service", "LinesConfig"),
}
_PYTHON_TYPES = {
    Kind.DAY: "Day | None",
    Kind.TEXT: "str",
    Kind.KEYS: "Sequence[str]",
    Kind.PAIRS: "Mapping[str, str] | None",
    Kind.VALUES: "Parameters | None",
    Kind.PARAMETER_SET: "str | Path | None",
    Kind.TABLE: "str | Path | None",
    Kind.FLAG: "bool",
    Kind.NUMBER: "float",
    Kind.WHOLE: "int",
    Kind.CHOICE: "str",
}
# The others are arguments of the methods.
_ARGUMENTS = ("on", "by")
_CLASSES = {
    "LawOptions": ("Options of the goods and the law: of rows, entries and lists of changes.", (LINES,)),
    "ResponseOptions": ("Options of sweeps and seeks.", (SWEEP, SEEK)),
    "TimelineOptions": ("Options of timelines.", (TIMELINE,)),
    "RunOptions": ("Options of impacts.", (IMPACT,)),
}
_HEAD = '''"""Options of runs as keyword arguments, for type checkers and `help`: made from `spec.py` by `make gen`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

from tariffs.run_spec.option import Day, Parameters
'''


def with_run_options(root: Path = ROOT) -> dict[Path, str]:
    """Return the .proto files of runs, each option of runs appended to the requests of its verbs that do not have it.

    Raises:
        SystemExit: an option is a choice, whose enum has a text for each value.
    """
    paths = {name: root / "tariffs" / "v1" / f"{name}.proto" for name, _ in _MESSAGES.values()}
    texts = {name: path.read_text(encoding="utf-8") for name, path in paths.items()}
    bodies = {verb: _body(texts[name], message) for verb, (name, message) in _MESSAGES.items()}
    used = max(int(number) for body in bodies.values() for number in re.findall(r" = (\d+);", body))
    for one in OPTIONS.values():
        if one.name in _ARGUMENTS or one.kind is Kind.PARAMETER_SET:
            continue
        names = rf" ({one.name}|{one.wire}) = \d+;"
        lacking = [verb for verb in one.verbs if not re.search(names, bodies[verb])]
        if lacking and one.kind not in _FIELD_TYPES:
            raise SystemExit(
                f"Write the enum and the fields of {one.name} in the requests of {', '.join(lacking)}."
            )
        used += 1 if lacking else 0
        for verb in lacking:
            name, _ = _MESSAGES[verb]
            longer = bodies[verb] + _field(one, used)
            texts[name] = texts[name].replace(bodies[verb], longer)
            bodies[verb] = longer
    return {path: texts[name] for name, path in paths.items()}


def typed() -> str:
    """Write the module of keyword arguments."""
    classes = ("\n".join(_class(name, title, verbs)) for name, (title, verbs) in _CLASSES.items())
    return "\n\n".join([_HEAD, *classes])


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


def _body(text: str, message: str) -> str:
    """Find the text of a message from its name to its last field."""
    return text[text.index(f"message {message} {{") :].partition("\n}")[0] + "\n"


def _field(one: RunOption, number: int) -> str:
    comment = "\n".join(f"  // {line}" for line in wrap(one.text, 115))
    return f"{comment}\n  {_FIELD_TYPES[one.kind]} {one.wire} = {number};\n"


def _class(name: str, title: str, verbs: tuple[str, ...]) -> Iterator[str]:
    fields: Mapping[str, RunOption] = {
        one.name: one for verb in verbs for one in taken(verb) if one.name not in _ARGUMENTS
    }
    yield f'class {name}(TypedDict, total=False):\n    """{title}\n\n    Attributes:'
    for one in fields.values():
        choices = f" One of {', '.join(one.choices)}." if one.kind is Kind.CHOICE else ""
        yield from wrap(
            f"{one.name}: {one.text}{choices}", 120, initial_indent=" " * 8, subsequent_indent=" " * 12
        )
    yield '    """\n'
    yield from (f"    {one.name}: {_PYTHON_TYPES[one.kind]}" for one in fields.values())
    yield ""


def written(root: Path = ROOT.parent) -> dict[Path, str]:
    """Return every text that the lists of options and questions make, by its path; not the code of protoc."""
    texts = with_run_options(root / "proto")
    return texts | gen_questions.made(root, texts) | {root / "proto" / TYPED: typed()}


def main(given: list[str]) -> None:
    """Write what the lists make and generate the code of the messages; with `--check` only compare the texts.

    Raises:
        SystemExit: a committed text is not what the lists make, or protoc refuses a source.
    """
    texts = written()
    if "--check" in given:
        stale = [path for path, text in texts.items() if path.read_text(encoding="utf-8") != text]
        if stale:
            raise SystemExit(
                "\n".join(["Run `make gen`; these files are not what the lists make:", *map(str, stale)])
            )
        return
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    target = Path(given[0]) if given else ROOT
    sys.stdout.write("".join(f"generated {name}\n" for name in generate(target)))


if __name__ == "__main__":
    main(sys.argv[1:])
