"""Methods of `AsyncClient` for the questions: made from the declarations in `tariffs.questions` by `make gen`."""

from __future__ import annotations

from tariffs.client._verbs.awaited import Awaiting, awaited
from tariffs.client._verbs.question_calls import QuestionCalls


class AsyncQuestionCalls(Awaiting):
    """Questions that are no runs; mixed into `AsyncClient`."""

    source = awaited(QuestionCalls.source)
    options = awaited(QuestionCalls.options)
