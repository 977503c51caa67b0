from tariffs.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Confidence(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONFIDENCE_UNSPECIFIED: _ClassVar[Confidence]
    CONFIDENCE_A: _ClassVar[Confidence]
    CONFIDENCE_B: _ClassVar[Confidence]
    CONFIDENCE_C: _ClassVar[Confidence]
    CONFIDENCE_U: _ClassVar[Confidence]

class LawState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LAW_STATE_UNSPECIFIED: _ClassVar[LawState]
    LAW_STATE_SERVED: _ClassVar[LawState]
    LAW_STATE_LOADING: _ClassVar[LawState]
    LAW_STATE_REFUSED: _ClassVar[LawState]
CONFIDENCE_UNSPECIFIED: Confidence
CONFIDENCE_A: Confidence
CONFIDENCE_B: Confidence
CONFIDENCE_C: Confidence
CONFIDENCE_U: Confidence
LAW_STATE_UNSPECIFIED: LawState
LAW_STATE_SERVED: LawState
LAW_STATE_LOADING: LawState
LAW_STATE_REFUSED: LawState

class Period(_message.Message):
    __slots__ = ("id", "start_time", "end_time", "known_from", "citations", "confidence", "rows", "switches")
    class SwitchesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FROM_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    id: str
    start_time: str
    end_time: str
    known_from: str
    citations: _containers.RepeatedScalarFieldContainer[str]
    confidence: Confidence
    rows: _containers.RepeatedCompositeFieldContainer[MeasureRow]
    switches: _containers.ScalarMap[str, str]
    def __init__(self, id: _Optional[str] = ..., start_time: _Optional[str] = ..., end_time: _Optional[str] = ..., known_from: _Optional[str] = ..., citations: _Optional[_Iterable[str]] = ..., confidence: _Optional[_Union[Confidence, str]] = ..., rows: _Optional[_Iterable[_Union[MeasureRow, _Mapping]]] = ..., switches: _Optional[_Mapping[str, str]] = ...) -> None: ...

class MeasureRow(_message.Message):
    __slots__ = ("goods", "charge", "base", "conditions", "heading", "known_from", "label")
    GOODS_FIELD_NUMBER: _ClassVar[int]
    CHARGE_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    HEADING_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FROM_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    goods: str
    charge: str
    base: str
    conditions: str
    heading: str
    known_from: str
    label: str
    def __init__(self, goods: _Optional[str] = ..., charge: _Optional[str] = ..., base: _Optional[str] = ..., conditions: _Optional[str] = ..., heading: _Optional[str] = ..., known_from: _Optional[str] = ..., label: _Optional[str] = ...) -> None: ...

class NamedList(_message.Message):
    __slots__ = ("id", "codes")
    ID_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    id: str
    codes: int
    def __init__(self, id: _Optional[str] = ..., codes: _Optional[int] = ...) -> None: ...

class Measure(_message.Message):
    __slots__ = ("id", "title", "authority", "direction", "modelled", "announced", "confidence", "citations", "note", "periods", "events", "provenance", "lists", "destination", "switches")
    class SwitchesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    MODELLED_FIELD_NUMBER: _ClassVar[int]
    ANNOUNCED_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    PERIODS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    LISTS_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    id: str
    title: str
    authority: str
    direction: _common_pb2.Direction
    modelled: bool
    announced: bool
    confidence: Confidence
    citations: _containers.RepeatedScalarFieldContainer[str]
    note: str
    periods: _containers.RepeatedCompositeFieldContainer[Period]
    events: _containers.RepeatedCompositeFieldContainer[MeasureEvent]
    provenance: _common_pb2.Provenance
    lists: _containers.RepeatedCompositeFieldContainer[NamedList]
    destination: str
    switches: _containers.ScalarMap[str, str]
    def __init__(self, id: _Optional[str] = ..., title: _Optional[str] = ..., authority: _Optional[str] = ..., direction: _Optional[_Union[_common_pb2.Direction, str]] = ..., modelled: _Optional[bool] = ..., announced: _Optional[bool] = ..., confidence: _Optional[_Union[Confidence, str]] = ..., citations: _Optional[_Iterable[str]] = ..., note: _Optional[str] = ..., periods: _Optional[_Iterable[_Union[Period, _Mapping]]] = ..., events: _Optional[_Iterable[_Union[MeasureEvent, _Mapping]]] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ..., lists: _Optional[_Iterable[_Union[NamedList, _Mapping]]] = ..., destination: _Optional[str] = ..., switches: _Optional[_Mapping[str, str]] = ...) -> None: ...

class MeasureEvent(_message.Message):
    __slots__ = ("op", "start_time", "end_time", "known_from", "citations", "text", "confidence", "switches", "goods", "conditions", "heading")
    class SwitchesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    OP_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FROM_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    GOODS_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    HEADING_FIELD_NUMBER: _ClassVar[int]
    op: str
    start_time: str
    end_time: str
    known_from: str
    citations: _containers.RepeatedScalarFieldContainer[str]
    text: str
    confidence: Confidence
    switches: _containers.ScalarMap[str, str]
    goods: str
    conditions: str
    heading: str
    def __init__(self, op: _Optional[str] = ..., start_time: _Optional[str] = ..., end_time: _Optional[str] = ..., known_from: _Optional[str] = ..., citations: _Optional[_Iterable[str]] = ..., text: _Optional[str] = ..., confidence: _Optional[_Union[Confidence, str]] = ..., switches: _Optional[_Mapping[str, str]] = ..., goods: _Optional[str] = ..., conditions: _Optional[str] = ..., heading: _Optional[str] = ...) -> None: ...

class ListMeasuresRequest(_message.Message):
    __slots__ = ("authority", "law_version")
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    authority: str
    law_version: str
    def __init__(self, authority: _Optional[str] = ..., law_version: _Optional[str] = ...) -> None: ...

class ListMeasuresResponse(_message.Message):
    __slots__ = ("measures", "provenance")
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    measures: _containers.RepeatedCompositeFieldContainer[Measure]
    provenance: _common_pb2.Provenance
    def __init__(self, measures: _Optional[_Iterable[_Union[Measure, _Mapping]]] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetMeasureRequest(_message.Message):
    __slots__ = ("id", "law_version")
    ID_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    id: str
    law_version: str
    def __init__(self, id: _Optional[str] = ..., law_version: _Optional[str] = ...) -> None: ...

class ListCodesRequest(_message.Message):
    __slots__ = ("id", "list", "hts", "page_size", "page_token", "law_version")
    ID_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    HTS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    id: str
    list: str
    hts: str
    page_size: int
    page_token: str
    law_version: str
    def __init__(self, id: _Optional[str] = ..., list: _Optional[str] = ..., hts: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., law_version: _Optional[str] = ...) -> None: ...

class MeasureCode(_message.Message):
    __slots__ = ("code", "list", "is_left_out")
    CODE_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    IS_LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    code: str
    list: str
    is_left_out: bool
    def __init__(self, code: _Optional[str] = ..., list: _Optional[str] = ..., is_left_out: _Optional[bool] = ...) -> None: ...

class ListCodesResponse(_message.Message):
    __slots__ = ("codes", "total_size", "next_page_token", "provenance")
    CODES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    codes: _containers.RepeatedCompositeFieldContainer[MeasureCode]
    total_size: int
    next_page_token: str
    provenance: _common_pb2.Provenance
    def __init__(self, codes: _Optional[_Iterable[_Union[MeasureCode, _Mapping]]] = ..., total_size: _Optional[int] = ..., next_page_token: _Optional[str] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ...) -> None: ...

class Switch(_message.Message):
    __slots__ = ("id", "default_value", "values", "text", "citations", "confidence")
    ID_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_VALUE_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    id: str
    default_value: str
    values: _containers.RepeatedScalarFieldContainer[str]
    text: str
    citations: _containers.RepeatedScalarFieldContainer[str]
    confidence: Confidence
    def __init__(self, id: _Optional[str] = ..., default_value: _Optional[str] = ..., values: _Optional[_Iterable[str]] = ..., text: _Optional[str] = ..., citations: _Optional[_Iterable[str]] = ..., confidence: _Optional[_Union[Confidence, str]] = ...) -> None: ...

class ClaimKind(_message.Message):
    __slots__ = ("id", "type", "role", "text", "citations")
    ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    id: str
    type: str
    role: str
    text: str
    citations: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., type: _Optional[str] = ..., role: _Optional[str] = ..., text: _Optional[str] = ..., citations: _Optional[_Iterable[str]] = ...) -> None: ...

class GetLawRequest(_message.Message):
    __slots__ = ("law_version",)
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    law_version: str
    def __init__(self, law_version: _Optional[str] = ...) -> None: ...

class Law(_message.Message):
    __slots__ = ("version", "as_of", "coverage_start_time", "coverage_end_time", "digest", "switches", "claims", "provenance", "read_to")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_START_TIME_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_END_TIME_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    READ_TO_FIELD_NUMBER: _ClassVar[int]
    version: str
    as_of: str
    coverage_start_time: str
    coverage_end_time: str
    digest: str
    switches: _containers.RepeatedCompositeFieldContainer[Switch]
    claims: _containers.RepeatedCompositeFieldContainer[ClaimKind]
    provenance: _common_pb2.Provenance
    read_to: str
    def __init__(self, version: _Optional[str] = ..., as_of: _Optional[str] = ..., coverage_start_time: _Optional[str] = ..., coverage_end_time: _Optional[str] = ..., digest: _Optional[str] = ..., switches: _Optional[_Iterable[_Union[Switch, _Mapping]]] = ..., claims: _Optional[_Iterable[_Union[ClaimKind, _Mapping]]] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ..., read_to: _Optional[str] = ...) -> None: ...

class ListChangesRequest(_message.Message):
    __slots__ = ("start", "end", "hts", "origin", "known_on", "scenario", "switches", "min_confidence", "arrow", "embedded", "handle", "direction", "to", "law_version")
    class SwitchesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    HTS_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ON_FIELD_NUMBER: _ClassVar[int]
    SCENARIO_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    ARROW_FIELD_NUMBER: _ClassVar[int]
    EMBEDDED_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    start: str
    end: str
    hts: str
    origin: str
    known_on: str
    scenario: _common_pb2.ScenarioRef
    switches: _containers.ScalarMap[str, str]
    min_confidence: str
    arrow: bytes
    embedded: bool
    handle: str
    direction: _common_pb2.Direction
    to: str
    law_version: str
    def __init__(self, start: _Optional[str] = ..., end: _Optional[str] = ..., hts: _Optional[str] = ..., origin: _Optional[str] = ..., known_on: _Optional[str] = ..., scenario: _Optional[_Union[_common_pb2.ScenarioRef, _Mapping]] = ..., switches: _Optional[_Mapping[str, str]] = ..., min_confidence: _Optional[str] = ..., arrow: _Optional[bytes] = ..., embedded: _Optional[bool] = ..., handle: _Optional[str] = ..., direction: _Optional[_Union[_common_pb2.Direction, str]] = ..., to: _Optional[str] = ..., law_version: _Optional[str] = ...) -> None: ...

class LawChange(_message.Message):
    __slots__ = ("id", "kind", "when", "measures", "effect_time", "known_from", "text", "citations", "confidence", "step")
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    WHEN_FIELD_NUMBER: _ClassVar[int]
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    EFFECT_TIME_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FROM_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: str
    when: _containers.RepeatedScalarFieldContainer[str]
    measures: _containers.RepeatedScalarFieldContainer[str]
    effect_time: str
    known_from: str
    text: str
    citations: _containers.RepeatedScalarFieldContainer[str]
    confidence: Confidence
    step: int
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[str] = ..., when: _Optional[_Iterable[str]] = ..., measures: _Optional[_Iterable[str]] = ..., effect_time: _Optional[str] = ..., known_from: _Optional[str] = ..., text: _Optional[str] = ..., citations: _Optional[_Iterable[str]] = ..., confidence: _Optional[_Union[Confidence, str]] = ..., step: _Optional[int] = ...) -> None: ...

