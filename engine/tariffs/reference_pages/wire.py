"""Write the reference of the wire from the comments of the contract, a page for each .proto file."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import descriptor_pb2 as pb

_MESSAGES, _ENUMS, _SERVICES, _SYNTAX = 4, 5, 6, 12
_FIELDS, _NESTED, _NESTED_ENUMS, _VALUES, _METHODS = 2, 3, 4, 2, 2
_PACKAGE = "tariffs.v1"
_KIND = pb.FieldDescriptorProto


def pages(root: Path) -> dict[str, str]:
    """Write the pages of all files of the contract.

    Args:
        root: top folder of the checkout.

    Returns:
        Markdown by the name of the page, and an index as `README.md`.
    """
    files = _files(root)
    links = {name: f"{_page(file)}#{anchor}" for file in files for name, anchor in _names(file)}
    written = {_page(file): "\n".join(_file_lines(file, links)) + "\n" for file in files}
    rows = [f"- [{_stem(file)}]({_page(file)}): {_comment(file, (_SYNTAX,))}" for file in files]
    head = ["# The wire", "", "Package `tariffs.v1`, from the comments of its `.proto` files.", ""]
    return {"README.md": "\n".join([*head, *rows, ""]), **written}


def _files(root: Path) -> list[pb.FileDescriptorProto]:
    """Describe the files of the contract with their comments."""
    proto = root / "proto"
    sources = sorted(path.relative_to(proto).as_posix() for path in proto.glob("tariffs/**/*.proto"))
    included = (proto, root / "third_party", Path(sysconfig.get_path("purelib")) / "grpc_tools" / "_proto")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "contract"
        options = [
            "--include_source_info",
            f"--descriptor_set_out={out}",
            *(f"-I{path}" for path in included),
        ]
        subprocess.run(
            [sys.executable, "-m", "grpc_tools.protoc", *options, *sources], check=True, timeout=60
        )
        return list(pb.FileDescriptorSet.FromString(out.read_bytes()).file)


@dataclass(frozen=True, slots=True)
class _Place:
    """Message or enum of a file: its full name, its path among the locations of the file, and itself."""

    name: str
    path: tuple[int, ...]
    item: pb.DescriptorProto | pb.EnumDescriptorProto


def _places(file: pb.FileDescriptorProto) -> Iterator[_Place]:
    for place, message in enumerate(file.message_type):
        yield from _of_message(message.name, (_MESSAGES, place), message)
    for place, enum in enumerate(file.enum_type):
        yield _Place(enum.name, (_ENUMS, place), enum)


def _of_message(name: str, path: tuple[int, ...], message: pb.DescriptorProto) -> Iterator[_Place]:
    if message.options.map_entry:
        return
    yield _Place(name, path, message)
    for place, nested in enumerate(message.nested_type):
        yield from _of_message(f"{name}.{nested.name}", (*path, _NESTED, place), nested)
    for place, enum in enumerate(message.enum_type):
        yield _Place(f"{name}.{enum.name}", (*path, _NESTED_ENUMS, place), enum)


def _names(file: pb.FileDescriptorProto) -> Iterator[tuple[str, str]]:
    for place in _places(file):
        yield f".{_PACKAGE}.{place.name}", place.name


def _file_lines(file: pb.FileDescriptorProto, links: dict[str, str]) -> Iterator[str]:
    yield f"# {_stem(file)}"
    yield ""
    yield _comment(file, (_SYNTAX,))
    for place, service in enumerate(file.service):
        yield from _service_lines(file, (_SERVICES, place), service, links)
    for found in _places(file):
        yield ""
        yield f"## {found.name} {{ #{found.name} }}"
        yield ""
        yield _comment(file, found.path)
        if isinstance(found.item, pb.DescriptorProto):
            yield from _field_lines(file, found.path, found.item, links)
        else:
            rows = [
                [f"`{value.name}`", str(value.number), _comment(file, (*found.path, _VALUES, number))]
                for number, value in enumerate(found.item.value)
            ]
            yield from _table(("value", "number", ""), rows)


def _service_lines(
    file: pb.FileDescriptorProto,
    path: tuple[int, ...],
    service: pb.ServiceDescriptorProto,
    links: dict[str, str],
) -> Iterator[str]:
    yield ""
    yield f"## {service.name} {{ #{service.name} }}"
    yield ""
    yield _comment(file, path)
    rows = []
    for place, method in enumerate(service.method):
        takes, gives = (_linked(name, links) for name in (method.input_type, method.output_type))
        takes = f"stream of {takes}" if method.client_streaming else takes
        gives = f"stream of {gives}" if method.server_streaming else gives
        rows.append([f"`{method.name}`", takes, gives, _comment(file, (*path, _METHODS, place))])
    yield from _table(("method", "takes", "gives", ""), rows)


def _field_lines(
    file: pb.FileDescriptorProto,
    path: tuple[int, ...],
    message: pb.DescriptorProto,
    links: dict[str, str],
) -> Iterator[str]:
    entries = {entry.name: entry for entry in message.nested_type if entry.options.map_entry}
    rows = []
    for place, field in enumerate(message.field):
        entry = entries.get(field.type_name.rpartition(".")[2])
        if entry is not None:
            kind = f"map from {_type(entry.field[0], links)} to {_type(entry.field[1], links)}"
        else:
            repeated = "repeated " if field.label == _KIND.LABEL_REPEATED else ""
            optional = "optional " if field.proto3_optional else ""
            kind = f"{repeated}{optional}{_type(field, links)}"
        rows.append([f"`{field.name}`", kind, str(field.number), _comment(file, (*path, _FIELDS, place))])
    yield from _table(("field", "type", "number", ""), rows)


def _type(field: pb.FieldDescriptorProto, links: dict[str, str]) -> str:
    if field.type_name:
        return _linked(field.type_name, links)
    return _KIND.Type.Name(field.type).removeprefix("TYPE_").lower()


def _linked(name: str, links: dict[str, str]) -> str:
    short = name.removeprefix(f".{_PACKAGE}.").lstrip(".")
    return f"[{short}]({links[name]})" if name in links else f"`{short}`"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def _comment(file: pb.FileDescriptorProto, path: Sequence[int]) -> str:
    """Read the comment of a location, on one line."""
    found = next((one for one in file.source_code_info.location if list(one.path) == list(path)), None)
    if found is None:
        return ""
    texts = [found.leading_comments, found.trailing_comments] if found.leading_comments else []
    texts = texts or [*found.leading_detached_comments, found.trailing_comments]
    return " ".join(" ".join(texts).split())


def _stem(file: pb.FileDescriptorProto) -> str:
    return Path(file.name).stem


def _page(file: pb.FileDescriptorProto) -> str:
    return f"{_stem(file)}.md"
