from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TransportMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRANSPORT_MODE_UNSPECIFIED: _ClassVar[TransportMode]
    TRANSPORT_MODE_OCEAN: _ClassVar[TransportMode]
    TRANSPORT_MODE_AIR: _ClassVar[TransportMode]
    TRANSPORT_MODE_LAND: _ClassVar[TransportMode]

class Direction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIRECTION_UNSPECIFIED: _ClassVar[Direction]
    DIRECTION_IMPORT: _ClassVar[Direction]
    DIRECTION_EXPORT: _ClassVar[Direction]
    DIRECTION_PORT_CALL: _ClassVar[Direction]
    DIRECTION_CONTROL: _ClassVar[Direction]
TRANSPORT_MODE_UNSPECIFIED: TransportMode
TRANSPORT_MODE_OCEAN: TransportMode
TRANSPORT_MODE_AIR: TransportMode
TRANSPORT_MODE_LAND: TransportMode
DIRECTION_UNSPECIFIED: Direction
DIRECTION_IMPORT: Direction
DIRECTION_EXPORT: Direction
DIRECTION_PORT_CALL: Direction
DIRECTION_CONTROL: Direction

class ScenarioRef(_message.Message):
    __slots__ = ("name", "yaml", "stored_name", "stored_version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    YAML_FIELD_NUMBER: _ClassVar[int]
    STORED_NAME_FIELD_NUMBER: _ClassVar[int]
    STORED_VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    yaml: str
    stored_name: str
    stored_version: int
    def __init__(self, name: _Optional[str] = ..., yaml: _Optional[str] = ..., stored_name: _Optional[str] = ..., stored_version: _Optional[int] = ...) -> None: ...

class DateColumn(_message.Message):
    __slots__ = ("column", "texts")
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    column: str
    texts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, column: _Optional[str] = ..., texts: _Optional[_Iterable[str]] = ...) -> None: ...

class TableForm(_message.Message):
    __slots__ = ("columns", "dates", "date_format")
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    DATES_FIELD_NUMBER: _ClassVar[int]
    DATE_FORMAT_FIELD_NUMBER: _ClassVar[int]
    columns: _containers.RepeatedScalarFieldContainer[str]
    dates: _containers.RepeatedCompositeFieldContainer[DateColumn]
    date_format: str
    def __init__(self, columns: _Optional[_Iterable[str]] = ..., dates: _Optional[_Iterable[_Union[DateColumn, _Mapping]]] = ..., date_format: _Optional[str] = ...) -> None: ...

class Note(_message.Message):
    __slots__ = ("reason", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class ScenarioDigest(_message.Message):
    __slots__ = ("id", "digest", "stored_name", "stored_version")
    ID_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    STORED_NAME_FIELD_NUMBER: _ClassVar[int]
    STORED_VERSION_FIELD_NUMBER: _ClassVar[int]
    id: str
    digest: str
    stored_name: str
    stored_version: int
    def __init__(self, id: _Optional[str] = ..., digest: _Optional[str] = ..., stored_name: _Optional[str] = ..., stored_version: _Optional[int] = ...) -> None: ...

class Provenance(_message.Message):
    __slots__ = ("law_version", "law_digest", "engine_version", "known_on", "scenarios", "table_digest", "parameter_digest", "switches", "bases", "details", "run_digest", "law_read_to")
    class SwitchesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    LAW_DIGEST_FIELD_NUMBER: _ClassVar[int]
    ENGINE_VERSION_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ON_FIELD_NUMBER: _ClassVar[int]
    SCENARIOS_FIELD_NUMBER: _ClassVar[int]
    TABLE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    BASES_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    RUN_DIGEST_FIELD_NUMBER: _ClassVar[int]
    LAW_READ_TO_FIELD_NUMBER: _ClassVar[int]
    law_version: str
    law_digest: str
    engine_version: str
    known_on: str
    scenarios: _containers.RepeatedCompositeFieldContainer[ScenarioDigest]
    table_digest: str
    parameter_digest: str
    switches: _containers.ScalarMap[str, str]
    bases: _containers.RepeatedScalarFieldContainer[str]
    details: _struct_pb2.Struct
    run_digest: str
    law_read_to: str
    def __init__(self, law_version: _Optional[str] = ..., law_digest: _Optional[str] = ..., engine_version: _Optional[str] = ..., known_on: _Optional[str] = ..., scenarios: _Optional[_Iterable[_Union[ScenarioDigest, _Mapping]]] = ..., table_digest: _Optional[str] = ..., parameter_digest: _Optional[str] = ..., switches: _Optional[_Mapping[str, str]] = ..., bases: _Optional[_Iterable[str]] = ..., details: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., run_digest: _Optional[str] = ..., law_read_to: _Optional[str] = ...) -> None: ...