class ListChangesResponse(_message.Message):
    __slots__ = ("changes", "effects", "lines", "lines_left_off", "refused", "provenance", "effects_left_off", "refused_left_off")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    EFFECTS_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    LINES_LEFT_OFF_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    EFFECTS_LEFT_OFF_FIELD_NUMBER: _ClassVar[int]
    REFUSED_LEFT_OFF_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[LawChange]
    effects: bytes
    lines: bytes
    lines_left_off: int
    refused: bytes
    provenance: _common_pb2.Provenance
    effects_left_off: int
    refused_left_off: int
    def __init__(self, changes: _Optional[_Iterable[_Union[LawChange, _Mapping]]] = ..., effects: _Optional[bytes] = ..., lines: _Optional[bytes] = ..., lines_left_off: _Optional[int] = ..., refused: _Optional[bytes] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ..., effects_left_off: _Optional[int] = ..., refused_left_off: _Optional[int] = ...) -> None: ...

class Voyage(_message.Message):
    __slots__ = ("kind", "ship", "net_tons", "teu", "cargo_tons", "containers", "calls", "share", "usd_per_unit", "source")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SHIP_FIELD_NUMBER: _ClassVar[int]
    NET_TONS_FIELD_NUMBER: _ClassVar[int]
    TEU_FIELD_NUMBER: _ClassVar[int]
    CARGO_TONS_FIELD_NUMBER: _ClassVar[int]
    CONTAINERS_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    USD_PER_UNIT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    kind: str
    ship: str
    net_tons: str
    teu: str
    cargo_tons: str
    containers: str
    calls: str
    share: str
    usd_per_unit: str
    source: str
    def __init__(self, kind: _Optional[str] = ..., ship: _Optional[str] = ..., net_tons: _Optional[str] = ..., teu: _Optional[str] = ..., cargo_tons: _Optional[str] = ..., containers: _Optional[str] = ..., calls: _Optional[str] = ..., share: _Optional[str] = ..., usd_per_unit: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...

class CalculatePortFeeRequest(_message.Message):
    __slots__ = ("on", "known_on", "scenario", "switches", "voyage", "law_version")
    class SwitchesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ON_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ON_FIELD_NUMBER: _ClassVar[int]
    SCENARIO_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    VOYAGE_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    on: str
    known_on: str
    scenario: _common_pb2.ScenarioRef
    switches: _containers.ScalarMap[str, str]
    voyage: Voyage
    law_version: str
    def __init__(self, on: _Optional[str] = ..., known_on: _Optional[str] = ..., scenario: _Optional[_Union[_common_pb2.ScenarioRef, _Mapping]] = ..., switches: _Optional[_Mapping[str, str]] = ..., voyage: _Optional[_Union[Voyage, _Mapping]] = ..., law_version: _Optional[str] = ...) -> None: ...

class VoyageFigure(_message.Message):
    __slots__ = ("name", "value", "source", "confidence")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    source: str
    confidence: Confidence
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ..., source: _Optional[str] = ..., confidence: _Optional[_Union[Confidence, str]] = ...) -> None: ...

