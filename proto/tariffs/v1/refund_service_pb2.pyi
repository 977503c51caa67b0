from google.rpc import status_pb2 as _status_pb2
from tariffs.v1 import common_pb2 as _common_pb2
from tariffs.v1 import duty_service_pb2 as _duty_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RefundLine(_message.Message):
    __slots__ = ("line", "liquidation", "liquidation_date", "deposit_date", "drawback", "reliquidation_date")
    LINE_FIELD_NUMBER: _ClassVar[int]
    LIQUIDATION_FIELD_NUMBER: _ClassVar[int]
    LIQUIDATION_DATE_FIELD_NUMBER: _ClassVar[int]
    DEPOSIT_DATE_FIELD_NUMBER: _ClassVar[int]
    DRAWBACK_FIELD_NUMBER: _ClassVar[int]
    RELIQUIDATION_DATE_FIELD_NUMBER: _ClassVar[int]
    line: _duty_service_pb2.EntryLine
    liquidation: str
    liquidation_date: str
    deposit_date: str
    drawback: str
    reliquidation_date: str
    def __init__(self, line: _Optional[_Union[_duty_service_pb2.EntryLine, _Mapping]] = ..., liquidation: _Optional[str] = ..., liquidation_date: _Optional[str] = ..., deposit_date: _Optional[str] = ..., drawback: _Optional[str] = ..., reliquidation_date: _Optional[str] = ...) -> None: ...

class CalculateRefundsRequest(_message.Message):
    __slots__ = ("lines", "scenario", "known_on", "switches", "min_confidence", "authorities", "interest_rate", "paid_on", "table", "law_version")
    class SwitchesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    LINES_FIELD_NUMBER: _ClassVar[int]
    SCENARIO_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ON_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    AUTHORITIES_FIELD_NUMBER: _ClassVar[int]
    INTEREST_RATE_FIELD_NUMBER: _ClassVar[int]
    PAID_ON_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedCompositeFieldContainer[RefundLine]
    scenario: _common_pb2.ScenarioRef
    known_on: str
    switches: _containers.ScalarMap[str, str]
    min_confidence: str
    authorities: _containers.RepeatedScalarFieldContainer[str]
    interest_rate: str
    paid_on: str
    table: _common_pb2.TableForm
    law_version: str
    def __init__(self, lines: _Optional[_Iterable[_Union[RefundLine, _Mapping]]] = ..., scenario: _Optional[_Union[_common_pb2.ScenarioRef, _Mapping]] = ..., known_on: _Optional[str] = ..., switches: _Optional[_Mapping[str, str]] = ..., min_confidence: _Optional[str] = ..., authorities: _Optional[_Iterable[str]] = ..., interest_rate: _Optional[str] = ..., paid_on: _Optional[str] = ..., table: _Optional[_Union[_common_pb2.TableForm, _Mapping]] = ..., law_version: _Optional[str] = ...) -> None: ...

class HeadingRefund(_message.Message):
    __slots__ = ("measure", "heading", "start", "end", "deposited", "assessed", "owed", "refundable")
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    HEADING_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    DEPOSITED_FIELD_NUMBER: _ClassVar[int]
    ASSESSED_FIELD_NUMBER: _ClassVar[int]
    OWED_FIELD_NUMBER: _ClassVar[int]
    REFUNDABLE_FIELD_NUMBER: _ClassVar[int]
    measure: str
    heading: str
    start: str
    end: str
    deposited: str
    assessed: str
    owed: str
    refundable: str
    def __init__(self, measure: _Optional[str] = ..., heading: _Optional[str] = ..., start: _Optional[str] = ..., end: _Optional[str] = ..., deposited: _Optional[str] = ..., assessed: _Optional[str] = ..., owed: _Optional[str] = ..., refundable: _Optional[str] = ...) -> None: ...

