from google.protobuf import empty_pb2 as _empty_pb2
from tariffs.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ScenarioBasis(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCENARIO_BASIS_UNSPECIFIED: _ClassVar[ScenarioBasis]
    SCENARIO_BASIS_ENACTED: _ClassVar[ScenarioBasis]
    SCENARIO_BASIS_ANNOUNCED: _ClassVar[ScenarioBasis]
    SCENARIO_BASIS_HYPOTHESIS: _ClassVar[ScenarioBasis]

class Severity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEVERITY_UNSPECIFIED: _ClassVar[Severity]
    SEVERITY_WARNING: _ClassVar[Severity]
    SEVERITY_ERROR: _ClassVar[Severity]

class ScenarioEventKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCENARIO_EVENT_KIND_UNSPECIFIED: _ClassVar[ScenarioEventKind]
    SCENARIO_EVENT_KIND_SAVED: _ClassVar[ScenarioEventKind]
    SCENARIO_EVENT_KIND_SHARED: _ClassVar[ScenarioEventKind]
    SCENARIO_EVENT_KIND_DELETED: _ClassVar[ScenarioEventKind]
    SCENARIO_EVENT_KIND_CHECKED: _ClassVar[ScenarioEventKind]
SCENARIO_BASIS_UNSPECIFIED: ScenarioBasis
SCENARIO_BASIS_ENACTED: ScenarioBasis
SCENARIO_BASIS_ANNOUNCED: ScenarioBasis
SCENARIO_BASIS_HYPOTHESIS: ScenarioBasis
SEVERITY_UNSPECIFIED: Severity
SEVERITY_WARNING: Severity
SEVERITY_ERROR: Severity
SCENARIO_EVENT_KIND_UNSPECIFIED: ScenarioEventKind
SCENARIO_EVENT_KIND_SAVED: ScenarioEventKind
SCENARIO_EVENT_KIND_SHARED: ScenarioEventKind
SCENARIO_EVENT_KIND_DELETED: ScenarioEventKind
SCENARIO_EVENT_KIND_CHECKED: ScenarioEventKind

class Scenario(_message.Message):
    __slots__ = ("id", "title", "description", "basis", "parents", "digest", "tags", "yaml", "provenance", "parameters")
    ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    PARENTS_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    YAML_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    id: str
    title: str
    description: str
    basis: ScenarioBasis
    parents: _containers.RepeatedScalarFieldContainer[str]
    digest: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    yaml: str
    provenance: _common_pb2.Provenance
    parameters: _containers.RepeatedCompositeFieldContainer[Parameter]
    def __init__(self, id: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., basis: _Optional[_Union[ScenarioBasis, str]] = ..., parents: _Optional[_Iterable[str]] = ..., digest: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., yaml: _Optional[str] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ..., parameters: _Optional[_Iterable[_Union[Parameter, _Mapping]]] = ...) -> None: ...

class Parameter(_message.Message):
    __slots__ = ("name", "default_value", "title", "kind", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_VALUE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    default_value: str
    title: str
    kind: str
    value: str
    def __init__(self, name: _Optional[str] = ..., default_value: _Optional[str] = ..., title: _Optional[str] = ..., kind: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class ListScenariosRequest(_message.Message):
    __slots__ = ("law_version",)
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    law_version: str
    def __init__(self, law_version: _Optional[str] = ...) -> None: ...

class ListScenariosResponse(_message.Message):
    __slots__ = ("scenarios", "provenance")
    SCENARIOS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    scenarios: _containers.RepeatedCompositeFieldContainer[Scenario]
    provenance: _common_pb2.Provenance
    def __init__(self, scenarios: _Optional[_Iterable[_Union[Scenario, _Mapping]]] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetScenarioRequest(_message.Message):
    __slots__ = ("id", "parameters", "law_version")
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    id: str
    parameters: _containers.ScalarMap[str, str]
    law_version: str
    def __init__(self, id: _Optional[str] = ..., parameters: _Optional[_Mapping[str, str]] = ..., law_version: _Optional[str] = ...) -> None: ...

class CheckScenarioRequest(_message.Message):
    __slots__ = ("scenario", "parameters", "law_version")
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SCENARIO_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    scenario: _common_pb2.ScenarioRef
    parameters: _containers.ScalarMap[str, str]
    law_version: str
    def __init__(self, scenario: _Optional[_Union[_common_pb2.ScenarioRef, _Mapping]] = ..., parameters: _Optional[_Mapping[str, str]] = ..., law_version: _Optional[str] = ...) -> None: ...

class Problem(_message.Message):
    __slots__ = ("path", "line", "column", "reason", "message", "fix", "severity")
    PATH_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FIX_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    path: str
    line: int
    column: int
    reason: str
    message: str
    fix: str
    severity: Severity
    def __init__(self, path: _Optional[str] = ..., line: _Optional[int] = ..., column: _Optional[int] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., fix: _Optional[str] = ..., severity: _Optional[_Union[Severity, str]] = ...) -> None: ...

class CheckScenarioResponse(_message.Message):
    __slots__ = ("ok", "problems", "provenance", "parameters")
    OK_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    ok: bool
    problems: _containers.RepeatedCompositeFieldContainer[Problem]
    provenance: _common_pb2.Provenance
    parameters: _containers.RepeatedCompositeFieldContainer[Parameter]
    def __init__(self, ok: _Optional[bool] = ..., problems: _Optional[_Iterable[_Union[Problem, _Mapping]]] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ..., parameters: _Optional[_Iterable[_Union[Parameter, _Mapping]]] = ...) -> None: ...

class DiffScenariosRequest(_message.Message):
    __slots__ = ("first", "second", "law_version")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    first: _common_pb2.ScenarioRef
    second: _common_pb2.ScenarioRef
    law_version: str
    def __init__(self, first: _Optional[_Union[_common_pb2.ScenarioRef, _Mapping]] = ..., second: _Optional[_Union[_common_pb2.ScenarioRef, _Mapping]] = ..., law_version: _Optional[str] = ...) -> None: ...

class Difference(_message.Message):
    __slots__ = ("kind", "id", "authority", "direction", "start_time", "end_time", "first", "second", "text", "goods")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    GOODS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    id: str
    authority: str
    direction: str
    start_time: str
    end_time: str
    first: str
    second: str
    text: str
    goods: str
    def __init__(self, kind: _Optional[str] = ..., id: _Optional[str] = ..., authority: _Optional[str] = ..., direction: _Optional[str] = ..., start_time: _Optional[str] = ..., end_time: _Optional[str] = ..., first: _Optional[str] = ..., second: _Optional[str] = ..., text: _Optional[str] = ..., goods: _Optional[str] = ...) -> None: ...

class DiffScenariosResponse(_message.Message):
    __slots__ = ("differences", "provenance")
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    differences: _containers.RepeatedCompositeFieldContainer[Difference]
    provenance: _common_pb2.Provenance
    def __init__(self, differences: _Optional[_Iterable[_Union[Difference, _Mapping]]] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ...) -> None: ...

class StoredScenario(_message.Message):
    __slots__ = ("name", "owner", "id", "title", "version", "digest", "etag", "shared_with", "create_time", "update_time", "yaml", "check")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    SHARED_WITH_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    YAML_FIELD_NUMBER: _ClassVar[int]
    CHECK_FIELD_NUMBER: _ClassVar[int]
    name: str
    owner: str
    id: str
    title: str
    version: int
    digest: str
    etag: str
    shared_with: str
    create_time: str
    update_time: str
    yaml: str
    check: ScenarioCheck
    def __init__(self, name: _Optional[str] = ..., owner: _Optional[str] = ..., id: _Optional[str] = ..., title: _Optional[str] = ..., version: _Optional[int] = ..., digest: _Optional[str] = ..., etag: _Optional[str] = ..., shared_with: _Optional[str] = ..., create_time: _Optional[str] = ..., update_time: _Optional[str] = ..., yaml: _Optional[str] = ..., check: _Optional[_Union[ScenarioCheck, _Mapping]] = ...) -> None: ...

class ScenarioCheck(_message.Message):
    __slots__ = ("ok", "problems", "law_version", "law_digest")
    OK_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    LAW_DIGEST_FIELD_NUMBER: _ClassVar[int]
    ok: bool
    problems: _containers.RepeatedCompositeFieldContainer[Problem]
    law_version: str
    law_digest: str
    def __init__(self, ok: _Optional[bool] = ..., problems: _Optional[_Iterable[_Union[Problem, _Mapping]]] = ..., law_version: _Optional[str] = ..., law_digest: _Optional[str] = ...) -> None: ...

class SaveScenarioRequest(_message.Message):
    __slots__ = ("yaml", "etag", "owner")
    YAML_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    yaml: str
    etag: str
    owner: str
    def __init__(self, yaml: _Optional[str] = ..., etag: _Optional[str] = ..., owner: _Optional[str] = ...) -> None: ...

class GetStoredScenarioRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListStoredScenariosRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListStoredScenariosResponse(_message.Message):
    __slots__ = ("scenarios", "next_page_token")
    SCENARIOS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    scenarios: _containers.RepeatedCompositeFieldContainer[StoredScenario]
    next_page_token: str
    def __init__(self, scenarios: _Optional[_Iterable[_Union[StoredScenario, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListScenarioVersionsRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListScenarioVersionsResponse(_message.Message):
    __slots__ = ("versions",)
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[StoredScenario]
    def __init__(self, versions: _Optional[_Iterable[_Union[StoredScenario, _Mapping]]] = ...) -> None: ...

class ShareScenarioRequest(_message.Message):
    __slots__ = ("name", "group", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    group: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., group: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class DeleteScenarioRequest(_message.Message):
    __slots__ = ("name", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class WatchScenariosRequest(_message.Message):
    __slots__ = ("after",)
    AFTER_FIELD_NUMBER: _ClassVar[int]
    after: int
    def __init__(self, after: _Optional[int] = ...) -> None: ...

class ScenarioEvent(_message.Message):
    __slots__ = ("number", "kind", "name", "version", "time", "check")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    CHECK_FIELD_NUMBER: _ClassVar[int]
    number: int
    kind: ScenarioEventKind
    name: str
    version: int
    time: str
    check: ScenarioCheck
    def __init__(self, number: _Optional[int] = ..., kind: _Optional[_Union[ScenarioEventKind, str]] = ..., name: _Optional[str] = ..., version: _Optional[int] = ..., time: _Optional[str] = ..., check: _Optional[_Union[ScenarioCheck, _Mapping]] = ...) -> None: ...
