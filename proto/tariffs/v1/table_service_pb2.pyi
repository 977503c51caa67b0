from google.protobuf import empty_pb2 as _empty_pb2
from tariffs.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Table(_message.Message):
    __slots__ = ("name", "row_count", "column_count", "byte_count", "create_time", "expire_time", "owner", "shared_with")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    COLUMN_COUNT_FIELD_NUMBER: _ClassVar[int]
    BYTE_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    SHARED_WITH_FIELD_NUMBER: _ClassVar[int]
    name: str
    row_count: int
    column_count: int
    byte_count: int
    create_time: str
    expire_time: str
    owner: str
    shared_with: str
    def __init__(self, name: _Optional[str] = ..., row_count: _Optional[int] = ..., column_count: _Optional[int] = ..., byte_count: _Optional[int] = ..., create_time: _Optional[str] = ..., expire_time: _Optional[str] = ..., owner: _Optional[str] = ..., shared_with: _Optional[str] = ...) -> None: ...

class UploadTableRequest(_message.Message):
    __slots__ = ("arrow", "share_with")
    ARROW_FIELD_NUMBER: _ClassVar[int]
    SHARE_WITH_FIELD_NUMBER: _ClassVar[int]
    arrow: bytes
    share_with: str
    def __init__(self, arrow: _Optional[bytes] = ..., share_with: _Optional[str] = ...) -> None: ...

class GetTableRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListTablesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "all_owners")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ALL_OWNERS_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    all_owners: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., all_owners: _Optional[bool] = ...) -> None: ...

class ListTablesResponse(_message.Message):
    __slots__ = ("tables", "next_page_token")
    TABLES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tables: _containers.RepeatedCompositeFieldContainer[Table]
    next_page_token: str
    def __init__(self, tables: _Optional[_Iterable[_Union[Table, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteTableRequest(_message.Message):
    __slots__ = ("name", "owner")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    name: str
    owner: str
    def __init__(self, name: _Optional[str] = ..., owner: _Optional[str] = ...) -> None: ...

class ShareTableRequest(_message.Message):
    __slots__ = ("name", "group", "owner")
    NAME_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    name: str
    group: str
    owner: str
    def __init__(self, name: _Optional[str] = ..., group: _Optional[str] = ..., owner: _Optional[str] = ...) -> None: ...

class CheckTableRequest(_message.Message):
    __slots__ = ("arrow", "handle", "date_format", "direction", "to", "law_version")
    ARROW_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    DATE_FORMAT_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    arrow: bytes
    handle: str
    date_format: str
    direction: _common_pb2.Direction
    to: str
    law_version: str
    def __init__(self, arrow: _Optional[bytes] = ..., handle: _Optional[str] = ..., date_format: _Optional[str] = ..., direction: _Optional[_Union[_common_pb2.Direction, str]] = ..., to: _Optional[str] = ..., law_version: _Optional[str] = ...) -> None: ...

class TableColumn(_message.Message):
    __slots__ = ("name", "role", "read_as", "filled_count", "refused_count", "example")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    READ_AS_FIELD_NUMBER: _ClassVar[int]
    FILLED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REFUSED_COUNT_FIELD_NUMBER: _ClassVar[int]
    EXAMPLE_FIELD_NUMBER: _ClassVar[int]
    name: str
    role: str
    read_as: str
    filled_count: int
    refused_count: int
    example: str
    def __init__(self, name: _Optional[str] = ..., role: _Optional[str] = ..., read_as: _Optional[str] = ..., filled_count: _Optional[int] = ..., refused_count: _Optional[int] = ..., example: _Optional[str] = ...) -> None: ...

class CheckTableResponse(_message.Message):
    __slots__ = ("columns", "row_count", "usable_count", "customs_value", "code_digits", "origin_count", "first_day", "last_day", "refused", "refused_left_off", "notes", "law_version")
    class CodeDigitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: int
        def __init__(self, key: _Optional[int] = ..., value: _Optional[int] = ...) -> None: ...
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    USABLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    CUSTOMS_VALUE_FIELD_NUMBER: _ClassVar[int]
    CODE_DIGITS_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_COUNT_FIELD_NUMBER: _ClassVar[int]
    FIRST_DAY_FIELD_NUMBER: _ClassVar[int]
    LAST_DAY_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_LEFT_OFF_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    columns: _containers.RepeatedCompositeFieldContainer[TableColumn]
    row_count: int
    usable_count: int
    customs_value: float
    code_digits: _containers.ScalarMap[int, int]
    origin_count: int
    first_day: str
    last_day: str
    refused: bytes
    refused_left_off: int
    notes: _containers.RepeatedCompositeFieldContainer[_common_pb2.Note]
    law_version: str
    def __init__(self, columns: _Optional[_Iterable[_Union[TableColumn, _Mapping]]] = ..., row_count: _Optional[int] = ..., usable_count: _Optional[int] = ..., customs_value: _Optional[float] = ..., code_digits: _Optional[_Mapping[int, int]] = ..., origin_count: _Optional[int] = ..., first_day: _Optional[str] = ..., last_day: _Optional[str] = ..., refused: _Optional[bytes] = ..., refused_left_off: _Optional[int] = ..., notes: _Optional[_Iterable[_Union[_common_pb2.Note, _Mapping]]] = ..., law_version: _Optional[str] = ...) -> None: ...