class PortFee(_message.Message):
    __slots__ = ("measure", "kind", "ship", "suspended", "paying_calls", "per_call", "total", "per_teu", "per_ton", "teu_of_trade", "ton_of_trade", "figures", "citations")
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SHIP_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_FIELD_NUMBER: _ClassVar[int]
    PAYING_CALLS_FIELD_NUMBER: _ClassVar[int]
    PER_CALL_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    PER_TEU_FIELD_NUMBER: _ClassVar[int]
    PER_TON_FIELD_NUMBER: _ClassVar[int]
    TEU_OF_TRADE_FIELD_NUMBER: _ClassVar[int]
    TON_OF_TRADE_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    measure: str
    kind: str
    ship: str
    suspended: bool
    paying_calls: int
    per_call: str
    total: str
    per_teu: str
    per_ton: str
    teu_of_trade: str
    ton_of_trade: str
    figures: _containers.RepeatedCompositeFieldContainer[VoyageFigure]
    citations: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, measure: _Optional[str] = ..., kind: _Optional[str] = ..., ship: _Optional[str] = ..., suspended: _Optional[bool] = ..., paying_calls: _Optional[int] = ..., per_call: _Optional[str] = ..., total: _Optional[str] = ..., per_teu: _Optional[str] = ..., per_ton: _Optional[str] = ..., teu_of_trade: _Optional[str] = ..., ton_of_trade: _Optional[str] = ..., figures: _Optional[_Iterable[_Union[VoyageFigure, _Mapping]]] = ..., citations: _Optional[_Iterable[str]] = ...) -> None: ...

