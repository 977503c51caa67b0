from google.longrunning import operations_pb2 as _operations_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from tariffs.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ResponseModel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESPONSE_MODEL_UNSPECIFIED: _ClassVar[ResponseModel]
    RESPONSE_MODEL_ARMINGTON: _ClassVar[ResponseModel]
    RESPONSE_MODEL_PASSTHROUGH: _ClassVar[ResponseModel]
    RESPONSE_MODEL_SMART: _ClassVar[ResponseModel]
    RESPONSE_MODEL_NONE: _ClassVar[ResponseModel]
    RESPONSE_MODEL_GSIM: _ClassVar[ResponseModel]
    RESPONSE_MODEL_EXACT_HAT: _ClassVar[ResponseModel]
    RESPONSE_MODEL_WORLD: _ClassVar[ResponseModel]

class Horizon(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HORIZON_UNSPECIFIED: _ClassVar[Horizon]
    HORIZON_IMPACT: _ClassVar[Horizon]
    HORIZON_SHORT: _ClassVar[Horizon]
    HORIZON_LONG: _ClassVar[Horizon]
    HORIZON_PATH: _ClassVar[Horizon]

class Market(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MARKET_UNSPECIFIED: _ClassVar[Market]
    MARKET_PRODUCT: _ClassVar[Market]
    MARKET_SECTOR: _ClassVar[Market]

class ConsumerPriceMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONSUMER_PRICE_METHOD_UNSPECIFIED: _ClassVar[ConsumerPriceMethod]
    CONSUMER_PRICE_METHOD_DOLLAR: _ClassVar[ConsumerPriceMethod]
    CONSUMER_PRICE_METHOD_PERCENT: _ClassVar[ConsumerPriceMethod]
    CONSUMER_PRICE_METHOD_YALE: _ClassVar[ConsumerPriceMethod]
    CONSUMER_PRICE_METHOD_DOLLAR_2024: _ClassVar[ConsumerPriceMethod]
    CONSUMER_PRICE_METHOD_PERCENT_2024: _ClassVar[ConsumerPriceMethod]
    CONSUMER_PRICE_METHOD_DOLLAR_OFFSET: _ClassVar[ConsumerPriceMethod]
    CONSUMER_PRICE_METHOD_PERCENT_OFFSET: _ClassVar[ConsumerPriceMethod]

class DutyBasis(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DUTY_BASIS_UNSPECIFIED: _ClassVar[DutyBasis]
    DUTY_BASIS_ASSESSED: _ClassVar[DutyBasis]
    DUTY_BASIS_COLLECTED: _ClassVar[DutyBasis]

class RunState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RUN_STATE_UNSPECIFIED: _ClassVar[RunState]
    RUN_STATE_WAITING: _ClassVar[RunState]
    RUN_STATE_RUNNING: _ClassVar[RunState]
    RUN_STATE_SUCCEEDED: _ClassVar[RunState]
    RUN_STATE_FAILED: _ClassVar[RunState]
    RUN_STATE_CANCELLED: _ClassVar[RunState]
RESPONSE_MODEL_UNSPECIFIED: ResponseModel
RESPONSE_MODEL_ARMINGTON: ResponseModel
RESPONSE_MODEL_PASSTHROUGH: ResponseModel
RESPONSE_MODEL_SMART: ResponseModel
RESPONSE_MODEL_NONE: ResponseModel
RESPONSE_MODEL_GSIM: ResponseModel
RESPONSE_MODEL_EXACT_HAT: ResponseModel
RESPONSE_MODEL_WORLD: ResponseModel
HORIZON_UNSPECIFIED: Horizon
HORIZON_IMPACT: Horizon
HORIZON_SHORT: Horizon
HORIZON_LONG: Horizon
HORIZON_PATH: Horizon
MARKET_UNSPECIFIED: Market
MARKET_PRODUCT: Market
MARKET_SECTOR: Market
CONSUMER_PRICE_METHOD_UNSPECIFIED: ConsumerPriceMethod
CONSUMER_PRICE_METHOD_DOLLAR: ConsumerPriceMethod
CONSUMER_PRICE_METHOD_PERCENT: ConsumerPriceMethod
CONSUMER_PRICE_METHOD_YALE: ConsumerPriceMethod
CONSUMER_PRICE_METHOD_DOLLAR_2024: ConsumerPriceMethod
CONSUMER_PRICE_METHOD_PERCENT_2024: ConsumerPriceMethod
CONSUMER_PRICE_METHOD_DOLLAR_OFFSET: ConsumerPriceMethod
CONSUMER_PRICE_METHOD_PERCENT_OFFSET: ConsumerPriceMethod
DUTY_BASIS_UNSPECIFIED: DutyBasis
DUTY_BASIS_ASSESSED: DutyBasis
DUTY_BASIS_COLLECTED: DutyBasis
RUN_STATE_UNSPECIFIED: RunState
RUN_STATE_WAITING: RunState
RUN_STATE_RUNNING: RunState
RUN_STATE_SUCCEEDED: RunState
RUN_STATE_FAILED: RunState
RUN_STATE_CANCELLED: RunState

class EmbeddedTable(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Point(_message.Message):
    __slots__ = ("scenario", "on")
    SCENARIO_FIELD_NUMBER: _ClassVar[int]
    ON_FIELD_NUMBER: _ClassVar[int]
    scenario: _common_pb2.ScenarioRef
    on: str
    def __init__(self, scenario: _Optional[_Union[_common_pb2.ScenarioRef, _Mapping]] = ..., on: _Optional[str] = ...) -> None: ...

class SimulateRequest(_message.Message):
    __slots__ = ("points", "baseline", "embedded", "arrow", "handle", "response", "horizon", "parameter_set", "parameter_csv", "by", "known_on", "switches", "min_confidence", "include_lines", "direction", "to", "draws", "seed", "attribute", "date_format", "scenario_parameters", "market", "fx_offset", "reaction", "consumer_prices", "basis", "ahead", "law_version", "trend", "memory", "rivals", "retaliation")
    class SwitchesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class ScenarioParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    POINTS_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    EMBEDDED_FIELD_NUMBER: _ClassVar[int]
    ARROW_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    HORIZON_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_SET_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_CSV_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ON_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_LINES_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    DRAWS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    DATE_FORMAT_FIELD_NUMBER: _ClassVar[int]
    SCENARIO_PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    MARKET_FIELD_NUMBER: _ClassVar[int]
    FX_OFFSET_FIELD_NUMBER: _ClassVar[int]
    REACTION_FIELD_NUMBER: _ClassVar[int]
    CONSUMER_PRICES_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    AHEAD_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    TREND_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    RIVALS_FIELD_NUMBER: _ClassVar[int]
    RETALIATION_FIELD_NUMBER: _ClassVar[int]
    points: _containers.RepeatedCompositeFieldContainer[Point]
    baseline: str
    embedded: EmbeddedTable
    arrow: bytes
    handle: str
    response: ResponseModel
    horizon: Horizon
    parameter_set: str
    parameter_csv: bytes
    by: _containers.RepeatedScalarFieldContainer[str]
    known_on: str
    switches: _containers.ScalarMap[str, str]
    min_confidence: str
    include_lines: bool
    direction: _common_pb2.Direction
    to: str
    draws: int
    seed: int
    attribute: bool
    date_format: str
    scenario_parameters: _containers.ScalarMap[str, str]
    market: Market
    fx_offset: float
    reaction: float
    consumer_prices: ConsumerPriceMethod
    basis: DutyBasis
    ahead: str
    law_version: str
    trend: str
    memory: bool
    rivals: float
    retaliation: str
    def __init__(self, points: _Optional[_Iterable[_Union[Point, _Mapping]]] = ..., baseline: _Optional[str] = ..., embedded: _Optional[_Union[EmbeddedTable, _Mapping]] = ..., arrow: _Optional[bytes] = ..., handle: _Optional[str] = ..., response: _Optional[_Union[ResponseModel, str]] = ..., horizon: _Optional[_Union[Horizon, str]] = ..., parameter_set: _Optional[str] = ..., parameter_csv: _Optional[bytes] = ..., by: _Optional[_Iterable[str]] = ..., known_on: _Optional[str] = ..., switches: _Optional[_Mapping[str, str]] = ..., min_confidence: _Optional[str] = ..., include_lines: _Optional[bool] = ..., direction: _Optional[_Union[_common_pb2.Direction, str]] = ..., to: _Optional[str] = ..., draws: _Optional[int] = ..., seed: _Optional[int] = ..., attribute: _Optional[bool] = ..., date_format: _Optional[str] = ..., scenario_parameters: _Optional[_Mapping[str, str]] = ..., market: _Optional[_Union[Market, str]] = ..., fx_offset: _Optional[float] = ..., reaction: _Optional[float] = ..., consumer_prices: _Optional[_Union[ConsumerPriceMethod, str]] = ..., basis: _Optional[_Union[DutyBasis, str]] = ..., ahead: _Optional[str] = ..., law_version: _Optional[str] = ..., trend: _Optional[str] = ..., memory: _Optional[bool] = ..., rivals: _Optional[float] = ..., retaliation: _Optional[str] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("stage", "fraction")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    stage: str
    fraction: float
    def __init__(self, stage: _Optional[str] = ..., fraction: _Optional[float] = ...) -> None: ...

class ResultBatch(_message.Message):
    __slots__ = ("scenario", "on", "arrow")
    SCENARIO_FIELD_NUMBER: _ClassVar[int]
    ON_FIELD_NUMBER: _ClassVar[int]
    ARROW_FIELD_NUMBER: _ClassVar[int]
    scenario: str
    on: str
    arrow: bytes
    def __init__(self, scenario: _Optional[str] = ..., on: _Optional[str] = ..., arrow: _Optional[bytes] = ...) -> None: ...

class RefusedBatch(_message.Message):
    __slots__ = ("arrow",)
    ARROW_FIELD_NUMBER: _ClassVar[int]
    arrow: bytes
    def __init__(self, arrow: _Optional[bytes] = ...) -> None: ...

class Done(_message.Message):
    __slots__ = ("provenance", "notes", "point_notes")
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    POINT_NOTES_FIELD_NUMBER: _ClassVar[int]
    provenance: _common_pb2.Provenance
    notes: _containers.RepeatedCompositeFieldContainer[_common_pb2.Note]
    point_notes: _containers.RepeatedCompositeFieldContainer[PointNotes]
    def __init__(self, provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ..., notes: _Optional[_Iterable[_Union[_common_pb2.Note, _Mapping]]] = ..., point_notes: _Optional[_Iterable[_Union[PointNotes, _Mapping]]] = ...) -> None: ...

class PointNotes(_message.Message):
    __slots__ = ("scenario", "on", "notes")
    SCENARIO_FIELD_NUMBER: _ClassVar[int]
    ON_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    scenario: str
    on: str
    notes: _containers.RepeatedCompositeFieldContainer[_common_pb2.Note]
    def __init__(self, scenario: _Optional[str] = ..., on: _Optional[str] = ..., notes: _Optional[_Iterable[_Union[_common_pb2.Note, _Mapping]]] = ...) -> None: ...

class SimulateResponse(_message.Message):
    __slots__ = ("progress", "refused", "groups", "total", "lines", "done", "ranges", "total_ranges", "tornado", "attribution", "consumer_prices", "world", "households")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    RANGES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_RANGES_FIELD_NUMBER: _ClassVar[int]
    TORNADO_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    CONSUMER_PRICES_FIELD_NUMBER: _ClassVar[int]
    WORLD_FIELD_NUMBER: _ClassVar[int]
    HOUSEHOLDS_FIELD_NUMBER: _ClassVar[int]
    progress: Progress
    refused: RefusedBatch
    groups: ResultBatch
    total: ResultBatch
    lines: ResultBatch
    done: Done
    ranges: ResultBatch
    total_ranges: ResultBatch
    tornado: ResultBatch
    attribution: ResultBatch
    consumer_prices: ResultBatch
    world: ResultBatch
    households: ResultBatch
    def __init__(self, progress: _Optional[_Union[Progress, _Mapping]] = ..., refused: _Optional[_Union[RefusedBatch, _Mapping]] = ..., groups: _Optional[_Union[ResultBatch, _Mapping]] = ..., total: _Optional[_Union[ResultBatch, _Mapping]] = ..., lines: _Optional[_Union[ResultBatch, _Mapping]] = ..., done: _Optional[_Union[Done, _Mapping]] = ..., ranges: _Optional[_Union[ResultBatch, _Mapping]] = ..., total_ranges: _Optional[_Union[ResultBatch, _Mapping]] = ..., tornado: _Optional[_Union[ResultBatch, _Mapping]] = ..., attribution: _Optional[_Union[ResultBatch, _Mapping]] = ..., consumer_prices: _Optional[_Union[ResultBatch, _Mapping]] = ..., world: _Optional[_Union[ResultBatch, _Mapping]] = ..., households: _Optional[_Union[ResultBatch, _Mapping]] = ...) -> None: ...

class TimelineRequest(_message.Message):
    __slots__ = ("scenarios", "start", "end", "baseline", "embedded", "arrow", "handle", "response", "horizon", "parameter_set", "parameter_csv", "by", "known_on", "switches", "min_confidence", "direction", "to", "date_format", "scenario_parameters", "market", "fx_offset", "ahead", "law_version", "score", "tax_offset", "collected", "gdp", "trend", "rivals", "retaliation")
    class SwitchesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class ScenarioParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class CollectedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class GdpEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SCENARIOS_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    EMBEDDED_FIELD_NUMBER: _ClassVar[int]
    ARROW_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    HORIZON_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_SET_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_CSV_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ON_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    DATE_FORMAT_FIELD_NUMBER: _ClassVar[int]
    SCENARIO_PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    MARKET_FIELD_NUMBER: _ClassVar[int]
    FX_OFFSET_FIELD_NUMBER: _ClassVar[int]
    AHEAD_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    TAX_OFFSET_FIELD_NUMBER: _ClassVar[int]
    COLLECTED_FIELD_NUMBER: _ClassVar[int]
    GDP_FIELD_NUMBER: _ClassVar[int]
    TREND_FIELD_NUMBER: _ClassVar[int]
    RIVALS_FIELD_NUMBER: _ClassVar[int]
    RETALIATION_FIELD_NUMBER: _ClassVar[int]
    scenarios: _containers.RepeatedCompositeFieldContainer[_common_pb2.ScenarioRef]
    start: str
    end: str
    baseline: str
    embedded: EmbeddedTable
    arrow: bytes
    handle: str
    response: ResponseModel
    horizon: Horizon
    parameter_set: str
    parameter_csv: bytes
    by: _containers.RepeatedScalarFieldContainer[str]
    known_on: str
    switches: _containers.ScalarMap[str, str]
    min_confidence: str
    direction: _common_pb2.Direction
    to: str
    date_format: str
    scenario_parameters: _containers.ScalarMap[str, str]
    market: Market
    fx_offset: float
    ahead: str
    law_version: str
    score: str
    tax_offset: str
    collected: _containers.ScalarMap[str, str]
    gdp: _containers.ScalarMap[str, str]
    trend: str
    rivals: float
    retaliation: str
    def __init__(self, scenarios: _Optional[_Iterable[_Union[_common_pb2.ScenarioRef, _Mapping]]] = ..., start: _Optional[str] = ..., end: _Optional[str] = ..., baseline: _Optional[str] = ..., embedded: _Optional[_Union[EmbeddedTable, _Mapping]] = ..., arrow: _Optional[bytes] = ..., handle: _Optional[str] = ..., response: _Optional[_Union[ResponseModel, str]] = ..., horizon: _Optional[_Union[Horizon, str]] = ..., parameter_set: _Optional[str] = ..., parameter_csv: _Optional[bytes] = ..., by: _Optional[_Iterable[str]] = ..., known_on: _Optional[str] = ..., switches: _Optional[_Mapping[str, str]] = ..., min_confidence: _Optional[str] = ..., direction: _Optional[_Union[_common_pb2.Direction, str]] = ..., to: _Optional[str] = ..., date_format: _Optional[str] = ..., scenario_parameters: _Optional[_Mapping[str, str]] = ..., market: _Optional[_Union[Market, str]] = ..., fx_offset: _Optional[float] = ..., ahead: _Optional[str] = ..., law_version: _Optional[str] = ..., score: _Optional[str] = ..., tax_offset: _Optional[str] = ..., collected: _Optional[_Mapping[str, str]] = ..., gdp: _Optional[_Mapping[str, str]] = ..., trend: _Optional[str] = ..., rivals: _Optional[float] = ..., retaliation: _Optional[str] = ...) -> None: ...

class TimelineResponse(_message.Message):
    __slots__ = ("progress", "refused", "segments", "totals", "averages", "average_total", "done", "score")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    AVERAGES_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_TOTAL_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    progress: Progress
    refused: RefusedBatch
    segments: ResultBatch
    totals: ResultBatch
    averages: ResultBatch
    average_total: ResultBatch
    done: Done
    score: ResultBatch
    def __init__(self, progress: _Optional[_Union[Progress, _Mapping]] = ..., refused: _Optional[_Union[RefusedBatch, _Mapping]] = ..., segments: _Optional[_Union[ResultBatch, _Mapping]] = ..., totals: _Optional[_Union[ResultBatch, _Mapping]] = ..., averages: _Optional[_Union[ResultBatch, _Mapping]] = ..., average_total: _Optional[_Union[ResultBatch, _Mapping]] = ..., done: _Optional[_Union[Done, _Mapping]] = ..., score: _Optional[_Union[ResultBatch, _Mapping]] = ...) -> None: ...

class SweepAxis(_message.Message):
    __slots__ = ("name", "values")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    name: str
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., values: _Optional[_Iterable[str]] = ...) -> None: ...

class SweepGrid(_message.Message):
    __slots__ = ("axes",)
    AXES_FIELD_NUMBER: _ClassVar[int]
    axes: _containers.RepeatedCompositeFieldContainer[SweepAxis]
    def __init__(self, axes: _Optional[_Iterable[_Union[SweepAxis, _Mapping]]] = ...) -> None: ...

class SweepList(_message.Message):
    __slots__ = ("arrow",)
    ARROW_FIELD_NUMBER: _ClassVar[int]
    arrow: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, arrow: _Optional[_Iterable[bytes]] = ...) -> None: ...

class SweepRequest(_message.Message):
    __slots__ = ("scenario", "on", "grid", "list", "baseline", "embedded", "arrow", "handle", "response", "horizon", "parameter_set", "parameter_csv", "by", "known_on", "switches", "min_confidence", "direction", "to", "date_format", "scenario_parameters", "market", "fx_offset", "law_version", "retaliation")
    class SwitchesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class ScenarioParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SCENARIO_FIELD_NUMBER: _ClassVar[int]
    ON_FIELD_NUMBER: _ClassVar[int]
    GRID_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    EMBEDDED_FIELD_NUMBER: _ClassVar[int]
    ARROW_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    HORIZON_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_SET_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_CSV_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ON_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    DATE_FORMAT_FIELD_NUMBER: _ClassVar[int]
    SCENARIO_PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    MARKET_FIELD_NUMBER: _ClassVar[int]
    FX_OFFSET_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    RETALIATION_FIELD_NUMBER: _ClassVar[int]
    scenario: _common_pb2.ScenarioRef
    on: str
    grid: SweepGrid
    list: SweepList
    baseline: str
    embedded: EmbeddedTable
    arrow: bytes
    handle: str
    response: ResponseModel
    horizon: Horizon
    parameter_set: str
    parameter_csv: bytes
    by: _containers.RepeatedScalarFieldContainer[str]
    known_on: str
    switches: _containers.ScalarMap[str, str]
    min_confidence: str
    direction: _common_pb2.Direction
    to: str
    date_format: str
    scenario_parameters: _containers.ScalarMap[str, str]
    market: Market
    fx_offset: float
    law_version: str
    retaliation: str
    def __init__(self, scenario: _Optional[_Union[_common_pb2.ScenarioRef, _Mapping]] = ..., on: _Optional[str] = ..., grid: _Optional[_Union[SweepGrid, _Mapping]] = ..., list: _Optional[_Union[SweepList, _Mapping]] = ..., baseline: _Optional[str] = ..., embedded: _Optional[_Union[EmbeddedTable, _Mapping]] = ..., arrow: _Optional[bytes] = ..., handle: _Optional[str] = ..., response: _Optional[_Union[ResponseModel, str]] = ..., horizon: _Optional[_Union[Horizon, str]] = ..., parameter_set: _Optional[str] = ..., parameter_csv: _Optional[bytes] = ..., by: _Optional[_Iterable[str]] = ..., known_on: _Optional[str] = ..., switches: _Optional[_Mapping[str, str]] = ..., min_confidence: _Optional[str] = ..., direction: _Optional[_Union[_common_pb2.Direction, str]] = ..., to: _Optional[str] = ..., date_format: _Optional[str] = ..., scenario_parameters: _Optional[_Mapping[str, str]] = ..., market: _Optional[_Union[Market, str]] = ..., fx_offset: _Optional[float] = ..., law_version: _Optional[str] = ..., retaliation: _Optional[str] = ...) -> None: ...

class SweepBatch(_message.Message):
    __slots__ = ("block", "arrow")
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    ARROW_FIELD_NUMBER: _ClassVar[int]
    block: int
    arrow: bytes
    def __init__(self, block: _Optional[int] = ..., arrow: _Optional[bytes] = ...) -> None: ...

class SweepResponse(_message.Message):
    __slots__ = ("progress", "refused", "groups", "totals", "done")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    progress: Progress
    refused: RefusedBatch
    groups: SweepBatch
    totals: SweepBatch
    done: Done
    def __init__(self, progress: _Optional[_Union[Progress, _Mapping]] = ..., refused: _Optional[_Union[RefusedBatch, _Mapping]] = ..., groups: _Optional[_Union[SweepBatch, _Mapping]] = ..., totals: _Optional[_Union[SweepBatch, _Mapping]] = ..., done: _Optional[_Union[Done, _Mapping]] = ...) -> None: ...

class LinesConfig(_message.Message):
    __slots__ = ("points", "known_on", "switches", "min_confidence", "direction", "to", "date_format", "parameters", "law_version")
    class SwitchesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    POINTS_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ON_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    DATE_FORMAT_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    points: _containers.RepeatedCompositeFieldContainer[Point]
    known_on: str
    switches: _containers.ScalarMap[str, str]
    min_confidence: str
    direction: _common_pb2.Direction
    to: str
    date_format: str
    parameters: _containers.ScalarMap[str, str]
    law_version: str
    def __init__(self, points: _Optional[_Iterable[_Union[Point, _Mapping]]] = ..., known_on: _Optional[str] = ..., switches: _Optional[_Mapping[str, str]] = ..., min_confidence: _Optional[str] = ..., direction: _Optional[_Union[_common_pb2.Direction, str]] = ..., to: _Optional[str] = ..., date_format: _Optional[str] = ..., parameters: _Optional[_Mapping[str, str]] = ..., law_version: _Optional[str] = ...) -> None: ...

class SimulateLinesRequest(_message.Message):
    __slots__ = ("config", "arrow")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    ARROW_FIELD_NUMBER: _ClassVar[int]
    config: LinesConfig
    arrow: bytes
    def __init__(self, config: _Optional[_Union[LinesConfig, _Mapping]] = ..., arrow: _Optional[bytes] = ...) -> None: ...

class LinesBatch(_message.Message):
    __slots__ = ("batch", "scenario", "on", "arrow")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    SCENARIO_FIELD_NUMBER: _ClassVar[int]
    ON_FIELD_NUMBER: _ClassVar[int]
    ARROW_FIELD_NUMBER: _ClassVar[int]
    batch: int
    scenario: str
    on: str
    arrow: bytes
    def __init__(self, batch: _Optional[int] = ..., scenario: _Optional[str] = ..., on: _Optional[str] = ..., arrow: _Optional[bytes] = ...) -> None: ...

class RefusedLines(_message.Message):
    __slots__ = ("batch", "arrow")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    ARROW_FIELD_NUMBER: _ClassVar[int]
    batch: int
    arrow: bytes
    def __init__(self, batch: _Optional[int] = ..., arrow: _Optional[bytes] = ...) -> None: ...

class SimulateLinesResponse(_message.Message):
    __slots__ = ("refused", "lines", "done")
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    refused: RefusedLines
    lines: LinesBatch
    done: Done
    def __init__(self, refused: _Optional[_Union[RefusedLines, _Mapping]] = ..., lines: _Optional[_Union[LinesBatch, _Mapping]] = ..., done: _Optional[_Union[Done, _Mapping]] = ...) -> None: ...

class StartRunRequest(_message.Message):
    __slots__ = ("simulate", "timeline", "sweep", "request_id", "share_with")
    SIMULATE_FIELD_NUMBER: _ClassVar[int]
    TIMELINE_FIELD_NUMBER: _ClassVar[int]
    SWEEP_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SHARE_WITH_FIELD_NUMBER: _ClassVar[int]
    simulate: SimulateRequest
    timeline: TimelineRequest
    sweep: SweepRequest
    request_id: str
    share_with: str
    def __init__(self, simulate: _Optional[_Union[SimulateRequest, _Mapping]] = ..., timeline: _Optional[_Union[TimelineRequest, _Mapping]] = ..., sweep: _Optional[_Union[SweepRequest, _Mapping]] = ..., request_id: _Optional[str] = ..., share_with: _Optional[str] = ...) -> None: ...

class ShareRunRequest(_message.Message):
    __slots__ = ("name", "group")
    NAME_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    name: str
    group: str
    def __init__(self, name: _Optional[str] = ..., group: _Optional[str] = ...) -> None: ...

class RunMetadata(_message.Message):
    __slots__ = ("state", "stage", "fraction", "finished_parts", "total_parts", "attempts", "create_time", "end_time", "expire_time", "scenarios", "table", "law_version", "owner", "shared_with")
    STATE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    FINISHED_PARTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_PARTS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    SCENARIOS_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    SHARED_WITH_FIELD_NUMBER: _ClassVar[int]
    state: RunState
    stage: str
    fraction: float
    finished_parts: int
    total_parts: int
    attempts: int
    create_time: str
    end_time: str
    expire_time: str
    scenarios: _containers.RepeatedScalarFieldContainer[str]
    table: str
    law_version: str
    owner: str
    shared_with: str
    def __init__(self, state: _Optional[_Union[RunState, str]] = ..., stage: _Optional[str] = ..., fraction: _Optional[float] = ..., finished_parts: _Optional[int] = ..., total_parts: _Optional[int] = ..., attempts: _Optional[int] = ..., create_time: _Optional[str] = ..., end_time: _Optional[str] = ..., expire_time: _Optional[str] = ..., scenarios: _Optional[_Iterable[str]] = ..., table: _Optional[str] = ..., law_version: _Optional[str] = ..., owner: _Optional[str] = ..., shared_with: _Optional[str] = ...) -> None: ...

class RunResult(_message.Message):
    __slots__ = ("provenance", "message_count")
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    provenance: _common_pb2.Provenance
    message_count: int
    def __init__(self, provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ..., message_count: _Optional[int] = ...) -> None: ...

class ReadRunRequest(_message.Message):
    __slots__ = ("name", "offset")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    name: str
    offset: int
    def __init__(self, name: _Optional[str] = ..., offset: _Optional[int] = ...) -> None: ...

class ReadRunResponse(_message.Message):
    __slots__ = ("offset", "simulate", "timeline", "sweep")
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    SIMULATE_FIELD_NUMBER: _ClassVar[int]
    TIMELINE_FIELD_NUMBER: _ClassVar[int]
    SWEEP_FIELD_NUMBER: _ClassVar[int]
    offset: int
    simulate: SimulateResponse
    timeline: TimelineResponse
    sweep: SweepResponse
    def __init__(self, offset: _Optional[int] = ..., simulate: _Optional[_Union[SimulateResponse, _Mapping]] = ..., timeline: _Optional[_Union[TimelineResponse, _Mapping]] = ..., sweep: _Optional[_Union[SweepResponse, _Mapping]] = ...) -> None: ...

class CalculateCollectionsRequest(_message.Message):
    __slots__ = ("scenario", "start", "end", "by", "without", "known_on", "switches", "min_confidence", "law_version")
    class SwitchesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SCENARIO_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ON_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    scenario: _common_pb2.ScenarioRef
    start: str
    end: str
    by: _containers.RepeatedScalarFieldContainer[str]
    without: _containers.RepeatedScalarFieldContainer[str]
    known_on: str
    switches: _containers.ScalarMap[str, str]
    min_confidence: str
    law_version: str
    def __init__(self, scenario: _Optional[_Union[_common_pb2.ScenarioRef, _Mapping]] = ..., start: _Optional[str] = ..., end: _Optional[str] = ..., by: _Optional[_Iterable[str]] = ..., without: _Optional[_Iterable[str]] = ..., known_on: _Optional[str] = ..., switches: _Optional[_Mapping[str, str]] = ..., min_confidence: _Optional[str] = ..., law_version: _Optional[str] = ...) -> None: ...

class CalculateCollectionsResponse(_message.Message):
    __slots__ = ("rows", "total", "frozen", "notes", "provenance")
    class FrozenEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ROWS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    FROZEN_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedScalarFieldContainer[bytes]
    total: bytes
    frozen: _containers.ScalarMap[str, str]
    notes: _containers.RepeatedCompositeFieldContainer[_common_pb2.Note]
    provenance: _common_pb2.Provenance
    def __init__(self, rows: _Optional[_Iterable[bytes]] = ..., total: _Optional[bytes] = ..., frozen: _Optional[_Mapping[str, str]] = ..., notes: _Optional[_Iterable[_Union[_common_pb2.Note, _Mapping]]] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ...) -> None: ...

class CompareTradeRequest(_message.Message):
    __slots__ = ("known_on", "law_version")
    KNOWN_ON_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    known_on: str
    law_version: str
    def __init__(self, known_on: _Optional[str] = ..., law_version: _Optional[str] = ...) -> None: ...

class CompareTradeResponse(_message.Message):
    __slots__ = ("scores", "partners", "facts")
    SCORES_FIELD_NUMBER: _ClassVar[int]
    PARTNERS_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    scores: bytes
    partners: bytes
    facts: _struct_pb2.Struct
    def __init__(self, scores: _Optional[bytes] = ..., partners: _Optional[bytes] = ..., facts: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class SolveWorldRequest(_message.Message):
    __slots__ = ("scenario", "on", "scenario_parameters", "known_on", "switches", "min_confidence", "tariffs", "trade", "model", "rebate", "deficits", "retaliation", "elasticity", "labour", "scale", "firm_elasticity", "pass_through", "destination_share", "price_elasticity", "retaliation_rate", "reaction", "players", "draws", "law_version")
    class ScenarioParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class SwitchesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class TradeEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bytes
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
    SCENARIO_FIELD_NUMBER: _ClassVar[int]
    ON_FIELD_NUMBER: _ClassVar[int]
    SCENARIO_PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ON_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    TARIFFS_FIELD_NUMBER: _ClassVar[int]
    TRADE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    REBATE_FIELD_NUMBER: _ClassVar[int]
    DEFICITS_FIELD_NUMBER: _ClassVar[int]
    RETALIATION_FIELD_NUMBER: _ClassVar[int]
    ELASTICITY_FIELD_NUMBER: _ClassVar[int]
    LABOUR_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    FIRM_ELASTICITY_FIELD_NUMBER: _ClassVar[int]
    PASS_THROUGH_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_SHARE_FIELD_NUMBER: _ClassVar[int]
    PRICE_ELASTICITY_FIELD_NUMBER: _ClassVar[int]
    RETALIATION_RATE_FIELD_NUMBER: _ClassVar[int]
    REACTION_FIELD_NUMBER: _ClassVar[int]
    PLAYERS_FIELD_NUMBER: _ClassVar[int]
    DRAWS_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    scenario: _common_pb2.ScenarioRef
    on: str
    scenario_parameters: _containers.ScalarMap[str, str]
    known_on: str
    switches: _containers.ScalarMap[str, str]
    min_confidence: str
    tariffs: bytes
    trade: _containers.ScalarMap[str, bytes]
    model: str
    rebate: str
    deficits: str
    retaliation: str
    elasticity: float
    labour: float
    scale: float
    firm_elasticity: float
    pass_through: float
    destination_share: float
    price_elasticity: float
    retaliation_rate: float
    reaction: float
    players: _containers.RepeatedScalarFieldContainer[str]
    draws: int
    law_version: str
    def __init__(self, scenario: _Optional[_Union[_common_pb2.ScenarioRef, _Mapping]] = ..., on: _Optional[str] = ..., scenario_parameters: _Optional[_Mapping[str, str]] = ..., known_on: _Optional[str] = ..., switches: _Optional[_Mapping[str, str]] = ..., min_confidence: _Optional[str] = ..., tariffs: _Optional[bytes] = ..., trade: _Optional[_Mapping[str, bytes]] = ..., model: _Optional[str] = ..., rebate: _Optional[str] = ..., deficits: _Optional[str] = ..., retaliation: _Optional[str] = ..., elasticity: _Optional[float] = ..., labour: _Optional[float] = ..., scale: _Optional[float] = ..., firm_elasticity: _Optional[float] = ..., pass_through: _Optional[float] = ..., destination_share: _Optional[float] = ..., price_elasticity: _Optional[float] = ..., retaliation_rate: _Optional[float] = ..., reaction: _Optional[float] = ..., players: _Optional[_Iterable[str]] = ..., draws: _Optional[int] = ..., law_version: _Optional[str] = ...) -> None: ...

class SolveWorldResponse(_message.Message):
    __slots__ = ("countries", "residual", "iterations", "unallocated", "notes", "provenance", "rates", "largest_gain")
    class RatesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    COUNTRIES_FIELD_NUMBER: _ClassVar[int]
    RESIDUAL_FIELD_NUMBER: _ClassVar[int]
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    UNALLOCATED_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    RATES_FIELD_NUMBER: _ClassVar[int]
    LARGEST_GAIN_FIELD_NUMBER: _ClassVar[int]
    countries: bytes
    residual: float
    iterations: int
    unallocated: float
    notes: _containers.RepeatedCompositeFieldContainer[_common_pb2.Note]
    provenance: _common_pb2.Provenance
    rates: _containers.ScalarMap[str, float]
    largest_gain: float
    def __init__(self, countries: _Optional[bytes] = ..., residual: _Optional[float] = ..., iterations: _Optional[int] = ..., unallocated: _Optional[float] = ..., notes: _Optional[_Iterable[_Union[_common_pb2.Note, _Mapping]]] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ..., rates: _Optional[_Mapping[str, float]] = ..., largest_gain: _Optional[float] = ...) -> None: ...
