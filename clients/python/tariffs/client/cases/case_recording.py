"""Write what came of cases into their files, in place of what they expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from tariffs.client.cases.case_check import CaseResult
from tariffs.client.cases.case_file import name_of
from tariffs.client.cases.values import CaseDifference
from tariffs.client.errors import module_of

_WIDTH = 110


def record_cases(results: Iterable[CaseResult]) -> list[CaseResult]:
    """Write the values that came of all cases that can be recorded into their files; return those cases.

    Nothing but what these cases expect is written: comments and layout of all else stay. A difference without a place,
    such as one from a source that the case cites, is left for a person to mend.

    Raises:
        ExtraMissing: the `cli` extra is not installed.
        OSError: a file cannot be written.
    """
    recorded = [one for one in results if any(part.place is not None for part in one.differences)]
    for file in dict.fromkeys(one.file for one in recorded):
        moved = {one.id: one.differences for one in recorded if one.file == file}
        path = Path(file)
        path.write_text(_rewritten(path.read_text(encoding="utf-8"), moved), encoding="utf-8")
    return recorded


def _rewritten(text: str, moved: Mapping[str, Sequence[CaseDifference]]) -> str:
    yaml = module_of("cli", "yaml")
    root = yaml.compose(text, Loader=yaml.BaseLoader)
    plain = yaml.load(text, Loader=yaml.BaseLoader)
    # From the end, so that places before a change stay what they were.
    for name, node, expect in reversed([*_cases(root, plain)]):
        if name in moved:
            text = _with_expect(text, node, _applied(expect, moved[name]))
    return text


def _cases(root: Any, plain: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """List name, node and expectations of each case, in the order of the file."""
    for key, items in root.value:
        if key.value in {"cases", "tables"}:
            for number, (node, raw) in enumerate(zip(items.value, plain[key.value], strict=True), 1):
                yield name_of(raw.get("id"), key.value, number), node, raw.get("expect", {})


def _applied(expect: Any, differences: Sequence[CaseDifference]) -> Any:
    """Put what came into the places where it belongs; from the last, so that numbers in lists stay right."""
    found = deepcopy(expect)
    for one in reversed(differences):
        if one.place is None:
            continue
        if not one.place:
            return one.came
        holder = found
        for part in one.place[:-1]:
            holder = holder[part]
        if one.came is None:
            del holder[one.place[-1]]
        else:
            holder[one.place[-1]] = one.came
    return found


def _with_expect(text: str, node: Any, expect: Any) -> str:
    """Write the expectations of one case, in the style of its node."""
    keys = {key.value: (key, value) for key, value in node.value}
    is_flow, column = bool(node.flow_style), node.value[0][0].start_mark.column
    if "expect" in keys:
        key, value = keys["expect"]
        start, end, lead = key.start_mark.index, _end(text, value), ""
    else:
        start = end = _end(text, node.value[-1][1])
        lead = ", " if is_flow else "\n" + " " * column
    return f"{text[:start]}{lead}expect:{_dumped(expect, is_flow, column + 2)}{text[end:]}"


def _end(text: str, node: Any) -> int:
    """Find the end of a node without the space and comments that follow it."""
    if isinstance(node.value, list) and node.value and not node.flow_style:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    return len(text[: node.end_mark.index].rstrip())


def _dumped(expect: Any, is_flow: bool, column: int) -> str:
    """Write expectations beside their key if they fit there, else below it: innermost lists and mappings on a line."""
    yaml, written = module_of("cli", "yaml"), {"sort_keys": False, "allow_unicode": True}
    line = yaml.dump(expect, Dumper=_dumper(), default_flow_style=True, width=float("inf"), **written).strip()
    if is_flow or column + len(line) < _WIDTH:
        return f" {line}"
    block = yaml.dump(expect, Dumper=_dumper(), default_flow_style=None, width=_WIDTH, **written).strip()
    return "\n" + "\n".join(" " * column + one for one in block.splitlines())


@cache
def _dumper() -> Any:
    """Make a writer that leaves all values text: amounts and headings without quotation marks."""
    yaml = module_of("cli", "yaml")

    class Text(yaml.SafeDumper):  # type: ignore[misc,name-defined]
        yaml_implicit_resolvers: Mapping[str, Any] = {}

    return Text
