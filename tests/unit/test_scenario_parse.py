"""Scenario files: every problem has a reason, line and column; only plain YAML is accepted."""

from __future__ import annotations

import random
import time

import pytest

from tariffs.engine.errors import ScenarioError
from tariffs.engine.scenario import library, parse_scenario
from tariffs.engine.scenario.named import find
from tariffs.engine.scenario.read import read_draft
from tariffs.engine.scenario.yaml_positions import SIZE_AT_MOST, parse_yaml

HEAD = "schema: tariffs.scenario/v1\nid: mine\ntitle: Mine\nbasis: hypothesis\n"


def problems(text: str) -> list[tuple[str, str, int, int]]:
    return [(p.reason, p.path, p.line, p.column) for p in read_draft(text, "mine.yaml").problems]


def test_a_scenario_is_read_as_text() -> None:
    scenario = parse_scenario(
        HEAD
        + "tags: [a]\nchanges:\n"
        + "  - {op: set_rate, measures: {id: fent_cn, origins: [NO]}, from: 2025-11-10T00:01-05:00, rate: 20%}\n"
    )
    (change,) = scenario.changes
    assert (change.op, str(change.rate), change.path, change.source) == (
        "set_rate",
        "0.2",
        "changes[0]",
        "mine",
    )
    assert change.selector.scope.origins == (frozenset({"NO"}),)
    assert scenario.tags == ("a",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + "colour: red\n", ("SCENARIO_UNKNOWN_KEY", "colour", 5, 1)),
        (HEAD + "title: Twice\n", ("SCENARIO_UNKNOWN_KEY", "title", 5, 1)),
        (HEAD.replace("v1", "v9"), ("SCENARIO_SYNTAX", "schema", 1, 9)),
        (HEAD.replace("id: mine", "id: Mine Own"), ("SCENARIO_SYNTAX", "id", 2, 5)),
        (HEAD.replace("title: Mine", "title: ''"), ("SCENARIO_SYNTAX", "title", 3, 8)),
        (HEAD.replace("title: Mine", "title: [Mine]"), ("SCENARIO_SYNTAX", "title", 3, 8)),
        (HEAD.replace("hypothesis", "hope"), ("SCENARIO_SYNTAX", "basis", 4, 8)),
        (HEAD.replace("title: Mine\n", ""), ("SCENARIO_SYNTAX", "", 1, 1)),
        (HEAD + "parents: {a: b}\n", ("SCENARIO_SYNTAX", "parents", 5, 10)),
        (HEAD + "changes: {op: extend}\n", ("SCENARIO_SYNTAX", "changes", 5, 10)),
        (HEAD + "changes:\n  - extend\n", ("SCENARIO_SYNTAX", "changes[0]", 6, 5)),
        (HEAD + "changes:\n  - {op: explode}\n", ("SCENARIO_SYNTAX", "changes[0].op", 6, 10)),
        (
            HEAD + "changes:\n  - {op: extend, measures: {id: a}, until: soon}\n",
            ("SCENARIO_SYNTAX", "changes[0].until", 6, 44),
        ),
        (
            HEAD + "changes:\n  - op: extend\n    measures: {name: a}\n    until: 2027-01-01\n",
            ("SCENARIO_UNKNOWN_KEY", "changes[0].measures.name", 7, 16),
        ),
        (
            HEAD + "changes:\n  - {op: set_rate, measures: {id: a}, from: 2025-01-01, rate: '20'}\n",
            ("SCENARIO_SYNTAX", "changes[0].rate", 6, 63),
        ),
        (
            HEAD + "changes:\n  - {op: enjoin, measures: {id: a}, at: 2026-01-02, until: 2026-01-01}\n",
            ("CHANGE_DATES_REVERSED", "changes[0].until", 6, 60),
        ),
        (HEAD + "changes: [\n", ("SCENARIO_SYNTAX", "", 6, 1)),
        ("- a\n- b\n", ("SCENARIO_SYNTAX", "", 1, 1)),
        (HEAD + "tags: [&a x, *a]\n", ("SCENARIO_SYNTAX", "", 5, 8)),
        (HEAD + "tags: [!!int 3]\n", ("SCENARIO_SYNTAX", "", 5, 8)),
        (HEAD + "---\nid: other\n", ("SCENARIO_SYNTAX", "", 5, 1)),
        (HEAD + "? [a]\n: b\n", ("SCENARIO_SYNTAX", "", 5, 3)),
    ],
)
def test_each_problem_has_its_place(text: str, expected: tuple[str, str, int, int]) -> None:
    found = problems(text)
    reason, path, line, column = expected
    assert [(r, at, c) for r, p, at, c in found if p == path or not path] == [(reason, line, column)]


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "\x00", "a: \t- b", "\ud800"])
def test_what_is_no_document_is_a_problem(text: str) -> None:
    assert problems(text)[0][0] == "SCENARIO_SYNTAX"