class EntryRefund(_message.Message):
    __slots__ = ("entry_id", "day", "indices", "refused_count", "liquidation", "route", "route_from", "deposited", "assessed", "owed", "by_act", "refundable", "drawback", "refund", "interest", "interest_by_act", "protest_by", "suit_by", "headings", "notes")
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    INDICES_FIELD_NUMBER: _ClassVar[int]
    REFUSED_COUNT_FIELD_NUMBER: _ClassVar[int]
    LIQUIDATION_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FROM_FIELD_NUMBER: _ClassVar[int]
    DEPOSITED_FIELD_NUMBER: _ClassVar[int]
    ASSESSED_FIELD_NUMBER: _ClassVar[int]
    OWED_FIELD_NUMBER: _ClassVar[int]
    BY_ACT_FIELD_NUMBER: _ClassVar[int]
    REFUNDABLE_FIELD_NUMBER: _ClassVar[int]
    DRAWBACK_FIELD_NUMBER: _ClassVar[int]
    REFUND_FIELD_NUMBER: _ClassVar[int]
    INTEREST_FIELD_NUMBER: _ClassVar[int]
    INTEREST_BY_ACT_FIELD_NUMBER: _ClassVar[int]
    PROTEST_BY_FIELD_NUMBER: _ClassVar[int]
    SUIT_BY_FIELD_NUMBER: _ClassVar[int]
    HEADINGS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    entry_id: str
    day: str
    indices: _containers.RepeatedScalarFieldContainer[int]
    refused_count: int
    liquidation: str
    route: str
    route_from: str
    deposited: str
    assessed: str
    owed: str
    by_act: str
    refundable: str
    drawback: str
    refund: str
    interest: str
    interest_by_act: str
    protest_by: str
    suit_by: str
    headings: _containers.RepeatedCompositeFieldContainer[HeadingRefund]
    notes: _containers.RepeatedCompositeFieldContainer[_common_pb2.Note]
    def __init__(self, entry_id: _Optional[str] = ..., day: _Optional[str] = ..., indices: _Optional[_Iterable[int]] = ..., refused_count: _Optional[int] = ..., liquidation: _Optional[str] = ..., route: _Optional[str] = ..., route_from: _Optional[str] = ..., deposited: _Optional[str] = ..., assessed: _Optional[str] = ..., owed: _Optional[str] = ..., by_act: _Optional[str] = ..., refundable: _Optional[str] = ..., drawback: _Optional[str] = ..., refund: _Optional[str] = ..., interest: _Optional[str] = ..., interest_by_act: _Optional[str] = ..., protest_by: _Optional[str] = ..., suit_by: _Optional[str] = ..., headings: _Optional[_Iterable[_Union[HeadingRefund, _Mapping]]] = ..., notes: _Optional[_Iterable[_Union[_common_pb2.Note, _Mapping]]] = ...) -> None: ...

class CalculateRefundsResponse(_message.Message):
    __slots__ = ("entries", "failures", "headings", "total", "authorities", "provenance", "notes")
    class FailuresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: _status_pb2.Status
        def __init__(self, key: _Optional[int] = ..., value: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...
    class TotalEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    HEADINGS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    AUTHORITIES_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[EntryRefund]
    failures: _containers.MessageMap[int, _status_pb2.Status]
    headings: _containers.RepeatedCompositeFieldContainer[HeadingRefund]
    total: _containers.ScalarMap[str, str]
    authorities: _containers.RepeatedScalarFieldContainer[str]
    provenance: _common_pb2.Provenance
    notes: _containers.RepeatedCompositeFieldContainer[_common_pb2.Note]
    def __init__(self, entries: _Optional[_Iterable[_Union[EntryRefund, _Mapping]]] = ..., failures: _Optional[_Mapping[int, _status_pb2.Status]] = ..., headings: _Optional[_Iterable[_Union[HeadingRefund, _Mapping]]] = ..., total: _Optional[_Mapping[str, str]] = ..., authorities: _Optional[_Iterable[str]] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ..., notes: _Optional[_Iterable[_Union[_common_pb2.Note, _Mapping]]] = ...) -> None: ...
