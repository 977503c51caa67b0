"""Mutated scenario files are read within bounds, and every problem has its place."""

from __future__ import annotations

import random
import re
import time

import pytest

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import Law, load_law
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.scenario import apply_scenario, check_scenario, components, library, parse_scenario
from tariffs.engine.scenario.model import PROBLEMS_AT_MOST
from tariffs.engine.schedule.lines import load_schedule

FILES = 500
RATED_EVERY = 5
SECONDS_AT_MOST = 5.0
HEAD = "schema: tariffs.scenario/v1\nid: mine\ntitle: Mine\nbasis: hypothesis\n"
SPLICES = [
    "", "[", "]", "{", "}", ": ", "- ", "\t", "\n", "'", '"', "#", "&a ", "*a", "!!python/object:os.system ", "%", "|",
    ">", "2027-13-45", "0001-01-01T00:00+14:00", "9999-12-31T23:59-12:00", "1e999", "-5%", "12.5", "NaN", "x0", "+pp",
    "\u00b2\u00b2", "\ufeff", "\u0000", "\u2028", "yes", "null", "~", "[[[[[[[[[[[[[[[[[[[[",
    "{a: {a: {a: {a: {a: {a: {a: 1}}}}}}}", "measures: {id: fl301}", "op: add", "op: set_stacking", "as: {take: [all]}",
    "measure: {id: [x], authority: {}}", "rows: no", "mixture: [{scenario: base, weight: 1}]", "group: [a]",
    "parents: [truce-lapses]", "if: [processing_value > abc]", "products: [\"\u00b2\u00b3\"]", "base: {steel: -1}",
    "rate: 100000000000000000000000000000000000000%", "abc", "nan", "inf", "-inf", "1e30", "1", "5", "-1", "5%", "150%",
    "{steel: abc}", "{steel: nan}", "{full: 5}", "{full: 1, us: -1}", "{processing: 1e30}", "1 USD/kg", "1 USD/parsec",
    "[{up_to: 5 kg}]", "[{rate: 5%}]", "{no_such: 'on'}", "{truce_extension: maybe}", "XX", "NO_SUCH_LIST", "specific",
    "minimum_price", "ordinary", "sideways", "x-1", "+1e9pp", "processing_value > nan",
]  # fmt: skip
# A scenario that holds every kind of value, so that mutations meet each reader.
RICH = (
    HEAD
    + """changes:
  - {op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2027-01-01, by: +10pp, base: {full: 1, us: -1}}
  - {op: set_rate, measures: {id: s232_steel}, from: 2027-01-02, by: x0.5, heading: 9903.99.01,
     switch: {truce_extension: "on"}}
  - {op: set_claim, claim: usmca_share, share: 50%, from: 2027-01-01, origins: [CA], products: [87]}
  - {op: shock_quantity, from: 2027-01-01, floor: 25000000 USD, compliance: 0.5, origins: [CN], products: [9503]}
  - {op: set_stacking, rule: mine, from: 2027-01-01, as: {when: [s232], on: [s301.fl], take: base, base: {steel: 0.5}}}
  - {op: exempt, measures: {id: fl301}, from: 2027-02-01, until: 2027-03-01, if: [processing_value > 5000]}
  - op: add
    measure:
      id: by_weight
      authority: mine
      displaces_at_zero: yes
      switch: {truce_extension: "on"}
      touches: {origins: [CN]}
      periods:
        - id: by_weight_1
          from: 2027-01-01T00:01-05:00
          to: 2028-01-01
          rows:
            - {kind: specific, tiers: [{up_to: 100 kg, rate: 1 USD/kg}, {rate: 0.5 USD/kg}], products: [9503],
               origins: [CN]}
            - {kind: specific, rate: 0.22 USD/kg, origins: [EU], if: [us_content_share >= 20%], base: {steel: 0.4}}
            - {kind: minimum_price, price: 21 USD/kg, not_origins: [JP], not_products: ["87"]}
            - {by_origin: {JP: [15%, 9903.99.02], KR: [10%, 9903.99.03]}, kind: topup_to}
            - {rate: 7.5%, heading: 9903.99.04, undeclared: applies}
assumptions:
  let_through: {cn.rare_earth_controls: 50%}
  port_calls: {port_fees: {kind: operated, net_tons: 60000, teu: 10000, calls: 1, share: 20%}}
"""
)
HEADINGS = sorted({code[:4] for code in load_schedule().children("")})
VALUES = re.compile(r"(?<=: )[^\s,{}\[\]][^,{}\[\]\n]*")
LINE = EntryLine(hts="9503000073", origin="CN", value="10000", quantity="100", unit="kg")


