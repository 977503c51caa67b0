"""Ask a declared question: build its request, make the call, read its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from tariffs.client._verbs.remote_calls import RemoteCalls
from tariffs.client._wire.question_requests import OptionFactValue as OptionFactValue
from tariffs.client._wire.question_requests import request_of, shown_html
from tariffs.client._wire.reading import read
from tariffs.questions.answer import Answer
from tariffs.questions.question import Question

A = TypeVar("A", bound=Answer)
Answer.shown = staticmethod(shown_html)


def asked(
    client: RemoteCalls,
    question: Question[A],
    given: Mapping[str, Any],
    options: Mapping[str, Any],
    timeout: float | None,
) -> A:
    """Ask a question; raises as its method says."""
    answer = client._call(request_of(question, given, options), timeout, "impact")
    return read(question.answer, answer).to(question.filled(given))
