"""Byte templates: filled with texts they are what protocol buffers would have encoded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from tariffs.service.rpc.byte_templates import make_template
from tariffs.v1.duty_service_pb2 import CalculateDutyResponse, Layer, LayerState

WORDS = st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=4, max_size=300)
STATES = st.sampled_from([value for value in LayerState.values() if value])


def answer(state: LayerState, why: str, texts: Sequence[str]) -> CalculateDutyResponse:
    """Texts at the top, within a repeated message, within one of its maps, and one of them twice."""
    first, second, third, *others = texts
    layers = [
        Layer(base=text, amount=first, state=state, why={"text": why, "amount": text}) for text in others
    ]
    return CalculateDutyResponse(assessed=first, landed={"total": second}, layers=layers, min=third)


@given(
    state=STATES,
    why=WORDS,
    pairs=st.lists(
        WORDS.flatmap(
            lambda a: st.tuples(st.just(a), st.text("0123456789.", min_size=len(a), max_size=len(a)))
        ),
        min_size=3,
        max_size=120,
    ),
)
def test_a_filled_template_is_the_message_with_those_texts(
    state: LayerState, why: str, pairs: list[tuple[str, str]]
) -> None:
    fill = partial(answer, state, why)
    first, second = zip(*pairs, strict=True)
    data, template = make_template(fill, [text.encode() for text in first])
    assert data == fill(first).SerializeToString(deterministic=True)
    if template is None:
        assert "\x01\x02" in why
        return
    assert template.fill([text.encode() for text in second]) == fill(second).SerializeToString(
        deterministic=True
    )


def test_a_message_that_holds_what_looks_like_a_placeholder_is_encoded_whole() -> None:
    for why in ("\x01\x02!!", "\x01\x02zz"):
        fill = partial(answer, LayerState.LAYER_STATE_APPLIED, why)
        data, template = make_template(fill, [b"1.00", b"2.00", b"3.00", b"4.00"])
        assert CalculateDutyResponse.FromString(data).layers[0].why["text"] == why
        assert template is None
