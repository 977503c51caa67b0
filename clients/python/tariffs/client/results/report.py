"""Write the view of a result as one HTML page that prints on two, without scripts or network."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from tariffs.client.errors import module_of
from tariffs.client.results.view import View

_TEMPLATES = Path(__file__).resolve().parent / "templates"


def report_html(view: View) -> str:
    """Write a view as a document.

    Raises:
        ExtraMissing: the extra `notebook` is not installed.
    """
    text: str = _environment().get_template("report.html.j2").render(view=view)
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
