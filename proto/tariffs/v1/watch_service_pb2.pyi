from google.protobuf import empty_pb2 as _empty_pb2
from google.rpc import status_pb2 as _status_pb2
from tariffs.v1 import common_pb2 as _common_pb2
from tariffs.v1 import duty_service_pb2 as _duty_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WatchEventKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WATCH_EVENT_KIND_UNSPECIFIED: _ClassVar[WatchEventKind]
    WATCH_EVENT_KIND_ENACTED: _ClassVar[WatchEventKind]
    WATCH_EVENT_KIND_ANNOUNCED: _ClassVar[WatchEventKind]
    WATCH_EVENT_KIND_AHEAD: _ClassVar[WatchEventKind]
    WATCH_EVENT_KIND_RATE_CHANGED: _ClassVar[WatchEventKind]
    WATCH_EVENT_KIND_HEADING_CHANGED: _ClassVar[WatchEventKind]
    WATCH_EVENT_KIND_CLAIM_WORTH: _ClassVar[WatchEventKind]
    WATCH_EVENT_KIND_REFUND_WINDOW: _ClassVar[WatchEventKind]
WATCH_EVENT_KIND_UNSPECIFIED: WatchEventKind
WATCH_EVENT_KIND_ENACTED: WatchEventKind
WATCH_EVENT_KIND_ANNOUNCED: WatchEventKind
WATCH_EVENT_KIND_AHEAD: WatchEventKind
WATCH_EVENT_KIND_RATE_CHANGED: WatchEventKind
WATCH_EVENT_KIND_HEADING_CHANGED: WatchEventKind
WATCH_EVENT_KIND_CLAIM_WORTH: WatchEventKind
WATCH_EVENT_KIND_REFUND_WINDOW: WatchEventKind

class PortfolioLine(_message.Message):
    __slots__ = ("line", "liquidation_date")
    LINE_FIELD_NUMBER: _ClassVar[int]
    LIQUIDATION_DATE_FIELD_NUMBER: _ClassVar[int]
    line: _duty_service_pb2.EntryLine
    liquidation_date: str
    def __init__(self, line: _Optional[_Union[_duty_service_pb2.EntryLine, _Mapping]] = ..., liquidation_date: _Optional[str] = ...) -> None: ...

class WatchEvent(_message.Message):
    __slots__ = ("id", "kind", "line_id", "hts", "origin", "known_on", "effective_on", "before", "after", "amount", "measures", "headings", "claim", "citations", "text")
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LINE_ID_FIELD_NUMBER: _ClassVar[int]
    HTS_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ON_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_ON_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    HEADINGS_FIELD_NUMBER: _ClassVar[int]
    CLAIM_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: WatchEventKind
    line_id: str
    hts: str
    origin: str
    known_on: str
    effective_on: str
    before: str
    after: str
    amount: str
    measures: _containers.RepeatedScalarFieldContainer[str]
    headings: _containers.RepeatedScalarFieldContainer[str]
    claim: str
    citations: _containers.RepeatedScalarFieldContainer[str]
    text: str
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[_Union[WatchEventKind, str]] = ..., line_id: _Optional[str] = ..., hts: _Optional[str] = ..., origin: _Optional[str] = ..., known_on: _Optional[str] = ..., effective_on: _Optional[str] = ..., before: _Optional[str] = ..., after: _Optional[str] = ..., amount: _Optional[str] = ..., measures: _Optional[_Iterable[str]] = ..., headings: _Optional[_Iterable[str]] = ..., claim: _Optional[str] = ..., citations: _Optional[_Iterable[str]] = ..., text: _Optional[str] = ...) -> None: ...

class LineStanding(_message.Message):
    __slots__ = ("line_id", "assessed", "headings")
    LINE_ID_FIELD_NUMBER: _ClassVar[int]
    ASSESSED_FIELD_NUMBER: _ClassVar[int]
    HEADINGS_FIELD_NUMBER: _ClassVar[int]
    line_id: str
    assessed: str
    headings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, line_id: _Optional[str] = ..., assessed: _Optional[str] = ..., headings: _Optional[_Iterable[str]] = ...) -> None: ...

class ListWatchEventsRequest(_message.Message):
    __slots__ = ("lines", "start", "end", "ahead", "switches", "min_confidence", "table", "law_version")
    class SwitchesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    LINES_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    AHEAD_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedCompositeFieldContainer[PortfolioLine]
    start: str
    end: str
    ahead: _containers.RepeatedScalarFieldContainer[int]
    switches: _containers.ScalarMap[str, str]
    min_confidence: str
    table: _common_pb2.TableForm
    law_version: str
    def __init__(self, lines: _Optional[_Iterable[_Union[PortfolioLine, _Mapping]]] = ..., start: _Optional[str] = ..., end: _Optional[str] = ..., ahead: _Optional[_Iterable[int]] = ..., switches: _Optional[_Mapping[str, str]] = ..., min_confidence: _Optional[str] = ..., table: _Optional[_Union[_common_pb2.TableForm, _Mapping]] = ..., law_version: _Optional[str] = ...) -> None: ...

