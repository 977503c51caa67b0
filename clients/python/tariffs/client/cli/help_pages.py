"""Write help pages: options in groups, those that people use first in full and the others on one line each."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from textwrap import TextWrapper, shorten
from typing import Any

import typer
from typer.core import TyperCommand

from tariffs.run_spec.spec import OPTIONS

QUESTION, _TABLE = "Question", "Table"
_PANELS = (QUESTION, "Trade response", _TABLE, "Output", "Server")
_PANEL_OF = {
    **{one.flag: one.group for one in OPTIONS.values() if one.group in _PANELS},
    **dict.fromkeys(["TABLE", *["--both", "--exports", "--mapping", "--sheet", "--header-row"]], _TABLE),
    **dict.fromkeys(
        [
            "--top",
            "--sort",
            "--view",
            "--output",
            "--report",
            "--lines",
            "--refused",
            "--wide",
            "--brief",
            "--json",
        ],
        "Output",
    ),
    **dict.fromkeys(["--cluster", "--detach", "--target", "--local"], "Server"),
}
"""Group of an option that names none itself, by its name; the others belong to the question."""
_FIRST = frozenset(
    [
        "--scenario",
        "--on",
        "--vary",
        "--response",
        "--horizon",
        "--by",
        "--draws",
        "--baseline",
        "--output",
        "--report",
        "--json",
        "--target",
    ]
)
_WIDEST, _NAMES = 100, 36
_MARKUP = re.compile(r"\\\[")


class HelpPage(TyperCommand):
    """Command with a help page of this module."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the page."""
        width = min(shutil.get_terminal_size((_WIDEST, 0)).columns, _WIDEST)
        formatter.write(
            "\n".join([*self._head(ctx, width), *self._options(ctx, width), *self._foot()]) + "\n"
        )

    def _head(self, ctx: Any, width: int) -> Iterator[str]:
        yield "Usage: " + " ".join([ctx.command_path, *self.collect_usage_pieces(ctx)])
        for paragraph in (self.help or "").split("\n\n"):
            yield from (*TextWrapper(width).wrap(paragraph), "")

    def _options(self, ctx: Any, width: int) -> Iterator[str]:
        shown = [
            one for one in self.get_params(ctx) if not getattr(one, "hidden", False) and one.name != "help"
        ]
        for title in _PANELS:
            here = [one for one in shown if _panel(one) == title]
            if here:
                yield typer.style(title, bold=True)
            for one in sorted(here, key=lambda one: one.param_type_name):
                yield from _lines(one, ctx, width)

    def _foot(self) -> Iterator[str]:
        yield "Options in full: docs/options.md"
        if self.epilog:
            yield from ("", typer.style("Examples", bold=True))
        yield from ("  " + example for example in (self.epilog or "").splitlines())


def _panel(one: Any) -> str:
    if one.rich_help_panel:
        return str(one.rich_help_panel)
    names = {one.metavar, *one.opts} - ({"--target"} if one.metavar == "COLUMN=VALUE" else set())
    return next((panel for name, panel in _PANEL_OF.items() if name in names), QUESTION)


def _lines(one: Any, ctx: Any, width: int) -> list[str]:
    """Write an option in full, or on one line."""
    is_option = one.param_type_name == "option"
    metavar = "" if getattr(one, "is_flag", False) else one.metavar or one.name.upper()
    name = ", ".join(sorted(one.opts, key=len)) if is_option else ""
    head = f"  {name} {metavar}".rstrip()
    text = _MARKUP.sub("[", one.help or "")
    if is_option and one.default and one.default is not True:
        text = f"{text} Default: {one.default}."
    if is_option and not _FIRST & {*one.opts}:
        head = head if len(head) < _NAMES else f"{head[: _NAMES - 5]}... "
        return [head.ljust(_NAMES) + shorten(text, width - _NAMES, placeholder=" ...")]
    lines = TextWrapper(width - _NAMES).wrap(text) or [""]
    if len(head) >= _NAMES:
        lines.insert(0, "")
    return [
        f"{start:<{_NAMES}}{line}".rstrip()
        for start, line in zip([head, *[""] * len(lines)], lines, strict=False)
    ]