def test_all_problems_are_collected_at_once() -> None:
    text = (
        HEAD.replace("hypothesis", "hope")
        + "colour: red\nchanges:\n"
        + "  - {op: extend, measures: {id: a}, until: soon, known_from: later, colour: blue}\n"
        + "  - {op: set_rate, from: 2025-01-01, rate: 20}\n"
        + "  - {op: suspend, measures: {id: a}, until: ''}\n"
    )
    found = {(reason, path) for reason, path, _, _ in problems(text)}
    assert found == {
        ("SCENARIO_SYNTAX", "basis"),
        ("SCENARIO_UNKNOWN_KEY", "colour"),
        ("SCENARIO_UNKNOWN_KEY", "changes[0].colour"),
        ("SCENARIO_SYNTAX", "changes[0].until"),
        ("SCENARIO_SYNTAX", "changes[0].known_from"),
        ("SCENARIO_SYNTAX", "changes[1].rate"),
        ("SCENARIO_SYNTAX", "changes[2]"),
        ("SCENARIO_SYNTAX", "changes[2].until"),
    }


def test_an_error_names_file_line_and_column() -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(HEAD + "colour: red\n", "mine.yaml")
    error = caught.value
    assert (error.reason, error.path, error.line, error.column) == ("SCENARIO_UNKNOWN_KEY", "colour", 5, 1)
    assert str(error).startswith("mine.yaml:5:1: ")
    assert error.exit_code == 4


def test_a_document_cannot_grow_sink_or_swell() -> None:
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    deep = "a: " + "[" * 100_000
    wide = "a: [" + "x," * 200_000 + "]"
    huge = "a: " + "x" * SIZE_AT_MOST
    for text in (bomb, deep, wide, huge):
        start = time.thread_time()
        with pytest.raises(ScenarioError) as caught:
            parse_yaml(text)
        assert caught.value.reason == "SCENARIO_SYNTAX"
        assert time.thread_time() - start < 2


def test_no_text_makes_anything_but_a_problem_of_it() -> None:
    rng = random.Random(7)
    texts = [scenario.text for scenario in library().values()]
    signs = "{}[]:,-#&*!|>'\"%@`\n\t \x00é0a"
    for _ in range(400):
        text = list(rng.choice(texts))
        for _ in range(rng.randrange(1, 6)):
            text[rng.randrange(len(text))] = rng.choice(signs)
        for problem in read_draft("".join(text), "mutant").problems:
            assert problem.line >= 0
            assert problem.message


LEFT = HEAD + (
    "changes:\n"
    "  - op: suspend\n"
    "    measures: {id: [b, a], products: [9503.00]}\n"
    "    from: 2025-11-10T00:01-05:00\n"
    "    until: 2026-11-10\n"
    "    kept: 10%\n"
    "    on_end: snap_back\n"
)
RIGHT = (
    "# the same, laid out another way\n"
    "changes: [{on_end: snap_back, kept: '0.10', until: 2026-11-10T12:00, from: 2025-11-10T05:01+00:00,\n"
    "  measures: {products: '950300', id: [a, b]}, op: suspend, note: said}]\n"
    "basis: 'hypothesis'\ntitle: Another title\nid: mine\nschema: tariffs.scenario/v1\ndescription: words\n"
)


def test_the_digest_does_not_depend_on_layout_or_prose() -> None:
    assert parse_scenario(LEFT).digest == parse_scenario(RIGHT).digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kept: 10%", "kept: 11%"),
        ("T00:01", "T00:02"),
        ("id: mine", "id: yours"),
        ("until: 2026-11-10", "until: 2026-11-11"),
        ("9503.00", "9503.01"),
        ("on_end: snap_back", "on_end: terminate"),
        ("changes:", "parents: [base]\nchanges:"),
    ],
)
def test_the_digest_depends_on_what_is_done(old: str, new: str) -> None:
    assert parse_scenario(LEFT).digest != parse_scenario(LEFT.replace(old, new)).digest


def test_the_order_of_changes_counts() -> None:
    one = "  - {op: revalidate, measures: {authority: ieepa}}\n"
    two = "  - {op: terminate, measures: {id: fl301}, at: 2026-07-24}\n"
    assert (
        parse_scenario(HEAD + "changes:\n" + one + two).digest
        != parse_scenario(HEAD + "changes:\n" + two + one).digest
    )


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(ScenarioError) as caught:
        find("truce-lapse", library())
    assert caught.value.reason == "SCENARIO_NOT_FOUND"
    assert "truce-lapses" in caught.value.fix


@pytest.mark.parametrize(
    ("parents", "reason"), [("[truce-lapse]", "SCENARIO_NOT_FOUND"), ("[base, mine]", "SCENARIO_CYCLE")]
)
def test_a_missing_parent_has_its_place(parents: str, reason: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(HEAD + f"parents: {parents}\n", "mine.yaml")
    assert (caught.value.reason, caught.value.line) == (reason, 5)


def test_a_scenario_cannot_be_the_child_of_its_namesake() -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(HEAD.replace("id: mine", "id: base") + "parents: [base]\n")
    assert (caught.value.reason, caught.value.column) == ("SCENARIO_CYCLE", 11)
