"""`check_scenario` raises nothing, whatever the text and the values of its parameters."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from tariffs.engine.law import load_law
from tariffs.engine.scenario import check_scenario
from tests.conftest import SCALE
from tests.tools.fuzz import scenario_texts
from tests.tools.fuzz.choices import ByteChoices
from tests.tools.fuzz.requests import LENGTH
from tests.tools.fuzz.vocabulary import words

TEXTS = 400
SECONDS = 5.0
PIECES = [*"abc: -[]{}&*!|>'\"#%@`,?\n\t\0\u2028\ufeff\ud800\U0001f600019.", "<<: ", "changes:", "op: ", "!!"]
plain_texts = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
near_texts = st.binary(min_size=LENGTH, max_size=LENGTH).map(
    lambda data: scenario_texts.text(ByteChoices(data))
)
values = st.dictionaries(
    st.one_of(st.sampled_from(sorted(words()["name"])), st.text(max_size=5)),
    st.one_of(st.sampled_from(["20%", "2027-01-01", "on", "1e999", "NaN", ""]), st.text(max_size=8)),
    max_size=3,
)


def check(text: str, parameters: dict[str, str]) -> None:
    law = load_law()
    begun = time.thread_time()
    for problem in check_scenario(text, law, parameters=parameters):
        assert problem.reason
        assert problem.message
    assert time.thread_time() - begun < SECONDS


@settings(max_examples=TEXTS * SCALE)
@given(plain_texts, values)
def test_any_text_is_checked(text: str, parameters: dict[str, str]) -> None:
    check(text, parameters)


@settings(max_examples=TEXTS * SCALE)
@given(near_texts, values)
def test_a_text_that_is_nearly_right_is_checked(text: str, parameters: dict[str, str]) -> None:
    check(text, parameters)
