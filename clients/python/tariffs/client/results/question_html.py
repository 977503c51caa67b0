"""Draw the answer of a declared question in a notebook, by its view."""

from __future__ import annotations

from typing import Any

from tariffs.client.results import html
from tariffs.questions.index import INDEX
from tariffs.questions.view import Entry, Grid, Named, Said


def drawn(answer: Any) -> str:
    """Draw an answer by the view of its question."""
    question = next(one.question for one in INDEX.values() if one.question.answer is type(answer))
    parts = []
    for part in question.view(answer, answer.asked, "narrow"):
        if isinstance(part, Said):
            head = f"{part.scenario}: " if part.scenario else ""
            parts.append(html.paragraph(head + " ".join(part.sentences), "dim" if part.is_dim else ""))
        elif isinstance(part, Grid):
            numbers = len(part.heads) - min(part.numbers, default=len(part.heads))
            parts.append(
                html.table(
                    part.heads, numbers, [[str(cell) for cell in row] for row in part.rows], part.caption
                )
            )
        elif isinstance(part, Named):
            parts.append(html.folded(part.title, html.items(part.names)))
        elif isinstance(part, Entry):
            parts.append(
                html.folded(part.title, html.items([f"{name}: {text}" for name, text in part.lines]))
            )
    return html.block(
        html.heading(question.page[1]), *parts, html.paragraph(html.law_line(answer.provenance), "dim")
    )
