from tariffs.v1 import common_pb2 as _common_pb2
from tariffs.v1 import simulation_service_pb2 as _simulation_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SeekFilter(_message.Message):
    __slots__ = ("key", "values")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    key: str
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, key: _Optional[str] = ..., values: _Optional[_Iterable[str]] = ...) -> None: ...

class SeekRequest(_message.Message):
    __slots__ = ("scenario", "on", "parameter", "low", "high", "column", "target", "where", "baseline", "embedded", "arrow", "handle", "response", "horizon", "parameter_set", "parameter_csv", "known_on", "switches", "min_confidence", "direction", "to", "date_format", "scenario_parameters", "market", "fx_offset", "law_version", "retaliation")
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
    PARAMETER_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    EMBEDDED_FIELD_NUMBER: _ClassVar[int]
    ARROW_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    HORIZON_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_SET_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_CSV_FIELD_NUMBER: _ClassVar[int]
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
    parameter: str
    low: str
    high: str
    column: str
    target: float
    where: _containers.RepeatedCompositeFieldContainer[SeekFilter]
    baseline: str
    embedded: _simulation_service_pb2.EmbeddedTable
    arrow: bytes
    handle: str
    response: _simulation_service_pb2.ResponseModel
    horizon: _simulation_service_pb2.Horizon
    parameter_set: str
    parameter_csv: bytes
    known_on: str
    switches: _containers.ScalarMap[str, str]
    min_confidence: str
    direction: _common_pb2.Direction
    to: str
    date_format: str
    scenario_parameters: _containers.ScalarMap[str, str]
    market: _simulation_service_pb2.Market
    fx_offset: float
    law_version: str
    retaliation: str
    def __init__(self, scenario: _Optional[_Union[_common_pb2.ScenarioRef, _Mapping]] = ..., on: _Optional[str] = ..., parameter: _Optional[str] = ..., low: _Optional[str] = ..., high: _Optional[str] = ..., column: _Optional[str] = ..., target: _Optional[float] = ..., where: _Optional[_Iterable[_Union[SeekFilter, _Mapping]]] = ..., baseline: _Optional[str] = ..., embedded: _Optional[_Union[_simulation_service_pb2.EmbeddedTable, _Mapping]] = ..., arrow: _Optional[bytes] = ..., handle: _Optional[str] = ..., response: _Optional[_Union[_simulation_service_pb2.ResponseModel, str]] = ..., horizon: _Optional[_Union[_simulation_service_pb2.Horizon, str]] = ..., parameter_set: _Optional[str] = ..., parameter_csv: _Optional[bytes] = ..., known_on: _Optional[str] = ..., switches: _Optional[_Mapping[str, str]] = ..., min_confidence: _Optional[str] = ..., direction: _Optional[_Union[_common_pb2.Direction, str]] = ..., to: _Optional[str] = ..., date_format: _Optional[str] = ..., scenario_parameters: _Optional[_Mapping[str, str]] = ..., market: _Optional[_Union[_simulation_service_pb2.Market, str]] = ..., fx_offset: _Optional[float] = ..., law_version: _Optional[str] = ..., retaliation: _Optional[str] = ...) -> None: ...

class ParameterValue(_message.Message):
    __slots__ = ("number", "text")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    number: float
    text: str
    def __init__(self, number: _Optional[float] = ..., text: _Optional[str] = ...) -> None: ...

class SeekRoot(_message.Message):
    __slots__ = ("value", "achieved", "to")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    ACHIEVED_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    value: ParameterValue
    achieved: float
    to: ParameterValue
    def __init__(self, value: _Optional[_Union[ParameterValue, _Mapping]] = ..., achieved: _Optional[float] = ..., to: _Optional[_Union[ParameterValue, _Mapping]] = ...) -> None: ...

class SeekJump(_message.Message):
    __slots__ = ("value", "achieved", "next_value", "next_achieved")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    ACHIEVED_FIELD_NUMBER: _ClassVar[int]
    NEXT_VALUE_FIELD_NUMBER: _ClassVar[int]
    NEXT_ACHIEVED_FIELD_NUMBER: _ClassVar[int]
    value: ParameterValue
    achieved: float
    next_value: ParameterValue
    next_achieved: float
    def __init__(self, value: _Optional[_Union[ParameterValue, _Mapping]] = ..., achieved: _Optional[float] = ..., next_value: _Optional[_Union[ParameterValue, _Mapping]] = ..., next_achieved: _Optional[float] = ...) -> None: ...

class SeekResult(_message.Message):
    __slots__ = ("roots", "jumps", "nearest", "monotone", "path", "provenance", "notes")
    ROOTS_FIELD_NUMBER: _ClassVar[int]
    JUMPS_FIELD_NUMBER: _ClassVar[int]
    NEAREST_FIELD_NUMBER: _ClassVar[int]
    MONOTONE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    roots: _containers.RepeatedCompositeFieldContainer[SeekRoot]
    jumps: _containers.RepeatedCompositeFieldContainer[SeekJump]
    nearest: SeekRoot
    monotone: bool
    path: bytes
    provenance: _common_pb2.Provenance
    notes: _containers.RepeatedCompositeFieldContainer[_common_pb2.Note]
    def __init__(self, roots: _Optional[_Iterable[_Union[SeekRoot, _Mapping]]] = ..., jumps: _Optional[_Iterable[_Union[SeekJump, _Mapping]]] = ..., nearest: _Optional[_Union[SeekRoot, _Mapping]] = ..., monotone: _Optional[bool] = ..., path: _Optional[bytes] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ..., notes: _Optional[_Iterable[_Union[_common_pb2.Note, _Mapping]]] = ...) -> None: ...

class SeekResponse(_message.Message):
    __slots__ = ("progress", "refused", "done")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    progress: _simulation_service_pb2.Progress
    refused: _simulation_service_pb2.RefusedBatch
    done: SeekResult
    def __init__(self, progress: _Optional[_Union[_simulation_service_pb2.Progress, _Mapping]] = ..., refused: _Optional[_Union[_simulation_service_pb2.RefusedBatch, _Mapping]] = ..., done: _Optional[_Union[SeekResult, _Mapping]] = ...) -> None: ...
