"""Write a result as one HTML file: tables, charts, notes and inputs, printable, without scripts or network."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape

from tariffs.client.errors import ExtraMissing
from tariffs.client.results import html
from tariffs.client.results.charts import Figure
from tariffs.client.results.legal_text import LegalText

_STYLE = (
    "body{margin:1em}figure{margin:1.2em 0}h1{font-size:1.5em}h2{font-size:1.15em;margin:1.2em 0 .3em}"
    "main .tariffs{max-width:90em}main p,main ul{max-width:70em}figcaption{margin-bottom:.3em}"
    "figcaption,main .tariffs caption{font-weight:600;color:#1a202c;text-align:left}"
    "@page{size:landscape;margin:12mm}@media print{body{margin:0}main .tariffs{font-size:10px;max-width:none;padding:0}"
    "main .tariffs .wide{overflow:visible}tr,figure{break-inside:avoid}thead{display:table-header-group}"
    "h2,figcaption{break-after:avoid}details::details-content{content-visibility:visible;display:block;height:auto}"
    "main .tariffs td,main .tariffs th{padding:.1em .4em}main .tariffs pre,main .tariffs td{overflow-wrap:anywhere}}"
)


def report_html(headline: str, question: str, law_line: str, body: Iterable[str]) -> str:
    """Write the document.

    Args:
        headline: what the result is, its title.
        question: question that it answers, in the words of the author; may be empty.
        law_line: the law that it was computed under.
        body: its parts as HTML.
    """
    parts = [
        f"<h1>{escape(question or headline)}</h1>",
        html.paragraph(headline) if question else "",
        html.paragraph(law_line),
        *body,
    ]
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(question or headline)}</title><style>{_STYLE}</style></head><body>"
        f"<main>{html.block(*parts)}</main></body></html>\n"
    )


def report_parts(
    *,
    sections: Sequence[str],
    figures: Callable[[], list[Figure]],
    refused: str,
    notes: Iterable[html.NoteLike],
    provenance: Mapping[str, object],
    law: LegalText | None = None,
) -> list[str]:
    """Write the parts of a report below its title.

    Args:
        sections: HTML of the tables of the result.
        figures: makes its charts; without the extra `notebook` the report says that they are left out.
        refused: HTML of the refused rows.
        notes: notes on the result.
        provenance: its inputs.
        law: the law behind it in words, if it was looked up.
    """
    switches = dict(_items(provenance.get("switches")))
    doubts = law.doubts({str(name): value for name, value in switches.items()}) if law else _doubts(switches)
    return [
        *sections,
        *drawn(figures),
        refused,
        _part("Notes", html.items(html.merged_notes(notes))),
        _part("Scenarios", law.scenarios_html() if law else _scenarios(provenance)),
        _part("Doubts", html.items([*doubts, *_ignored(provenance)])),
        _part("Legal sources", law.sources_html() if law else ""),
        _part("Inputs", html.items(_digests(provenance)) + _inputs(provenance)),
    ]


def drawn(figures: Callable[[], list[Figure]]) -> list[str]:
    """Draw the charts of a report; without the extra `notebook` a paragraph says that they are left out."""
    try:
        return [
            f"<figure><figcaption>{escape(one.title)}</figcaption>"
            f'<div role="img" aria-label="{escape(one.alt)}">{one.to_svg()}</div></figure>'
            for one in figures()
        ]
    except ExtraMissing as error:
        return [html.paragraph(f"Charts are left out: {error.fix}", "dim")]


def _part(title: str, body: str) -> str:
    return f"{html.title(title)}{body}" if body else ""


def _doubts(switches: Mapping[object, object]) -> list[str]:
    """List the open points of the law that the result depends on."""
    return [f"Open point {name}, taken as {value}" for name, value in switches.items()]


def _ignored(provenance: Mapping[str, object]) -> list[str]:
    """Say what the model of the response ignores."""
    details = provenance.get("details")
    model = details.get("model") if isinstance(details, Mapping) else None
    ignored = model.get("ignores") if isinstance(model, Mapping) else None
    return [f"The model ignores {', '.join(map(str, ignored))}."] if ignored else []


def _digests(provenance: Mapping[str, object]) -> list[str]:
    """Name the digest of the run, by which the same result is known, and the versions that made it."""
    names = {
        "run_digest": "Run",
        "law_version": "Law",
        "law_digest": "Digest of the law",
        "engine_version": "Engine",
    }
    return [f"{word}: {provenance[name]}" for name, word in names.items() if provenance.get(name)]


def _scenarios(provenance: Mapping[str, object]) -> str:
    request = provenance.get("request")
    given = request.get("scenarios", []) if isinstance(request, Mapping) else []
    texts = [html.folded("Text of a scenario", html.code(one["text"])) for one in given if one.get("text")]
    names = provenance.get("scenarios")
    listed = [f"{one['id']} ({one['digest'][:12]})" for one in names] if isinstance(names, list) else []
    return html.items(listed) + "".join(texts)


def _inputs(provenance: Mapping[str, object]) -> str:
    rows = [
        [name, value if isinstance(value, str) else json.dumps(value, sort_keys=True)]
        for name, value in provenance.items()
        if value not in (None, "", [], {})
    ]
    return html.folded("Digests and options", html.table(("input", "value"), 0, rows))


def _items(value: object) -> list[tuple[object, object]]:
    return list(value.items()) if isinstance(value, Mapping) else []
