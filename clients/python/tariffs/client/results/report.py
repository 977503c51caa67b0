"""Write the view of a result as one HTML page that prints on two, without scripts or network."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from tariffs.client.errors import module_of
from tariffs.client.results.output_files import write_report
from tariffs.client.results.view import View

_TEMPLATES = Path(__file__).resolve().parent / "templates"


class Reported:
    """Result with a view, which makes its report."""

    __slots__ = ()

    def to_view(self) -> View:
        """Describe the result in plain data for readers."""
        raise NotImplementedError

    def report(self, path: str | Path | None = None) -> str:
        """Write the result as one HTML page, which needs no network.

        Args:
            path: file to write it to, if any.

        Raises:
            InvalidRequest: the name of the file ends in neither .html nor .htm.
            ExtraMissing: the extra `notebook` is not installed.
        """
        return report_html(self.to_view(), path)


def report_html(view: View, path: str | Path | None = None) -> str:
    """Write a view as a document, and to a file if one is named; raises as `Reported.report`."""
    text: str = _environment().get_template("report.html.j2").render(view=view)
    if path is not None:
        write_report(path, text)
    return text


@cache
def _environment() -> Any:
    jinja2 = module_of("notebook", "jinja2")
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