def mutated(draw: random.Random, texts: list[str]) -> str:
    """A scenario with another value, or with a few cuts, copies and splices."""
    text = draw.choice(texts)
    if draw.randrange(2):
        value = draw.choice(list(VALUES.finditer(text)))
        return text[: value.start()] + draw.choice(SPLICES) + text[value.end() :]
    for _ in range(draw.randint(1, 4)):
        at, to = sorted(draw.randrange(len(text) + 1) for _ in range(2))
        lines, words = text.split("\n"), text.split(" ")
        line, word = draw.randrange(len(lines)), draw.randrange(len(words))
        splice, other = draw.choice(SPLICES), draw.choice(texts)
        text = draw.choice((
            text[:at] + text[min(to, at + 40) :],
            text[:at] + splice + text[at:],
            text[:at] + other[draw.randrange(len(other)) :],
            " ".join([*words[:word], splice, *words[word + 1 :]]),
            "\n".join([*lines[:line], draw.choice(lines), *lines[line:]]),
            "\n".join([*lines[:line], *lines[line + 1 :]]),
        ))  # fmt: skip
    return text


def usable(text: str, law: Law) -> None:
    """What a check finds no fault with can be applied, and the law after it rates a line on days it may change."""
    for _, part in components(parse_scenario(text)):
        after = apply_scenario(law, part)
        for day in ("2026-11-24", "2027-02-15"):
            assert quote_line(after, LINE._replace(entry=day)).assessed >= 0


def test_the_scenario_with_every_kind_of_value_is_sound() -> None:
    assert [problem for problem in check_scenario(RICH, load_law()) if problem.severity == "error"] == []
    usable(RICH, load_law())


def test_mutated_files_are_errors_with_places_and_never_tracebacks(scale: int) -> None:
    draw = random.Random(20261124)
    library_texts = [scenario.text for scenario in library().values()]
    texts = library_texts + [RICH] * len(library_texts)
    law = load_law()
    wrong = 0
    files = FILES * scale
    for number in range(files):
        text = mutated(draw, texts)
        began = time.thread_time()
        problems = check_scenario(text, law)
        assert time.thread_time() - began < SECONDS_AT_MOST, (number, text)
        errors = [problem for problem in problems if problem.severity == "error"]
        wrong += bool(errors)
        lines = text.count("\n") + text.count("\r") + text.count("\u2028") + 3
        for problem in problems:
            assert problem.message
            assert 0 <= problem.line <= lines, (number, problem)
        for problem in errors:
            assert min(problem.line, problem.column) >= 1, (number, problem)
        # Rating under a new law costs most of the time, so only some files are rated.
        if not errors and number % RATED_EVERY == 0:
            usable(text, law)
    assert wrong > files // 3