class CalculatePortFeeResponse(_message.Message):
    __slots__ = ("fees", "provenance")
    FEES_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    fees: _containers.RepeatedCompositeFieldContainer[PortFee]
    provenance: _common_pb2.Provenance
    def __init__(self, fees: _Optional[_Iterable[_Union[PortFee, _Mapping]]] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ServerInfo(_message.Message):
    __slots__ = ("version", "law_version", "methods", "request_fields")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    METHODS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELDS_FIELD_NUMBER: _ClassVar[int]
    version: str
    law_version: str
    methods: _containers.RepeatedScalarFieldContainer[str]
    request_fields: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, version: _Optional[str] = ..., law_version: _Optional[str] = ..., methods: _Optional[_Iterable[str]] = ..., request_fields: _Optional[_Iterable[str]] = ...) -> None: ...

class ListVersionsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WatchVersionsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class LawVersion(_message.Message):
    __slots__ = ("version", "digest", "as_of", "read_to", "pack", "state", "reason", "message", "fix", "state_time", "key_id", "is_default", "is_latest")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    READ_TO_FIELD_NUMBER: _ClassVar[int]
    PACK_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FIX_FIELD_NUMBER: _ClassVar[int]
    STATE_TIME_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    IS_DEFAULT_FIELD_NUMBER: _ClassVar[int]
    IS_LATEST_FIELD_NUMBER: _ClassVar[int]
    version: str
    digest: str
    as_of: str
    read_to: str
    pack: str
    state: LawState
    reason: str
    message: str
    fix: str
    state_time: str
    key_id: str
    is_default: bool
    is_latest: bool
    def __init__(self, version: _Optional[str] = ..., digest: _Optional[str] = ..., as_of: _Optional[str] = ..., read_to: _Optional[str] = ..., pack: _Optional[str] = ..., state: _Optional[_Union[LawState, str]] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., fix: _Optional[str] = ..., state_time: _Optional[str] = ..., key_id: _Optional[str] = ..., is_default: _Optional[bool] = ..., is_latest: _Optional[bool] = ...) -> None: ...

class ListVersionsResponse(_message.Message):
    __slots__ = ("versions",)
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[LawVersion]
    def __init__(self, versions: _Optional[_Iterable[_Union[LawVersion, _Mapping]]] = ...) -> None: ...

class GetCallerRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CallerInfo(_message.Message):
    __slots__ = ("name", "roles", "groups", "quotas")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    QUOTAS_FIELD_NUMBER: _ClassVar[int]
    name: str
    roles: _containers.RepeatedScalarFieldContainer[str]
    groups: _containers.RepeatedScalarFieldContainer[str]
    quotas: _containers.RepeatedCompositeFieldContainer[CallerQuota]
    def __init__(self, name: _Optional[str] = ..., roles: _Optional[_Iterable[str]] = ..., groups: _Optional[_Iterable[str]] = ..., quotas: _Optional[_Iterable[_Union[CallerQuota, _Mapping]]] = ...) -> None: ...

class CallerQuota(_message.Message):
    __slots__ = ("name", "limit", "used")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    name: str
    limit: float
    used: float
    def __init__(self, name: _Optional[str] = ..., limit: _Optional[float] = ..., used: _Optional[float] = ...) -> None: ...
