"""List the questions: made from the declarations in `tariffs.questions` by `make gen`."""

from __future__ import annotations

from collections.abc import Mapping

from tariffs.questions.entry import Entry

INDEX: Mapping[str, Entry] = {
    "source": Entry(
        "tariffs.questions.source:SOURCE",
        "DutyService",
        "CompareOrigins",
        "duty_service_pb2",
        "sweep",
        "run",
        "Rank the origins of a product by landed cost a unit, under the law and scenarios.",
        "Origins",
        "compare_origins",
    ),
    "options": Entry(
        "tariffs.questions.options:OPTIONS",
        "DutyService",
        "CompareOptions",
        "duty_service_pb2",
        "short",
        "run",
        "List lawful ways to pay less duty on a line, with their saving, catch and papers.",
        "Options",
        "ways_to_pay_less",
    ),
}