BOMBS = {
    "aliases": "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "lists": "[" * 100_000,
    "mappings": "{a: " * 100_000,
    "dashes": "- " * 100_000,
    "large": "x" * (2 << 20),
    "unclosed": "a: '" + "\n" * 500_000,
    "keys": "\n".join(f"k{index}: 1" for index in range(60_000)),
    "changes": "schema: tariffs.scenario/v1\nchanges:\n" + "  - {op: nope}\n" * 5_000,
    "long key": "? " + "x" * 400_000 + "\n: [" + "1," * 45_000 + "]",
    "long path": "".join(f"{' ' * n}? {'y' * 60}\n{' ' * n}:\n" for n in range(14)) + " " * 15 + f"[{'1,' * 45_000}]",
    "assumptions": HEAD + "assumptions: {let_through: {" + ",".join(f"a{n}: 50%" for n in range(20_000)) + "}}\n",
}  # fmt: skip


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_bombs_are_refused_quickly(text: str) -> None:
    law = load_law()
    began = time.thread_time()
    problems = check_scenario(text, law)
    assert time.thread_time() - began < SECONDS_AT_MOST
    assert 1 <= len(problems) <= PROBLEMS_AT_MOST + 1
    reasons = {"SCENARIO_SYNTAX", "SCENARIO_UNKNOWN_KEY", "NOTHING_MATCHED"}
    assert {problem.reason for problem in problems} <= reasons
    with pytest.raises(ScenarioError):
        usable(text, law)


@pytest.mark.parametrize(
    "part",
    [
        "id: " + "a" * 100_000,
        "parents: [" + "base" * 20_000 + "]",
        "changes: [{op: terminate, measures: {id: " + "fl301" * 20_000 + "}, at: 2027-01-01}]",
        "changes: [{op: " + "x" * 100_000 + "}]",
        "changes: [{op: set_rate, measures: {id: fl301}, from: 2027-01-01, rate: " + "9" * 100_000 + "%}]",
        "assumptions: {let_through: {cn.rare_earth_controls: " + "9" * 100_000 + "%}}",
    ],
)
def test_a_message_quotes_little_of_a_long_value(part: str) -> None:
    """An error travels in the trailer of a call, which holds a few thousand bytes."""
    text = (HEAD.replace("id: mine\n", "") if part.startswith("id") else HEAD) + part + "\n"
    told = [problem.message + problem.fix + problem.path for problem in check_scenario(text, load_law())]
    with pytest.raises(ScenarioError) as caught:
        usable(text, load_law())
    error = caught.value
    assert max(map(len, [*told, f"{error}{error.path}{error.metadata}"])) < 4_000


def test_a_number_that_no_computation_holds_is_refused() -> None:
    number, act = "9" * 400, "op: set_rate, measures: {id: fl301}, from: 2027-01-01"
    shock = f"op: shock_quantity, from: 2027-01-01, floor: {number}"
    for change in (f"{act}, rate: {number}%", f"{act}, by: x{number}", shock):
        (problem,) = check_scenario(HEAD + f"changes: [{{{change}}}]\n", load_law())
        assert problem.reason == "SCENARIO_SYNTAX"


@pytest.mark.parametrize(
    ("scopes", "reason"),
    [
        pytest.param([f"products: ['{code}']" for code in range(10, 60)], "", marks=pytest.mark.slow),
        ([f"not_products: ['{code}']" for code in range(10, 60)], "SCENARIO_SYNTAX"),
        pytest.param([f"products: ['{code}']" for code in HEADINGS[:300]], "", marks=pytest.mark.slow),
    ],
    ids=["apart", "overlapping", "many"],
)
def test_many_narrowed_acts_on_one_measure_are_separated_or_refused_in_time(
    scopes: list[str], reason: str
) -> None:
    acts = "".join(
        f"  - {{op: set_rate, measures: {{id: fl301, {scope}}}, from: 2027-01-01, rate: {index % 50}%}}\n"
        for index, scope in enumerate(scopes)
    )
    law = load_law()
    began = time.thread_time()
    problems = check_scenario(f"{HEAD}changes:\n{acts}", law)
    assert time.thread_time() - began < 8 * SECONDS_AT_MOST
    assert {problem.reason for problem in problems if problem.severity == "error"} == ({reason} - {""})
