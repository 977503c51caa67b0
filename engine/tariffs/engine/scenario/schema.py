"""Scenario file format as pydantic models: keys, values and bounds, with their errors and JSON Schema.

Every value of a scenario is text. The JSON Schema, meant for editors, also accepts the numbers and booleans that a YAML
reader makes of bare words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from types import GenericAlias
from typing import Annotated, Any, Union
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    Tag,
    ValidationError,
    WithJsonSchema,
    create_model,
)
from pydantic.json_schema import GenerateJsonSchema

from tariffs.engine.base.spelling import did_you_mean, nearest
from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.amendments import CHANGE_KEYS, ON_END, OPS, RENT_HOLDERS, SCOPE_KEYS
from tariffs.engine.law.model import CONFIDENCE
from tariffs.engine.law.raw_fields import one_of
from tariffs.engine.law.values import (
    read_day,
    read_dollars,
    read_instant,
    read_rate,
    read_share,
    read_step,
    read_yes,
)
from tariffs.engine.scenario.filling import REST, WHEN, path_of
from tariffs.engine.scenario.json_forms import (
    BASE,
    FIGURE,
    INSTANT,
    MAPPING,
    NUMBER,
    RATE,
    SCALAR,
    SCALARS,
    STEP,
    TEXT,
)
from tariffs.engine.scenario.model import BASES, PARAMETERS, PROBLEMS_AT_MOST, SCHEMA, Fault, Location, remove

_CHANGES_AT_MOST = 500
_COMPONENTS_AT_MOST = 16
_PARAMETERS_AT_MOST = 50
_ID = r"^[a-z0-9][a-z0-9._-]{0,99}$"

# -- types of values -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Read:
    """Text of at least `shortest` characters that `read` accepts; the model holds the value returned."""

    read: Callable[[str], Any]
    json_form: Mapping[str, Any]
    shortest: int = 1

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        form = WithJsonSchema(dict(self.json_form))
        text = Annotated[str, Field(min_length=self.shortest), AfterValidator(self.read), form]
        return handler.generate_schema(text)


def _matching(pattern: str, wanted: str, convert: Callable[[str], Any] = str) -> Callable[[str], Any]:
    """Make a reader of texts that match a pattern."""

    def read(text: str) -> Any:
        if not re.match(pattern, text):
            raise ValueError(f"{text!r} is not {wanted}")
        return convert(text)

    return read


def _pair(value: list[str]) -> list[str]:
    if len(value) != 2:
        raise ValueError("each origin has a rate and a heading, such as [15%, HEADING]")
    return value


def _listed(value: Any) -> Any:
    if value == "":
        raise ValueError("the value is empty")
    return [value] if isinstance(value, str) else value


def _choice(*choices: str) -> _Read:
    return _Read(one_of(*choices), {"enum": list(choices)})


_OPTIONAL_MAPPING = BeforeValidator(lambda value: value or {})
_OPTIONAL_LIST = BeforeValidator(lambda value: value or [])
Text = Annotated[Any, _Read(str, SCALAR)]
Number = Annotated[
    Any, _Read(_matching(rf"(?=.*[1-9]){NUMBER}", "a number above 0 such as 60000", Decimal), FIGURE)
]
Count = Annotated[Any, _Read(_matching(r"^[1-9]\d{0,3}$", "a count of calls such as 3", Decimal), FIGURE)]
Rate = Annotated[Any, _Read(read_rate, RATE)]
Share = Annotated[Any, _Read(read_share, RATE)]
Instant = Annotated[Any, _Read(lambda text: read_instant(text, ZoneInfo("UTC")), INSTANT)]
Day = Annotated[Any, _Read(read_day, {**TEXT, "pattern": r"^\d{4}-\d{2}-\d{2}$"})]
Prose = Annotated[Any, _Read(str, TEXT, shortest=0)]
Words = Annotated[list[str], BeforeValidator(_listed), WithJsonSchema(SCALARS)]
OptionalWords = Annotated[Words, _OPTIONAL_LIST]
Shares = Annotated[dict[str, Share], _OPTIONAL_MAPPING]

# -- models ----------------------------------------------------------------------------------------------------


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class ParameterForm(_Form):
    """Parameter of a scenario, with its value in a run that gives none."""

    default: Text
    title: Prose = ""


class ComponentForm(_Form):
    """Component of a mixture."""

    scenario: Text
    weight: Annotated[Any, _Read(read_share, {"anyOf": [*RATE["anyOf"], {"const": REST}]})]


class VoyageForm(_Form):
    """Voyage of a ship under a port fee, with the fields of `PortCalls`."""

    kind: Annotated[Any, _Read(str, TEXT)]
    ship: Prose = ""
    net_tons: Number = None
    teu: Number = None
    cargo_tons: Number = None
    containers: Number = None
    calls: Count = None
    share: Share = None
    usd_per_unit: Number = None
    source: Prose = ""


class AssumptionsForm(_Form):
    """Assumptions by measure."""

    let_through: Shares = {}
    compliance: Shares = {}
    rents: Annotated[dict[str, Annotated[Any, _choice(*RENT_HOLDERS)]], _OPTIONAL_MAPPING] = {}
    port_calls: Annotated[dict[str, VoyageForm], _OPTIONAL_MAPPING] = {}


class ValidForm(_Form):
    """Days that a scenario is meant for, the last excluded."""

    start: Annotated[Day, Field(alias="from")] = None
    end: Annotated[Day, Field(alias="to")] = None


class SelectorForm(_Form):
    """Selection of the measures that a change acts on."""

    id: Words = []
    authority: Annotated[Any, _Read(str, SCALAR, shortest=0)] = ""
    heading: Annotated[Any, _Read(str, SCALAR, shortest=0)] = ""
    origins: Words = []
    not_origins: Words = []
    products: Words = []
    and_products: Words = []
    not_products: Words = []


# A measure or rule in the format of the law's files. Only types are checked here; the law's reader checks the rest.
_LAW_TEXTS = (
    "id title authority direction modelled status displaces_at_zero note conf from to known_from heading "
    "heading_at_zero split_heading kind column undeclared rate price up_to take pick text use label"
)
_LAW_VALUES: dict[str, Any] = {
    **dict.fromkeys(_LAW_TEXTS.split(), (str, "")),
    **dict.fromkeys(("periods", "rows", "tiers"), (GenericAlias(list, "_LawData"), [])),
    **dict.fromkeys(("base", "switch", "touches"), (dict[str, Any], {})),
    "by_origin": (dict[str, Annotated[list[str], AfterValidator(_pair)]], {}),
}
_LawData = create_model(
    "_LawData", __config__=ConfigDict(extra="allow", strict=True, defer_build=True), **_LAW_VALUES
)
_CHANGE_VALUES: Mapping[str, Any] = {
    **dict.fromkeys(("at", "from", "until", "to", "collection_stop"), Instant),
    **dict.fromkeys(("rate", "kept"), Rate),
    **dict.fromkeys(("share", "compliance"), Share),
    **dict.fromkeys(("if", "cite", *SCOPE_KEYS), Words),
    **dict.fromkeys(("measure", "as"), Annotated[_LawData, MAPPING]),
    "known_from": Annotated[Any, _Read(read_day, INSTANT)],
    **dict.fromkeys(("from_beginning", WHEN), Annotated[Any, _Read(read_yes, SCALAR)]),
    **dict.fromkeys(("limit", "floor"), Annotated[Any, _Read(read_dollars, SCALAR)]),
    "rents": Annotated[Any, _choice(*RENT_HOLDERS)],
    "by": Annotated[Any, _Read(read_step, STEP)],
    "on_end": Annotated[Any, _choice(*ON_END)],
    "conf": Annotated[Any, _choice(*CONFIDENCE)],
    "switch": Annotated[dict[str, Any], MAPPING],
    "base": Annotated[dict[str, Any], WithJsonSchema(BASE)],
    "measures": SelectorForm,
    "note": Annotated[Any, WithJsonSchema(SCALAR)],
}


def _change_model(op: str) -> Any:
    """Create the model of the changes of one verb."""
    fields: dict[str, Any] = {
        key: (_CHANGE_VALUES.get(key, Text), ... if key in OPS[op].required else None)
        for key in sorted(CHANGE_KEYS[op] - {"op"} | {WHEN})
    }
    fields["op"] = (Annotated[str, WithJsonSchema({"const": op})], ...)
    return create_model(op, __base__=_Form, __doc__=OPS[op].text, **fields)


_CHANGES: Mapping[str, Any] = {op: _change_model(op) for op in OPS}
_Change: Any = Annotated[
    Union[tuple(Annotated[model, Tag(op)] for op, model in _CHANGES.items())],  # noqa: UP007
    Discriminator(
        lambda change: op if isinstance(change, dict) and isinstance(op := change.get("op"), str) else None
    ),
]


class _ScenarioHead(_Form):
    """Scenario: dated edits to the law."""

    form: Annotated[Any, _Read(one_of(SCHEMA), {"const": SCHEMA}), Field(alias="schema")]
    id: Annotated[Any, _Read(_matching(_ID, "an id such as truce-extended"), {**TEXT, "pattern": _ID})]
    title: Annotated[Any, _Read(_matching(r"\s*\S", "a title"), {**TEXT, "minLength": 1})]
    description: Prose = ""
    basis: Annotated[Any, _choice(*BASES)]
    parents: OptionalWords = []
    tags: OptionalWords = []
    cite: OptionalWords = []
    mixture: Annotated[list[ComponentForm], Field(min_length=1, max_length=_COMPONENTS_AT_MOST)] = []
    valid: Annotated[ValidForm, _OPTIONAL_MAPPING] = ValidForm()
    assumptions: Annotated[AssumptionsForm, _OPTIONAL_MAPPING] = AssumptionsForm()
    parameters: Annotated[
        dict[str, ParameterForm], Field(max_length=_PARAMETERS_AT_MOST), _OPTIONAL_MAPPING
    ] = {}


ScenarioForm = create_model(
    "scenario",
    __base__=_ScenarioHead,
    changes=(
        Annotated[list[_Change], Field(max_length=_CHANGES_AT_MOST), _OPTIONAL_LIST],
        [],
    ),
)
# Values of required keys when the valid part of a faulty file is read.
_PLACEHOLDERS = {"schema": SCHEMA, "id": "unnamed", "title": "Unnamed", "basis": BASES[0]}

# -- errors ----------------------------------------------------------------------------------------------------

_FAULTS = {
    "string_type": ("must be a single value, not a list or mapping", "Write one value."),
    "string_too_short": ("is empty", "Give it a value, or leave an optional key out."),
    "list_type": ("must be a list", "Write [a, b], or begin each item with `- `."),
    "dict_type": ("must be a mapping", "Write {key: value}."),
    "model_type": ("must be a mapping", "Keys: {keys}."),
    "too_short": ("must have {min_length} or more items", "Add the missing ones."),
    "too_long": ("must have at most {max_length} items", "Shorten it, or split the scenario by `parents`."),
}


def validate(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Fault]]:
    """Validate a document of texts, lists and mappings.

    Returns:
        The document without its faulty parts (if any part is faulty, without changes and parameters), and all faults.
    """
    try:
        ScenarioForm.model_validate(document)
        return document, []
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    faults = [_fault(document, detail, number < PROBLEMS_AT_MOST) for number, detail in enumerate(details)]
    sound = deepcopy({key: document[key] for key in document.keys() - {"changes", PARAMETERS}})
    for location, _ in faults:
        remove(sound, location[:3])
    return {**_PLACEHOLDERS, **sound}, faults


def _fault(document: Mapping[str, Any], detail: Any, hint: bool) -> Fault:
    """Convert an error of pydantic; `hint`: suggest a key for an unknown one."""
    location = detail["loc"]
    owner, keys = _owner(location)
    if location[0] == "changes":
        # The third part is the verb, which is not in the document.
        location = (*location[:2], *location[3:])
    path, kind = path_of(location), detail["type"]
    reason, fix = "SCENARIO_SYNTAX", "Correct the value."
    if kind == "extra_forbidden":
        reason, message = "SCENARIO_UNKNOWN_KEY", f"{owner} does not know the key {location[-1]!r}."
        fix = f"{did_you_mean(nearest(location[-1], keys)) if hint else ''}Keys: {', '.join(keys)}."
    elif kind == "missing":
        path, message, fix = path_of(location[:-1]), f"{owner} needs the key {location[-1]!r}.", "Add it."
    elif kind in {"union_tag_invalid", "union_tag_not_found"}:
        change = document["changes"][location[1]]
        message, fix = "A change must be a mapping.", "Write {op: ..., measures: ...}."
        if isinstance(change, dict):
            path, message = f"{path}.op", f"{change.get('op', '')!r} is not an operation."
            fix = f"Use one of: {', '.join(sorted(OPS))}."
    elif kind == "value_error":
        text = str(detail["ctx"]["error"])
        message = f"{text[0].upper()}{text[1:]}."
    else:
        text, fix = _FAULTS.get(kind, (detail["msg"], fix))
        name = location[-2:] if isinstance(location[-1], int) else location[-1:]
        fix = fix.replace("{keys}", ", ".join(_owner((*detail["loc"], ""))[1]))
        message = f"{path_of(name)} {text.format_map(detail.get('ctx', {}))}."
    return location, ScenarioError(reason, message, path=path, fix=fix)


def _owner(location: Location) -> tuple[str, list[str]]:
    """Return the name of the mapping that a location is in, and its keys."""
    name: str
    model: type[BaseModel]
    match location[:-1]:
        case ():
            name, model = "A scenario", ScenarioForm
        case ("changes", _, str(op)):
            name, model = op, _CHANGES[op]
        case ("changes", _, _, "measures"):
            name, model = "A selector", SelectorForm
        case ("changes", *_):
            name, model = "A measure", _LawData
        case ("mixture", *_):
            name, model = "A component of a mixture", ComponentForm
        case ("parameters", *_):
            name, model = "A parameter", ParameterForm
        case ("assumptions",):
            name, model = "assumptions", AssumptionsForm
        case ("valid",):
            name, model = "valid", ValidForm
        case _:
            name, model = "A voyage", VoyageForm
    return name, [field.alias or key for key, field in model.model_fields.items()]


# -- JSON Schema -----------------------------------------------------------------------------------------------


class _Untitled(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def json_schema() -> dict[str, Any]:
    """Generate the JSON Schema of a scenario file, which schema.json holds."""
    form = ScenarioForm.model_json_schema(schema_generator=_Untitled)
    return {"$schema": GenerateJsonSchema.schema_dialect, "$id": SCHEMA, **form}
