"""Declared questions and the functions of the engine that answer them agree."""

from __future__ import annotations

import inspect
from dataclasses import fields
from importlib import import_module

import pytest

from tariffs.questions.index import INDEX
from tariffs.questions.question import Kind


@pytest.mark.parametrize("name", INDEX)
def test_the_function_takes_what_is_asked_and_gives_the_answer(name: str) -> None:
    question = INDEX[name].question
    module, function = question.computed_by.split(":")
    found = inspect.signature(getattr(import_module(module), function), eval_str=True)
    lines = {"line"} if any(one.path[0] == "line" for one in question.asked) else set()
    asked = {one.name for one in question.asked if one.path[0] != "line" and one.kind is not Kind.SCENARIOS}
    assert found.parameters.keys() == {"under"} | lines | asked
    assert found.return_annotation is question.answer


@pytest.mark.parametrize("name", INDEX)
def test_each_field_of_an_answer_is_on_the_wire(name: str) -> None:
    known = INDEX[name].message("Response").DESCRIPTOR.fields_by_name
    assert {one.name for one in fields(INDEX[name].question.answer)} <= {*known.keys()}