class ListWatchEventsResponse(_message.Message):
    __slots__ = ("events", "failures", "standings", "provenance", "notes")
    class FailuresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: _status_pb2.Status
        def __init__(self, key: _Optional[int] = ..., value: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    STANDINGS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[WatchEvent]
    failures: _containers.MessageMap[int, _status_pb2.Status]
    standings: _containers.RepeatedCompositeFieldContainer[LineStanding]
    provenance: _common_pb2.Provenance
    notes: _containers.RepeatedCompositeFieldContainer[_common_pb2.Note]
    def __init__(self, events: _Optional[_Iterable[_Union[WatchEvent, _Mapping]]] = ..., failures: _Optional[_Mapping[int, _status_pb2.Status]] = ..., standings: _Optional[_Iterable[_Union[LineStanding, _Mapping]]] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ..., notes: _Optional[_Iterable[_Union[_common_pb2.Note, _Mapping]]] = ...) -> None: ...

class Portfolio(_message.Message):
    __slots__ = ("name", "owner", "shared_with", "line_count", "refused_count", "since", "ahead", "webhook", "law_version", "watched_to", "held_law_version", "held_line_count", "create_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    SHARED_WITH_FIELD_NUMBER: _ClassVar[int]
    LINE_COUNT_FIELD_NUMBER: _ClassVar[int]
    REFUSED_COUNT_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    AHEAD_FIELD_NUMBER: _ClassVar[int]
    WEBHOOK_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    WATCHED_TO_FIELD_NUMBER: _ClassVar[int]
    HELD_LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    HELD_LINE_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    owner: str
    shared_with: str
    line_count: int
    refused_count: int
    since: str
    ahead: _containers.RepeatedScalarFieldContainer[int]
    webhook: str
    law_version: str
    watched_to: str
    held_law_version: str
    held_line_count: int
    create_time: str
    def __init__(self, name: _Optional[str] = ..., owner: _Optional[str] = ..., shared_with: _Optional[str] = ..., line_count: _Optional[int] = ..., refused_count: _Optional[int] = ..., since: _Optional[str] = ..., ahead: _Optional[_Iterable[int]] = ..., webhook: _Optional[str] = ..., law_version: _Optional[str] = ..., watched_to: _Optional[str] = ..., held_law_version: _Optional[str] = ..., held_line_count: _Optional[int] = ..., create_time: _Optional[str] = ...) -> None: ...

class PortfolioEvent(_message.Message):
    __slots__ = ("number", "event", "time", "delivery", "attempts", "error")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    number: int
    event: WatchEvent
    time: str
    delivery: str
    attempts: int
    error: str
    def __init__(self, number: _Optional[int] = ..., event: _Optional[_Union[WatchEvent, _Mapping]] = ..., time: _Optional[str] = ..., delivery: _Optional[str] = ..., attempts: _Optional[int] = ..., error: _Optional[str] = ...) -> None: ...

class SavePortfolioRequest(_message.Message):
    __slots__ = ("name", "lines", "ahead", "since", "group", "webhook", "secret", "table")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    AHEAD_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    WEBHOOK_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    name: str
    lines: _containers.RepeatedCompositeFieldContainer[PortfolioLine]
    ahead: _containers.RepeatedScalarFieldContainer[int]
    since: str
    group: str
    webhook: str
    secret: str
    table: _common_pb2.TableForm
    def __init__(self, name: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[PortfolioLine, _Mapping]]] = ..., ahead: _Optional[_Iterable[int]] = ..., since: _Optional[str] = ..., group: _Optional[str] = ..., webhook: _Optional[str] = ..., secret: _Optional[str] = ..., table: _Optional[_Union[_common_pb2.TableForm, _Mapping]] = ...) -> None: ...

class SavePortfolioResponse(_message.Message):
    __slots__ = ("portfolio", "failures")
    class FailuresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: _status_pb2.Status
        def __init__(self, key: _Optional[int] = ..., value: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...
    PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    portfolio: Portfolio
    failures: _containers.MessageMap[int, _status_pb2.Status]
    def __init__(self, portfolio: _Optional[_Union[Portfolio, _Mapping]] = ..., failures: _Optional[_Mapping[int, _status_pb2.Status]] = ...) -> None: ...

class ListPortfoliosRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListPortfoliosResponse(_message.Message):
    __slots__ = ("portfolios",)
    PORTFOLIOS_FIELD_NUMBER: _ClassVar[int]
    portfolios: _containers.RepeatedCompositeFieldContainer[Portfolio]
    def __init__(self, portfolios: _Optional[_Iterable[_Union[Portfolio, _Mapping]]] = ...) -> None: ...

class DeletePortfolioRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListPortfolioEventsRequest(_message.Message):
    __slots__ = ("name", "after", "delivery")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    name: str
    after: int
    delivery: str
    def __init__(self, name: _Optional[str] = ..., after: _Optional[int] = ..., delivery: _Optional[str] = ...) -> None: ...

class ListPortfolioEventsResponse(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[PortfolioEvent]
    def __init__(self, events: _Optional[_Iterable[_Union[PortfolioEvent, _Mapping]]] = ...) -> None: ...

class WatchPortfolioRequest(_message.Message):
    __slots__ = ("name", "after")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    name: str
    after: int
    def __init__(self, name: _Optional[str] = ..., after: _Optional[int] = ...) -> None: ...

class ReleasePortfolioRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...
