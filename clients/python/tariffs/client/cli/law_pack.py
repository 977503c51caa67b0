"""`tariffs law build`, `test`, `diff`, `versions` and `watch`: law packs, and the laws of a server."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console
from rich.markup import escape

from tariffs.client._wire.channel import engine_errors
from tariffs.client.cli import options
from tariffs.client.cli.commands import Output, Outputs
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.client import Client
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.law import LawVersion

_LAW_FAULT = 4
_SHOWN = 20


def build(
    directory: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Folder of law data.", exists=True, file_okay=False),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The pack. Default: law-VERSION.tar.zst here."),
    ] = None,
    golden: Annotated[
        Path | None,
        typer.Option(
            "--golden", metavar="DIR", help="Folder of golden cases, which the pack is tested with."
        ),
    ] = None,
    sign: Annotated[
        Path | None,
        typer.Option(
            "--sign", metavar="KEY", help="PEM file of the private Ed25519 key that signs the pack."
        ),
    ] = None,
) -> Output:
    """Build a law pack: the law's files in canonical form, a manifest, golden cases and a signature.

    The same files give the same bytes. Needs the engine in this installation; no server is asked.
    """
    with engine_errors():
        pack: bytes = _engine("law.pack.build").build_pack(directory, golden=golden, key=sign)
        manifest = _engine("law.pack.read").read_pack(pack, str(output or "")).manifest
    path = output or Path(f"law-{manifest.version}.tar.zst")
    path.write_bytes(pack)
    facts = {"pack": str(path), "version": manifest.version, "digest": manifest.digest, "bytes": len(pack)}
    text = f"{escape(str(path))}: law {manifest.version} ({manifest.digest[:12]}), {len(pack):,} bytes"
    return Output(facts, lambda: console().print(text, soft_wrap=True))


def check(
    pack: Annotated[Path, typer.Argument(metavar="PACK", help="Law pack.", exists=True, dir_okay=False)],
    keys: Annotated[
        Path | None,
        typer.Option("--keys", metavar="FILE", help="PEM file of public keys: require a signature by one."),
    ] = None,
) -> Output:
    """Check a law pack as a server does: members, lint, golden cases, and a run. Exit 4 if it is refused."""
    with engine_errors():
        checks = _engine("validation.law_pack")
        if keys is None:
            found = checks.check_pack(pack).to_dict()
        else:
            trusted = _engine("law.pack.signature").PublicKeys.read(keys)
            found = checks.check_trusted_pack(pack, trusted, unsigned=False).to_dict()
    signed = f"signed by {found['key_id']}" if found["key_id"] else "signed"
    text = (
        f"{escape(found['pack'])}: law {found['version']} ({found['digest'][:12]}), {found['cases']} golden cases, "
        f"{signed if found['key_id'] or found['is_signed'] else 'not signed'}"
    )
    return Output(found, lambda: console().print(text, soft_wrap=True))


def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="Pack, folder of law data, or `builtin`.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Pack, folder of law data, or `builtin`.")],
    table: Annotated[
        Path | None, typer.Argument(metavar="TABLE", help="Trade table: list the lines whose duty differs.")
    ] = None,
    on: options.On = None,
) -> Output:
    """Compare two laws: the measures that differ in words, and with TABLE the lines whose duty moves.

    Needs the engine in this installation; no server is asked.
    """
    for name in (first, second):
        if name != "builtin" and not Path(name).exists():
            raise InvalidRequest(
                "LAW_VERSION_NOT_FOUND",
                f"There is no law pack or folder {name!r}.",
                field="law",
                fix="Give a path, or `builtin`.",
            )
    with engine_errors():
        laws = _engine("runs.law_history.law_diff")
        found: dict[str, Any] = laws.compare_laws(first, second, table and str(table), on or "").to_dict()
    return Output(found, lambda: _print_diff(console(), found))


def versions(client: Client) -> Output:
    """List the laws that calls may name, the newest first, and packs that were refused. Exit 4 if one was."""
    found = client.law_versions()
    is_refused = any(one.state == "refused" for one in found)
    return Output(
        {"versions": found}, lambda: _print_versions(console(), found), _LAW_FAULT if is_refused else 0
    )


def watch(
    client: Client,
    count: Annotated[int, typer.Option("--count", help="End after so many lists; 0 is never.")] = 0,
) -> Outputs:
    """Print what `law versions` lists, at once and whenever it changes: a line of JSON, or a line a law and pack."""
    for found in islice(client.watch_law_versions(), count or None):
        lines = [*map(_watched_line, found), ""]
        yield Output({"versions": found}, partial(print, "\n".join(lines)))


def _watched_line(one: LawVersion) -> str:
    name = f"{one.version}@{one.digest[:12]}" if one.version else one.pack
    words = [one.state_time, name, one.state, *_standing(one), one.reason, one.message]
    return "  ".join(word for word in words if word)


def _standing(one: LawVersion) -> list[str]:
    return [name for name, is_it in (("default", one.is_default), ("latest", one.is_latest)) if is_it]


def _engine(module: str) -> Any:
    # By name at run time: the client does not depend on the engine.
    return cast(Any, importlib.import_module(f"tariffs.engine.{module}"))


def _print_versions(out: Console, found: Sequence[LawVersion]) -> None:
    rows = [
        (
            one.version,
            one.digest[:12],
            one.as_of,
            one.read_to,
            one.pack or ("built in" if one.version else ""),
            ", ".join(_standing(one)) or one.state,
        )
        for one in found
    ]
    out.print(text_table(["version", "digest", "as of", "read to", "pack", ""], rows))
    for one in found:
        if one.message:
            out.print(
                f"{escape(one.pack)}: {one.reason}: {escape(one.message)} {escape(one.fix)}", soft_wrap=True
            )


def _print_diff(out: Console, found: Mapping[str, Any]) -> None:
    first, second = found["first"], found["second"]
    out.print(
        f"law {first['version']} ({first['digest'][:12]}) to {second['version']} ({second['digest'][:12]})"
    )
    for one in found["differences"]:
        out.print(f"{escape(one['id'])}: {escape(one['text'])}", soft_wrap=True)
    for text in found["other"]:
        out.print(escape(text), soft_wrap=True)
    if not found["differences"] and not found["other"]:
        out.print("no difference")
    lines = found["lines"]
    if lines is not None:
        out.print()
        out.print(
            f"{found['moved']:,} of {found['rows']:,} lines move, on {found['on']}; duty {found['change']:+,.2f}"
        )
        numbers = right("duty before", "duty after", "change")
        rows = [
            (str(one["row"]), one["hts"], one["origin"], *(f"{one[name]:,.2f}" for name in _NUMBERS))
            for one in lines[:_SHOWN]
        ]
        out.print(text_table(["row", "hts", "origin", *numbers], rows))


_NUMBERS = ("duty_before", "duty_after", "change")
