"""Describe a question: what is asked, what is answered, where it is computed; everything but the computation follows.

A question is a module of this folder, with a `Question` and the dataclasses of its answer, and one function of the
engine. From it `make gen` writes the messages, the typed methods of the clients, `index.py` and docs/questions.md;
service, command line, desk and tools read it. It imports neither client, engine nor service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from enum import Enum, auto
from typing import Any, Generic, TypeVar

from tariffs.questions.answer import Answer
from tariffs.questions.view import Part, Width

A = TypeVar("A", bound=Answer)
REQUIRED: Any = ...
"""Default of what must be given."""
LAW = ("parameters", "known_on", "switches", "min_confidence", "law_version")
"""Options of the law that a question takes unless it says otherwise; they are those of runs."""
_FIELD_NAMES = {"entry": "entry_date"}
_NO_VALUES: Mapping[str, Any] = {}


class Kind(Enum):
    """Kinds of values; client, command line, desk, tools and service each convert a kind, never a single question."""

    HTS = auto()
    COUNTRY = auto()
    COUNTRIES = auto()
    MONEY = auto()
    """Amount, rate or quantity as exact decimal text."""
    DAY = auto()
    TEXT = auto()
    MODE = auto()
    CLAIMS = auto()
    FACTS = auto()
    """Texts by name, which the answer lists as `facts` and `open_facts`."""
    SCENARIOS = auto()
    TABLE = auto()
    """Rows of named columns, from a frame or file."""


@dataclass(frozen=True)
class Column:
    """Column of a table that is asked: its kind, the reason of a value that cannot be read, what to do without one."""

    name: str
    kind: Kind
    text: str
    reason: str = "REQUEST_INVALID"
    needed: str = ""


@dataclass(frozen=True)
class Asked:
    """One thing that is asked.

    Attributes:
        name: argument in Python, and name in the address of the desk unless `form` says otherwise.
        kind: kind of its values.
        text: explanation in Python, on the command line, in the messages and for tools.
        default: its default; `REQUIRED` without one.
        at: path in the request, by default the name.
        title: short name on forms; empty for what no form has.
        hint, needed: on forms, help below it and what to write where it is missing.
        start: value that a form begins with.
        is_folded: whether forms fold it.
        is_place: whether Python takes it by its place.
        flag, metavar: option of the command line and the form of its value there.
        form: name in the address of the desk.
        reason: reason of the error for a value that cannot be read.
        above: bound of a number.
        columns: columns of a table.
        row: message of a row of a table.
        own_flags: of facts, those that have an option of their own.
        tool: whether tools for language models take it.
        number: number of its field, where a new message needs a certain one.
    """

    name: str
    kind: Kind
    text: str
    default: Any = None
    _: KW_ONLY
    at: str = ""
    title: str = ""
    hint: str = ""
    needed: str = ""
    start: str = ""
    is_folded: bool = False
    is_place: bool = False
    flag: str = ""
    metavar: str | None = None
    form: str = ""
    reason: str = "REQUEST_INVALID"
    above: float | None = None
    columns: tuple[Column, ...] = ()
    row: str = ""
    own_flags: tuple[Asked, ...] = ()
    tool: bool = True
    number: int = 0

    @property
    def path(self) -> list[str]:
        """Path of its field in the request."""
        return (self.at or self.name).split(".")

    @property
    def field(self) -> str:
        """Name in errors."""
        return _FIELD_NAMES.get(self.path[-1], self.path[-1])

    @property
    def option(self) -> str:
        """Option of the command line."""
        return self.flag or "--" + self.name.replace("_", "-")

    @property
    def form_name(self) -> str:
        """Name in the address of the desk."""
        return self.form or self.name


@dataclass(frozen=True)
class Question(Generic[A]):
    """A question.

    Attributes:
        name: method of the client, command, page and schema of the JSON document.
        method: service and method, such as `DutyService/CompareOrigins`.
        computed_by: function, `module:name`, called with `Under` and what is asked.
        answer: dataclass of its answer; its fields and those within it are those of the response.
        summary: one sentence.
        about: further sentences of the help.
        asked: what is asked, in the order of the command line.
        view: parts that show an answer to what was asked in a room, for command line, desk and notebooks.
        examples: command lines; the first is also the small request of the tests.
        page: title in the navigation of the desk, heading before it is asked, and words before it.
        heading: heading of an answer, with values asked in braces.
        role: role that a caller needs.
        lane: `short` or `sweep`, the queue of workers that computes it.
        law: options of the law that it takes.
        scenarios_most: most scenarios of a request.
        tool: name of its tool for language models; empty without one.
        raises: what else goes wrong, for its documentation.
        order: place in help and navigation.
    """

    name: str
    method: str
    computed_by: str
    answer: type[A]
    summary: str
    asked: tuple[Asked, ...]
    view: Callable[[A, Mapping[str, Any], Width], Iterable[Part]]
    examples: tuple[str, ...]
    page: tuple[str, str, str]
    heading: str
    about: str = ""
    role: str = "run"
    lane: str = "short"
    law: tuple[str, ...] = LAW
    scenarios_most: int = 20
    tool: str = ""
    raises: tuple[str, ...] = ("InvalidRequest: a value cannot be used.", "NotFound: no such scenario.")
    order: int = 100

    def filled(self, given: Mapping[str, Any] = _NO_VALUES) -> dict[str, Any]:
        """Complete what is given by the defaults."""
        return {one.name: None if one.default is REQUIRED else one.default for one in self.asked} | dict(
            given
        )

    @property
    def request(self) -> str:
        """Name of its request."""
        return self.method.partition("/")[2] + "Request"

    @property
    def response(self) -> str:
        """Name of its response."""
        return self.method.partition("/")[2] + "Response"

    def of_kind(self, kind: Kind) -> Asked | None:
        """Return the first that is asked of a kind."""
        return next((one for one in self.asked if one.kind is kind), None)
