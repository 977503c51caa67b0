"""Describe a result in plain data for readers: question, answer, chart, tables, assumptions, law, how to repeat it.

Templates write the view as a report; notebooks and the desk can show the same parts.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tariffs.client.errors import ExtraMissing, module_of
from tariffs.client.results.amounts import in_words
from tariffs.client.results.bars import Bar
from tariffs.client.results.charts import Figure
from tariffs.client.results.headline import response_words
from tariffs.client.results.html import NoteLike, law_line, merged_notes
from tariffs.client.results.legal_text import LegalText
from tariffs.client.results.quote import Provenance, part_of
from tariffs.client.results.short_names import name_of, spelled_out
from tariffs.client.results.tables import ShortTable
from tariffs.run_spec.option import Kind
from tariffs.run_spec.spec import OPTIONS

_AMOUNT = re.compile(r"(\d{1,3}(?:,\d{3}){2,}) USD")
_SHARE = re.compile(r"(\w+)_share on ([\d,]+) USD \((?:[^():]*; )?[^():]*: ([^()]*)\)")
_FACT = re.compile(r"\b(\w+)_share\b")
_RESPONSE, _STATED, _LAW, _RATES, _OTHERS = (
    "The response of trade", "What lines do not state", "The law", "Rates per unit", "Others",
)  # fmt: skip
_GROUPS = {
    "SHARE_SOURCED": _STATED, "CHARGE_UNDETERMINED": _STATED, "LAW_READ_TO": _LAW, "PARENT_VOID": _LAW,
    "PROHIBITED": _LAW, "AVE_2024": _RATES, "AVE_HTS6_MEAN": _RATES, "AVE_UNKNOWN": _RATES, "RATE_OF_2024": _RATES,
}  # fmt: skip
_IN_SHORT = {
    "AVE_2024": "{worth} of lines have a rate per unit, replaced by its equivalent in percent of 2024.",
    "AVE_HTS6_MEAN": "{worth} take the mean equivalent of their six-digit heading.",
    "AVE_UNKNOWN": "{worth} have no equivalent, so that only the part in percent is charged.",
    "RATE_OF_2024": "{worth} of lines have codes that are in no tariff schedule; the rate paid in 2024 is used.",
    "PROHIBITED": "{worth} of goods may not be imported ({subjects}); no duty is computed on them.",
    "CHARGE_UNDETERMINED": "{worth} of lines do not state whether they pay {subjects}, and are not charged.",
}
"""Notes in few words, by reason: `worth` is the value of all lines that they are about, `subjects` the measures."""
_BY_SUBJECT, _SUBJECT = {"PROHIBITED", "CHARGE_UNDETERMINED"}, re.compile(" (?:may apply|prohibits) ")
_ONLY = "settled"
_BASES = {"hs2_origin": "by chapter and origin", "2025h2": "second half of 2025"}
_SHARES_NAMED, _RANGED = 4, ("vary", "target")
_DIGESTS = {
    "run_digest": "Run",
    "law_version": "Law",
    "law_digest": "Digest of the law",
    "engine_version": "Engine",
}


@dataclass(frozen=True, slots=True)
class Passage:
    """Part of a report: its title, sentences, tables, and bars with their title."""

    title: str
    sentences: Sequence[str] = ()
    tables: Sequence[ShortTable] = ()
    bars: Sequence[Bar] = ()
    bars_title: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """Sections of a result that a report shows.

    Attributes:
        question: question that the result answers.
        answer: sentences that answer it.
        figure: chart of the answer, if there is one, or why it is left out.
        passages: tables and sentences, the most important first.
        assumed: assumptions by group.
        law: the law behind it in words, if it was looked up.
        doubts: open points of the law that the result depends on.
        notes: all notes in full.
        inputs: inputs of the run: digests, versions and options.
        repeat: what computes it again, by language.
        law_line: law and day, and that it is an estimate.
        parts: views of its parts by title, such as imports and exports.
    """

    question: str
    answer: Sequence[str] = ()
    figure: Figure | str | None = None
    passages: Sequence[Passage] = ()
    assumed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    law: LegalText | None = None
    doubts: Sequence[str] = ()
    notes: Sequence[str] = ()
    inputs: Sequence[str] = ()
    repeat: Mapping[str, str] = field(default_factory=dict)
    law_line: str = ""
    parts: Mapping[str, View] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        provenance: Provenance,
        notes: Sequence[NoteLike],
        story: Story,
        passages: Sequence[Passage],
        law: LegalText | None,
        *,
        figure: Figure | str | None = None,
    ) -> View:
        """Describe a result by its story, with what its provenance and notes say of assumptions, law and inputs."""
        return cls(
            story.question,
            story.answer,
            figure,
            passages,
            assumed(provenance, notes),
            law,
            doubts(provenance, law),
            merged_notes(notes),
            inputs(provenance),
            repeat(provenance),
            law_line(provenance),
        )


@dataclass(frozen=True, slots=True)
class Story:
    """Parts of a view that differ by result: question, sentences, tables, and what draws its chart."""

    question: str
    answer: Sequence[str] = ()
    passages: Sequence[Passage] = ()
    draw: Callable[[], Figure | None] = lambda: None


def drawn(draw: Callable[[], Figure | None]) -> Figure | str | None:
    """Draw the chart of a view; without the extra `notebook` a sentence says that it is left out."""
    try:
        module_of("notebook", "altair")
    except ExtraMissing as error:
        return f"Charts are left out: {error.fix}"
    return draw()


def assumed(provenance: Provenance, notes: Iterable[NoteLike]) -> dict[str, list[str]]:
    """List in words what was assumed, by group: notes of one reason as one text, with the value that they are about."""
    groups: dict[str, list[str]] = {_RESPONSE: _response(provenance)}
    by_reason: dict[str, dict[str, str]] = {}
    for note in notes:
        subject = _SUBJECT.split(note.message)[0] if note.reason in _BY_SUBJECT else ""
        by_reason.setdefault(note.reason, {}).setdefault(subject, note.message)
    for reason, messages in by_reason.items():
        groups.setdefault(_GROUPS.get(reason, _OTHERS), []).append(_in_short(reason, messages))
    return {title: texts for title, texts in groups.items() if texts}


def doubts(provenance: Provenance, law: LegalText | None) -> list[str]:
    """List the open points of the law that a result depends on, in words where the law was looked up."""
    settings = part_of(provenance, "switches") or {}
    if law is not None:
        return law.doubts(settings)
    return [f"Open point {name}, taken as {value}" for name, value in settings.items()]


def inputs(provenance: Provenance) -> list[str]:
    """List the inputs of a run: first its digest, by which the same result is known, and the versions that made it."""
    named = [f"{word}: {provenance[name]}" for name, word in _DIGESTS.items() if provenance.get(name)]
    others = [
        f"{name.replace('_', ' ')}: {value if isinstance(value, str) else json.dumps(value, sort_keys=True)}"
        for name, value in provenance.items()
        if name not in _DIGESTS and value not in (None, "", [], {})
    ]
    return named + others


def repeat(provenance: Provenance) -> dict[str, str]:
    """Write the command and the Python that compute a result again; empty without the call that made it."""
    call = part_of(provenance, "request")
    if not call:
        return {}
    verb, table, options = str(call["verb"]), call["table"], call["options"]
    table = "TABLE" if table and " " in table else table
    scenarios = [one["name"] or "SCENARIO.yaml" for one in call["scenarios"]]
    words = ["tariffs", verb, *([table] if table else [])]
    words += [word for name in scenarios for word in ("-s", name)]
    for name, value in options.items():
        words += _flags(name, value)
    given = [repr(table), repr(scenarios[0] if verb in {"sweep", "seek"} else scenarios)]
    given += [
        f"{name}={tuple(value) if isinstance(value, list) and name in _RANGED else value!r}"
        for name, value in options.items()
        if value not in (None, {})
    ]
    program = f"with Client.local() as client:\n    result = client.{verb}({', '.join(given)})"
    return {
        "Command line": shlex.join(words),
        "Python": f"from tariffs.client import Client\n\n{program}",
    }


def _flags(name: str, value: object) -> list[str]:
    """Write an option of a recorded call as words of the command line."""
    option = OPTIONS.get(name)
    flag = option.flag if option else f"--{name}"
    if value is None or value is False:
        return []
    if value is True:
        return [flag]
    if name in _RANGED and isinstance(value, list):
        first, *others = map(str, value)
        return [flag, f"{first}={':'.join(others)}"]
    if isinstance(value, Mapping):
        joined = [
            f"{key}={one if isinstance(one, str) else ','.join(map(str, one))}" for key, one in value.items()
        ]
        return [word for one in joined for word in (flag, one)]
    if option and option.kind is Kind.KEYS:
        return [flag, ",".join(map(str, value))] if isinstance(value, Sequence) else []
    return [flag, str(value)]


def _response(provenance: Provenance) -> list[str]:
    """Describe the model of the response, and what it leaves out; empty where a result has none."""
    if not part_of(provenance, "details", "response"):
        return []
    ignored = part_of(provenance, "details", "model", "ignores")
    left_out = [f"It leaves out {', '.join(map(str, ignored))}."] if ignored else []
    return [response_words(provenance), *left_out]


def _in_short(reason: str, messages: Mapping[str, str]) -> str:
    """Write the notes of one reason in few words, the first of them where there are none for it."""
    first = next(iter(messages.values()))
    if reason == "SHARE_SOURCED":
        return _shares(first)
    amounts = [
        float(found[1].replace(",", "")) for text in messages.values() if (found := _AMOUNT.search(text))
    ]
    if reason not in _IN_SHORT or not amounts:
        return in_plain_words(first)
    subjects = ", ".join(dict.fromkeys(in_plain_words(one) for one in messages))
    return _IN_SHORT[reason].format(worth=in_words(sum(amounts)), subjects=subjects)


def _shares(message: str) -> str:
    """Shorten the note on facts that lines do not declare: the largest by name, the others as a number."""
    worth = _AMOUNT.search(message)
    found = [(float(amount.replace(",", "")), name, basis) for name, amount, basis in _SHARE.findall(message)]
    if worth is None or not found:
        return in_plain_words(message)
    largest = sorted(found, reverse=True)
    named = [
        f"{name_of('claim', name) or name.replace('_', ' ')} on {in_words(dollars)}{_basis_words(basis)}"
        for dollars, name, basis in largest[:_SHARES_NAMED]
    ]
    more = [f"{len(found) - _SHARES_NAMED} others"] if len(found) > _SHARES_NAMED else []
    return (
        f"{in_plain_words(worth[0])} of lines do not state facts that decide their duty; shares from public sources "
        f"are used: {', '.join([*named, *more])}."
    )


def _basis_words(basis: str) -> str:
    """Say which of several shares was taken; empty where there is one."""
    return "" if basis == _ONLY else f" ({_BASES.get(basis, basis.replace('_', ' '))})"


def in_plain_words(text: str) -> str:
    """Write large amounts of a text in words, measures and facts about goods by their names."""
    text = _FACT.sub(lambda found: name_of("claim", found[1]) or found[0], text)
    return _AMOUNT.sub(lambda found: in_words(float(found[1].replace(",", ""))), spelled_out(text))
