from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.rpc import status_pb2 as _status_pb2
from tariffs.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChargeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHARGE_KIND_UNSPECIFIED: _ClassVar[ChargeKind]
    CHARGE_KIND_ADCVD: _ClassVar[ChargeKind]
    CHARGE_KIND_EXCISE: _ClassVar[ChargeKind]
    CHARGE_KIND_OTHER: _ClassVar[ChargeKind]

class LayerState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LAYER_STATE_UNSPECIFIED: _ClassVar[LayerState]
    LAYER_STATE_APPLIED: _ClassVar[LayerState]
    LAYER_STATE_EXEMPT: _ClassVar[LayerState]
    LAYER_STATE_DISPLACED: _ClassVar[LayerState]
    LAYER_STATE_SUSPENDED: _ClassVar[LayerState]
    LAYER_STATE_UNDETERMINED: _ClassVar[LayerState]
    LAYER_STATE_PROHIBITED: _ClassVar[LayerState]

class OptionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OPTION_STATE_UNSPECIFIED: _ClassVar[OptionState]
    OPTION_STATE_SAVES: _ClassVar[OptionState]
    OPTION_STATE_NO_GAIN: _ClassVar[OptionState]
    OPTION_STATE_NEEDS_FACT: _ClassVar[OptionState]
    OPTION_STATE_CLOSED: _ClassVar[OptionState]

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
CHARGE_KIND_UNSPECIFIED: ChargeKind
CHARGE_KIND_ADCVD: ChargeKind
CHARGE_KIND_EXCISE: ChargeKind
CHARGE_KIND_OTHER: ChargeKind
LAYER_STATE_UNSPECIFIED: LayerState
LAYER_STATE_APPLIED: LayerState
LAYER_STATE_EXEMPT: LayerState
LAYER_STATE_DISPLACED: LayerState
LAYER_STATE_SUSPENDED: LayerState
LAYER_STATE_UNDETERMINED: LayerState
LAYER_STATE_PROHIBITED: LayerState
OPTION_STATE_UNSPECIFIED: OptionState
OPTION_STATE_SAVES: OptionState
OPTION_STATE_NO_GAIN: OptionState
OPTION_STATE_NEEDS_FACT: OptionState
OPTION_STATE_CLOSED: OptionState
WATCH_EVENT_KIND_UNSPECIFIED: WatchEventKind
WATCH_EVENT_KIND_ENACTED: WatchEventKind
WATCH_EVENT_KIND_ANNOUNCED: WatchEventKind
WATCH_EVENT_KIND_AHEAD: WatchEventKind
WATCH_EVENT_KIND_RATE_CHANGED: WatchEventKind
WATCH_EVENT_KIND_HEADING_CHANGED: WatchEventKind
WATCH_EVENT_KIND_CLAIM_WORTH: WatchEventKind
WATCH_EVENT_KIND_REFUND_WINDOW: WatchEventKind

class Claims(_message.Message):
    __slots__ = ("usmca_share", "fta_share", "steel_share", "aluminum_share", "copper_share", "metal_weight_share", "us_content_share", "us_metal_share", "smelt_cast_origin", "civil_aircraft_share", "exclusion_share", "qualifying_share", "patented_share", "vehicle_part_share", "in_quota_share", "donation", "informational", "model_year", "contract_date", "chapter98", "processing_value", "mip_documented", "loading_date", "particular_article_share", "not_listed_share", "certified_part_share", "exempt_use_share", "pharma_use_share", "pharma_named_company_share", "pharma_onshoring_share", "pharma_agreement_share", "sts_crane_share", "transshipped", "others")
    class OthersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    USMCA_SHARE_FIELD_NUMBER: _ClassVar[int]
    FTA_SHARE_FIELD_NUMBER: _ClassVar[int]
    STEEL_SHARE_FIELD_NUMBER: _ClassVar[int]
    ALUMINUM_SHARE_FIELD_NUMBER: _ClassVar[int]
    COPPER_SHARE_FIELD_NUMBER: _ClassVar[int]
    METAL_WEIGHT_SHARE_FIELD_NUMBER: _ClassVar[int]
    US_CONTENT_SHARE_FIELD_NUMBER: _ClassVar[int]
    US_METAL_SHARE_FIELD_NUMBER: _ClassVar[int]
    SMELT_CAST_ORIGIN_FIELD_NUMBER: _ClassVar[int]
    CIVIL_AIRCRAFT_SHARE_FIELD_NUMBER: _ClassVar[int]
    EXCLUSION_SHARE_FIELD_NUMBER: _ClassVar[int]
    QUALIFYING_SHARE_FIELD_NUMBER: _ClassVar[int]
    PATENTED_SHARE_FIELD_NUMBER: _ClassVar[int]
    VEHICLE_PART_SHARE_FIELD_NUMBER: _ClassVar[int]
    IN_QUOTA_SHARE_FIELD_NUMBER: _ClassVar[int]
    DONATION_FIELD_NUMBER: _ClassVar[int]
    INFORMATIONAL_FIELD_NUMBER: _ClassVar[int]
    MODEL_YEAR_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_DATE_FIELD_NUMBER: _ClassVar[int]
    CHAPTER98_FIELD_NUMBER: _ClassVar[int]
    PROCESSING_VALUE_FIELD_NUMBER: _ClassVar[int]
    MIP_DOCUMENTED_FIELD_NUMBER: _ClassVar[int]
    LOADING_DATE_FIELD_NUMBER: _ClassVar[int]
    PARTICULAR_ARTICLE_SHARE_FIELD_NUMBER: _ClassVar[int]
    NOT_LISTED_SHARE_FIELD_NUMBER: _ClassVar[int]
    CERTIFIED_PART_SHARE_FIELD_NUMBER: _ClassVar[int]
    EXEMPT_USE_SHARE_FIELD_NUMBER: _ClassVar[int]
    PHARMA_USE_SHARE_FIELD_NUMBER: _ClassVar[int]
    PHARMA_NAMED_COMPANY_SHARE_FIELD_NUMBER: _ClassVar[int]
    PHARMA_ONSHORING_SHARE_FIELD_NUMBER: _ClassVar[int]
    PHARMA_AGREEMENT_SHARE_FIELD_NUMBER: _ClassVar[int]
    STS_CRANE_SHARE_FIELD_NUMBER: _ClassVar[int]
    TRANSSHIPPED_FIELD_NUMBER: _ClassVar[int]
    OTHERS_FIELD_NUMBER: _ClassVar[int]
    usmca_share: float
    fta_share: float
    steel_share: float
    aluminum_share: float
    copper_share: float
    metal_weight_share: float
    us_content_share: float
    us_metal_share: float
    smelt_cast_origin: str
    civil_aircraft_share: float
    exclusion_share: float
    qualifying_share: float
    patented_share: float
    vehicle_part_share: float
    in_quota_share: float
    donation: bool
    informational: bool
    model_year: int
    contract_date: str
    chapter98: str
    processing_value: str
    mip_documented: bool
    loading_date: str
    particular_article_share: float
    not_listed_share: float
    certified_part_share: float
    exempt_use_share: float
    pharma_use_share: float
    pharma_named_company_share: float
    pharma_onshoring_share: float
    pharma_agreement_share: float
    sts_crane_share: float
    transshipped: bool
    others: _containers.ScalarMap[str, str]
    def __init__(self, usmca_share: _Optional[float] = ..., fta_share: _Optional[float] = ..., steel_share: _Optional[float] = ..., aluminum_share: _Optional[float] = ..., copper_share: _Optional[float] = ..., metal_weight_share: _Optional[float] = ..., us_content_share: _Optional[float] = ..., us_metal_share: _Optional[float] = ..., smelt_cast_origin: _Optional[str] = ..., civil_aircraft_share: _Optional[float] = ..., exclusion_share: _Optional[float] = ..., qualifying_share: _Optional[float] = ..., patented_share: _Optional[float] = ..., vehicle_part_share: _Optional[float] = ..., in_quota_share: _Optional[float] = ..., donation: _Optional[bool] = ..., informational: _Optional[bool] = ..., model_year: _Optional[int] = ..., contract_date: _Optional[str] = ..., chapter98: _Optional[str] = ..., processing_value: _Optional[str] = ..., mip_documented: _Optional[bool] = ..., loading_date: _Optional[str] = ..., particular_article_share: _Optional[float] = ..., not_listed_share: _Optional[float] = ..., certified_part_share: _Optional[float] = ..., exempt_use_share: _Optional[float] = ..., pharma_use_share: _Optional[float] = ..., pharma_named_company_share: _Optional[float] = ..., pharma_onshoring_share: _Optional[float] = ..., pharma_agreement_share: _Optional[float] = ..., sts_crane_share: _Optional[float] = ..., transshipped: _Optional[bool] = ..., others: _Optional[_Mapping[str, str]] = ...) -> None: ...

class UnitRate(_message.Message):
    __slots__ = ("usd", "unit")
    USD_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    usd: str
    unit: str
    def __init__(self, usd: _Optional[str] = ..., unit: _Optional[str] = ...) -> None: ...

class OtherCharge(_message.Message):
    __slots__ = ("kind", "label", "amount", "rate", "per_unit")
    KIND_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    PER_UNIT_FIELD_NUMBER: _ClassVar[int]
    kind: ChargeKind
    label: str
    amount: str
    rate: str
    per_unit: UnitRate
    def __init__(self, kind: _Optional[_Union[ChargeKind, str]] = ..., label: _Optional[str] = ..., amount: _Optional[str] = ..., rate: _Optional[str] = ..., per_unit: _Optional[_Union[UnitRate, _Mapping]] = ...) -> None: ...

class EntryLine(_message.Message):
    __slots__ = ("hts", "origin", "entry", "customs_value", "claims", "quantity", "unit", "mode", "freight", "insurance", "other_charges", "entry_id", "line_id", "ordinary_rate")
    HTS_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    CUSTOMS_VALUE_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    FREIGHT_FIELD_NUMBER: _ClassVar[int]
    INSURANCE_FIELD_NUMBER: _ClassVar[int]
    OTHER_CHARGES_FIELD_NUMBER: _ClassVar[int]
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    LINE_ID_FIELD_NUMBER: _ClassVar[int]
    ORDINARY_RATE_FIELD_NUMBER: _ClassVar[int]
    hts: str
    origin: str
    entry: str
    customs_value: str
    claims: Claims
    quantity: str
    unit: str
    mode: _common_pb2.TransportMode
    freight: str
    insurance: str
    other_charges: _containers.RepeatedCompositeFieldContainer[OtherCharge]
    entry_id: str
    line_id: str
    ordinary_rate: str
    def __init__(self, hts: _Optional[str] = ..., origin: _Optional[str] = ..., entry: _Optional[str] = ..., customs_value: _Optional[str] = ..., claims: _Optional[_Union[Claims, _Mapping]] = ..., quantity: _Optional[str] = ..., unit: _Optional[str] = ..., mode: _Optional[_Union[_common_pb2.TransportMode, str]] = ..., freight: _Optional[str] = ..., insurance: _Optional[str] = ..., other_charges: _Optional[_Iterable[_Union[OtherCharge, _Mapping]]] = ..., entry_id: _Optional[str] = ..., line_id: _Optional[str] = ..., ordinary_rate: _Optional[str] = ...) -> None: ...

class CalculateDutyRequest(_message.Message):
    __slots__ = ("line", "scenario", "known_on", "switches", "read_mask", "min_confidence", "direction", "to", "explain", "parameters", "law_version")
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
    LINE_FIELD_NUMBER: _ClassVar[int]
    SCENARIO_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ON_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    line: EntryLine
    scenario: _common_pb2.ScenarioRef
    known_on: str
    switches: _containers.ScalarMap[str, str]
    read_mask: _field_mask_pb2.FieldMask
    min_confidence: str
    direction: _common_pb2.Direction
    to: str
    explain: bool
    parameters: _containers.ScalarMap[str, str]
    law_version: str
    def __init__(self, line: _Optional[_Union[EntryLine, _Mapping]] = ..., scenario: _Optional[_Union[_common_pb2.ScenarioRef, _Mapping]] = ..., known_on: _Optional[str] = ..., switches: _Optional[_Mapping[str, str]] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., min_confidence: _Optional[str] = ..., direction: _Optional[_Union[_common_pb2.Direction, str]] = ..., to: _Optional[str] = ..., explain: _Optional[bool] = ..., parameters: _Optional[_Mapping[str, str]] = ..., law_version: _Optional[str] = ...) -> None: ...

class Layer(_message.Message):
    __slots__ = ("measure", "authority", "heading", "state", "rate", "base", "amount", "min", "max", "citations", "why")
    class WhyEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    HEADING_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    measure: str
    authority: str
    heading: str
    state: LayerState
    rate: str
    base: str
    amount: str
    min: str
    max: str
    citations: _containers.RepeatedScalarFieldContainer[str]
    why: _containers.ScalarMap[str, str]
    def __init__(self, measure: _Optional[str] = ..., authority: _Optional[str] = ..., heading: _Optional[str] = ..., state: _Optional[_Union[LayerState, str]] = ..., rate: _Optional[str] = ..., base: _Optional[str] = ..., amount: _Optional[str] = ..., min: _Optional[str] = ..., max: _Optional[str] = ..., citations: _Optional[_Iterable[str]] = ..., why: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Charge(_message.Message):
    __slots__ = ("kind", "label", "base", "amount")
    KIND_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    kind: ChargeKind
    label: str
    base: str
    amount: str
    def __init__(self, kind: _Optional[_Union[ChargeKind, str]] = ..., label: _Optional[str] = ..., base: _Optional[str] = ..., amount: _Optional[str] = ...) -> None: ...

class Considered(_message.Message):
    __slots__ = ("measure", "authority", "heading", "outcome", "rule", "text", "citations", "operands")
    class OperandsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    HEADING_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    OPERANDS_FIELD_NUMBER: _ClassVar[int]
    measure: str
    authority: str
    heading: str
    outcome: str
    rule: str
    text: str
    citations: _containers.RepeatedScalarFieldContainer[str]
    operands: _containers.ScalarMap[str, str]
    def __init__(self, measure: _Optional[str] = ..., authority: _Optional[str] = ..., heading: _Optional[str] = ..., outcome: _Optional[str] = ..., rule: _Optional[str] = ..., text: _Optional[str] = ..., citations: _Optional[_Iterable[str]] = ..., operands: _Optional[_Mapping[str, str]] = ...) -> None: ...

class HeadingLine(_message.Message):
    __slots__ = ("heading", "measures", "rate", "base", "amount")
    HEADING_FIELD_NUMBER: _ClassVar[int]
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    heading: str
    measures: _containers.RepeatedScalarFieldContainer[str]
    rate: str
    base: str
    amount: str
    def __init__(self, heading: _Optional[str] = ..., measures: _Optional[_Iterable[str]] = ..., rate: _Optional[str] = ..., base: _Optional[str] = ..., amount: _Optional[str] = ...) -> None: ...

class CalculateDutyResponse(_message.Message):
    __slots__ = ("assessed", "owed", "min", "max", "missing_claims", "assumptions", "landed", "layers", "notes", "provenance", "charges", "prohibited", "considered", "headings")
    class LandedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ASSESSED_FIELD_NUMBER: _ClassVar[int]
    OWED_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    MISSING_CLAIMS_FIELD_NUMBER: _ClassVar[int]
    ASSUMPTIONS_FIELD_NUMBER: _ClassVar[int]
    LANDED_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    CHARGES_FIELD_NUMBER: _ClassVar[int]
    PROHIBITED_FIELD_NUMBER: _ClassVar[int]
    CONSIDERED_FIELD_NUMBER: _ClassVar[int]
    HEADINGS_FIELD_NUMBER: _ClassVar[int]
    assessed: str
    owed: str
    min: str
    max: str
    missing_claims: _containers.RepeatedScalarFieldContainer[str]
    assumptions: _containers.RepeatedScalarFieldContainer[str]
    landed: _containers.ScalarMap[str, str]
    layers: _containers.RepeatedCompositeFieldContainer[Layer]
    notes: _containers.RepeatedCompositeFieldContainer[_common_pb2.Note]
    provenance: _common_pb2.Provenance
    charges: _containers.RepeatedCompositeFieldContainer[Charge]
    prohibited: _containers.RepeatedScalarFieldContainer[str]
    considered: _containers.RepeatedCompositeFieldContainer[Considered]
    headings: _containers.RepeatedCompositeFieldContainer[HeadingLine]
    def __init__(self, assessed: _Optional[str] = ..., owed: _Optional[str] = ..., min: _Optional[str] = ..., max: _Optional[str] = ..., missing_claims: _Optional[_Iterable[str]] = ..., assumptions: _Optional[_Iterable[str]] = ..., landed: _Optional[_Mapping[str, str]] = ..., layers: _Optional[_Iterable[_Union[Layer, _Mapping]]] = ..., notes: _Optional[_Iterable[_Union[_common_pb2.Note, _Mapping]]] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ..., charges: _Optional[_Iterable[_Union[Charge, _Mapping]]] = ..., prohibited: _Optional[_Iterable[str]] = ..., considered: _Optional[_Iterable[_Union[Considered, _Mapping]]] = ..., headings: _Optional[_Iterable[_Union[HeadingLine, _Mapping]]] = ...) -> None: ...

class BatchCalculateDutiesRequest(_message.Message):
    __slots__ = ("lines", "scenario", "known_on", "switches", "read_mask", "min_confidence", "table", "parameters", "law_version")
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
    LINES_FIELD_NUMBER: _ClassVar[int]
    SCENARIO_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ON_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedCompositeFieldContainer[EntryLine]
    scenario: _common_pb2.ScenarioRef
    known_on: str
    switches: _containers.ScalarMap[str, str]
    read_mask: _field_mask_pb2.FieldMask
    min_confidence: str
    table: _common_pb2.TableForm
    parameters: _containers.ScalarMap[str, str]
    law_version: str
    def __init__(self, lines: _Optional[_Iterable[_Union[EntryLine, _Mapping]]] = ..., scenario: _Optional[_Union[_common_pb2.ScenarioRef, _Mapping]] = ..., known_on: _Optional[str] = ..., switches: _Optional[_Mapping[str, str]] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., min_confidence: _Optional[str] = ..., table: _Optional[_Union[_common_pb2.TableForm, _Mapping]] = ..., parameters: _Optional[_Mapping[str, str]] = ..., law_version: _Optional[str] = ...) -> None: ...

class LineQuote(_message.Message):
    __slots__ = ("index", "line_id", "entry_id", "quote")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    LINE_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    index: int
    line_id: str
    entry_id: str
    quote: CalculateDutyResponse
    def __init__(self, index: _Optional[int] = ..., line_id: _Optional[str] = ..., entry_id: _Optional[str] = ..., quote: _Optional[_Union[CalculateDutyResponse, _Mapping]] = ...) -> None: ...

class EntryTotal(_message.Message):
    __slots__ = ("entry_id", "day", "indices", "refused_count", "informal", "assessed", "owed", "min", "max", "landed", "notes")
    class LandedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    INDICES_FIELD_NUMBER: _ClassVar[int]
    REFUSED_COUNT_FIELD_NUMBER: _ClassVar[int]
    INFORMAL_FIELD_NUMBER: _ClassVar[int]
    ASSESSED_FIELD_NUMBER: _ClassVar[int]
    OWED_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    LANDED_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    entry_id: str
    day: str
    indices: _containers.RepeatedScalarFieldContainer[int]
    refused_count: int
    informal: bool
    assessed: str
    owed: str
    min: str
    max: str
    landed: _containers.ScalarMap[str, str]
    notes: _containers.RepeatedCompositeFieldContainer[_common_pb2.Note]
    def __init__(self, entry_id: _Optional[str] = ..., day: _Optional[str] = ..., indices: _Optional[_Iterable[int]] = ..., refused_count: _Optional[int] = ..., informal: _Optional[bool] = ..., assessed: _Optional[str] = ..., owed: _Optional[str] = ..., min: _Optional[str] = ..., max: _Optional[str] = ..., landed: _Optional[_Mapping[str, str]] = ..., notes: _Optional[_Iterable[_Union[_common_pb2.Note, _Mapping]]] = ...) -> None: ...

class BatchCalculateDutiesResponse(_message.Message):
    __slots__ = ("quotes", "failures", "entries", "provenance", "notes")
    class FailuresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: _status_pb2.Status
        def __init__(self, key: _Optional[int] = ..., value: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...
    QUOTES_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    quotes: _containers.RepeatedCompositeFieldContainer[LineQuote]
    failures: _containers.MessageMap[int, _status_pb2.Status]
    entries: _containers.RepeatedCompositeFieldContainer[EntryTotal]
    provenance: _common_pb2.Provenance
    notes: _containers.RepeatedCompositeFieldContainer[_common_pb2.Note]
    def __init__(self, quotes: _Optional[_Iterable[_Union[LineQuote, _Mapping]]] = ..., failures: _Optional[_Mapping[int, _status_pb2.Status]] = ..., entries: _Optional[_Iterable[_Union[EntryTotal, _Mapping]]] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ..., notes: _Optional[_Iterable[_Union[_common_pb2.Note, _Mapping]]] = ...) -> None: ...

class OriginOffer(_message.Message):
    __slots__ = ("origin", "unit_cost", "freight", "insurance")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    UNIT_COST_FIELD_NUMBER: _ClassVar[int]
    FREIGHT_FIELD_NUMBER: _ClassVar[int]
    INSURANCE_FIELD_NUMBER: _ClassVar[int]
    origin: str
    unit_cost: str
    freight: str
    insurance: str
    def __init__(self, origin: _Optional[str] = ..., unit_cost: _Optional[str] = ..., freight: _Optional[str] = ..., insurance: _Optional[str] = ...) -> None: ...

class CompareOriginsRequest(_message.Message):
    __slots__ = ("line", "start", "end", "scenarios", "origins", "offers", "units", "parameters", "known_on", "switches", "min_confidence", "law_version")
    class ParametersEntry(_message.Message):
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
    LINE_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    SCENARIOS_FIELD_NUMBER: _ClassVar[int]
    ORIGINS_FIELD_NUMBER: _ClassVar[int]
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ON_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    line: EntryLine
    start: str
    end: str
    scenarios: _containers.RepeatedCompositeFieldContainer[_common_pb2.ScenarioRef]
    origins: _containers.RepeatedScalarFieldContainer[str]
    offers: _containers.RepeatedCompositeFieldContainer[OriginOffer]
    units: str
    parameters: _containers.ScalarMap[str, str]
    known_on: str
    switches: _containers.ScalarMap[str, str]
    min_confidence: str
    law_version: str
    def __init__(self, line: _Optional[_Union[EntryLine, _Mapping]] = ..., start: _Optional[str] = ..., end: _Optional[str] = ..., scenarios: _Optional[_Iterable[_Union[_common_pb2.ScenarioRef, _Mapping]]] = ..., origins: _Optional[_Iterable[str]] = ..., offers: _Optional[_Iterable[_Union[OriginOffer, _Mapping]]] = ..., units: _Optional[str] = ..., parameters: _Optional[_Mapping[str, str]] = ..., known_on: _Optional[str] = ..., switches: _Optional[_Mapping[str, str]] = ..., min_confidence: _Optional[str] = ..., law_version: _Optional[str] = ...) -> None: ...

class OriginCost(_message.Message):
    __slots__ = ("origin", "unit_cost", "duty", "owed", "landed", "landed_min", "landed_max", "rank", "premium", "missing_claims", "prohibited", "failure", "imports")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    UNIT_COST_FIELD_NUMBER: _ClassVar[int]
    DUTY_FIELD_NUMBER: _ClassVar[int]
    OWED_FIELD_NUMBER: _ClassVar[int]
    LANDED_FIELD_NUMBER: _ClassVar[int]
    LANDED_MIN_FIELD_NUMBER: _ClassVar[int]
    LANDED_MAX_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    PREMIUM_FIELD_NUMBER: _ClassVar[int]
    MISSING_CLAIMS_FIELD_NUMBER: _ClassVar[int]
    PROHIBITED_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    IMPORTS_FIELD_NUMBER: _ClassVar[int]
    origin: str
    unit_cost: str
    duty: str
    owed: str
    landed: str
    landed_min: str
    landed_max: str
    rank: int
    premium: str
    missing_claims: _containers.RepeatedScalarFieldContainer[str]
    prohibited: _containers.RepeatedScalarFieldContainer[str]
    failure: _status_pb2.Status
    imports: float
    def __init__(self, origin: _Optional[str] = ..., unit_cost: _Optional[str] = ..., duty: _Optional[str] = ..., owed: _Optional[str] = ..., landed: _Optional[str] = ..., landed_min: _Optional[str] = ..., landed_max: _Optional[str] = ..., rank: _Optional[int] = ..., premium: _Optional[str] = ..., missing_claims: _Optional[_Iterable[str]] = ..., prohibited: _Optional[_Iterable[str]] = ..., failure: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., imports: _Optional[float] = ...) -> None: ...

class OriginFlip(_message.Message):
    __slots__ = ("day", "before", "after")
    DAY_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    day: str
    before: str
    after: str
    def __init__(self, day: _Optional[str] = ..., before: _Optional[str] = ..., after: _Optional[str] = ...) -> None: ...

class ScenarioOrigins(_message.Message):
    __slots__ = ("id", "origins", "flips")
    ID_FIELD_NUMBER: _ClassVar[int]
    ORIGINS_FIELD_NUMBER: _ClassVar[int]
    FLIPS_FIELD_NUMBER: _ClassVar[int]
    id: str
    origins: _containers.RepeatedCompositeFieldContainer[OriginCost]
    flips: _containers.RepeatedCompositeFieldContainer[OriginFlip]
    def __init__(self, id: _Optional[str] = ..., origins: _Optional[_Iterable[_Union[OriginCost, _Mapping]]] = ..., flips: _Optional[_Iterable[_Union[OriginFlip, _Mapping]]] = ...) -> None: ...

class OriginRegret(_message.Message):
    __slots__ = ("origin", "regret")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    REGRET_FIELD_NUMBER: _ClassVar[int]
    origin: str
    regret: str
    def __init__(self, origin: _Optional[str] = ..., regret: _Optional[str] = ...) -> None: ...

class CompareOriginsResponse(_message.Message):
    __slots__ = ("scenarios", "regrets", "provenance")
    SCENARIOS_FIELD_NUMBER: _ClassVar[int]
    REGRETS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    scenarios: _containers.RepeatedCompositeFieldContainer[ScenarioOrigins]
    regrets: _containers.RepeatedCompositeFieldContainer[OriginRegret]
    provenance: _common_pb2.Provenance
    def __init__(self, scenarios: _Optional[_Iterable[_Union[ScenarioOrigins, _Mapping]]] = ..., regrets: _Optional[_Iterable[_Union[OriginRegret, _Mapping]]] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ...) -> None: ...

class CompareCodesRequest(_message.Message):
    __slots__ = ("codes", "origin", "entry", "scenario", "known_on", "switches", "min_confidence", "parameters", "law_version")
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
    CODES_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    SCENARIO_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ON_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    codes: _containers.RepeatedScalarFieldContainer[str]
    origin: str
    entry: str
    scenario: _common_pb2.ScenarioRef
    known_on: str
    switches: _containers.ScalarMap[str, str]
    min_confidence: str
    parameters: _containers.ScalarMap[str, str]
    law_version: str
    def __init__(self, codes: _Optional[_Iterable[str]] = ..., origin: _Optional[str] = ..., entry: _Optional[str] = ..., scenario: _Optional[_Union[_common_pb2.ScenarioRef, _Mapping]] = ..., known_on: _Optional[str] = ..., switches: _Optional[_Mapping[str, str]] = ..., min_confidence: _Optional[str] = ..., parameters: _Optional[_Mapping[str, str]] = ..., law_version: _Optional[str] = ...) -> None: ...

class CodeDuty(_message.Message):
    __slots__ = ("code", "covers", "low", "high", "missing_claims", "prohibited", "refused", "failure", "citations")
    class RefusedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    CODE_FIELD_NUMBER: _ClassVar[int]
    COVERS_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    MISSING_CLAIMS_FIELD_NUMBER: _ClassVar[int]
    PROHIBITED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    code: str
    covers: int
    low: str
    high: str
    missing_claims: _containers.RepeatedScalarFieldContainer[str]
    prohibited: _containers.RepeatedScalarFieldContainer[str]
    refused: _containers.ScalarMap[str, int]
    failure: _status_pb2.Status
    citations: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, code: _Optional[str] = ..., covers: _Optional[int] = ..., low: _Optional[str] = ..., high: _Optional[str] = ..., missing_claims: _Optional[_Iterable[str]] = ..., prohibited: _Optional[_Iterable[str]] = ..., refused: _Optional[_Mapping[str, int]] = ..., failure: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., citations: _Optional[_Iterable[str]] = ...) -> None: ...

class CompareCodesResponse(_message.Message):
    __slots__ = ("codes", "provenance")
    CODES_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    codes: _containers.RepeatedCompositeFieldContainer[CodeDuty]
    provenance: _common_pb2.Provenance
    def __init__(self, codes: _Optional[_Iterable[_Union[CodeDuty, _Mapping]]] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ...) -> None: ...

class BomRow(_message.Message):
    __slots__ = ("part", "parent", "quantity", "good_share", "supplier", "capacity", "min_order", "min_share", "max_share", "line")
    PART_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    GOOD_SHARE_FIELD_NUMBER: _ClassVar[int]
    SUPPLIER_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    MIN_ORDER_FIELD_NUMBER: _ClassVar[int]
    MIN_SHARE_FIELD_NUMBER: _ClassVar[int]
    MAX_SHARE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    part: str
    parent: str
    quantity: str
    good_share: str
    supplier: str
    capacity: str
    min_order: str
    min_share: str
    max_share: str
    line: EntryLine
    def __init__(self, part: _Optional[str] = ..., parent: _Optional[str] = ..., quantity: _Optional[str] = ..., good_share: _Optional[str] = ..., supplier: _Optional[str] = ..., capacity: _Optional[str] = ..., min_order: _Optional[str] = ..., min_share: _Optional[str] = ..., max_share: _Optional[str] = ..., line: _Optional[_Union[EntryLine, _Mapping]] = ...) -> None: ...

class CalculateBomRequest(_message.Message):
    __slots__ = ("rows", "on", "units", "until", "origins", "scenarios", "known_on", "switches", "min_confidence", "parameters", "law_version")
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
    ROWS_FIELD_NUMBER: _ClassVar[int]
    ON_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    ORIGINS_FIELD_NUMBER: _ClassVar[int]
    SCENARIOS_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ON_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[BomRow]
    on: str
    units: str
    until: str
    origins: _containers.RepeatedScalarFieldContainer[str]
    scenarios: _containers.RepeatedCompositeFieldContainer[_common_pb2.ScenarioRef]
    known_on: str
    switches: _containers.ScalarMap[str, str]
    min_confidence: str
    parameters: _containers.ScalarMap[str, str]
    law_version: str
    def __init__(self, rows: _Optional[_Iterable[_Union[BomRow, _Mapping]]] = ..., on: _Optional[str] = ..., units: _Optional[str] = ..., until: _Optional[str] = ..., origins: _Optional[_Iterable[str]] = ..., scenarios: _Optional[_Iterable[_Union[_common_pb2.ScenarioRef, _Mapping]]] = ..., known_on: _Optional[str] = ..., switches: _Optional[_Mapping[str, str]] = ..., min_confidence: _Optional[str] = ..., parameters: _Optional[_Mapping[str, str]] = ..., law_version: _Optional[str] = ...) -> None: ...

class BomAmounts(_message.Message):
    __slots__ = ("value", "charges", "duty", "owed", "duty_min", "duty_max", "fees", "landed")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CHARGES_FIELD_NUMBER: _ClassVar[int]
    DUTY_FIELD_NUMBER: _ClassVar[int]
    OWED_FIELD_NUMBER: _ClassVar[int]
    DUTY_MIN_FIELD_NUMBER: _ClassVar[int]
    DUTY_MAX_FIELD_NUMBER: _ClassVar[int]
    FEES_FIELD_NUMBER: _ClassVar[int]
    LANDED_FIELD_NUMBER: _ClassVar[int]
    value: str
    charges: str
    duty: str
    owed: str
    duty_min: str
    duty_max: str
    fees: str
    landed: str
    def __init__(self, value: _Optional[str] = ..., charges: _Optional[str] = ..., duty: _Optional[str] = ..., owed: _Optional[str] = ..., duty_min: _Optional[str] = ..., duty_max: _Optional[str] = ..., fees: _Optional[str] = ..., landed: _Optional[str] = ...) -> None: ...

class BomGroup(_message.Message):
    __slots__ = ("name", "amounts", "row_count")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AMOUNTS_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    name: str
    amounts: BomAmounts
    row_count: int
    def __init__(self, name: _Optional[str] = ..., amounts: _Optional[_Union[BomAmounts, _Mapping]] = ..., row_count: _Optional[int] = ...) -> None: ...

class BomAuthority(_message.Message):
    __slots__ = ("authority", "duty")
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    DUTY_FIELD_NUMBER: _ClassVar[int]
    authority: str
    duty: str
    def __init__(self, authority: _Optional[str] = ..., duty: _Optional[str] = ...) -> None: ...

class BomLeftOut(_message.Message):
    __slots__ = ("reason", "message", "rows")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    rows: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ..., rows: _Optional[_Iterable[int]] = ...) -> None: ...

class BomChange(_message.Message):
    __slots__ = ("day", "before", "after", "change", "left_out_count", "measures", "acts")
    DAY_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_COUNT_FIELD_NUMBER: _ClassVar[int]
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    ACTS_FIELD_NUMBER: _ClassVar[int]
    day: str
    before: str
    after: str
    change: str
    left_out_count: int
    measures: _containers.RepeatedScalarFieldContainer[str]
    acts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, day: _Optional[str] = ..., before: _Optional[str] = ..., after: _Optional[str] = ..., change: _Optional[str] = ..., left_out_count: _Optional[int] = ..., measures: _Optional[_Iterable[str]] = ..., acts: _Optional[_Iterable[str]] = ...) -> None: ...

class BomAllocation(_message.Message):
    __slots__ = ("amounts", "listed", "single", "gap", "purchases", "unmet")
    AMOUNTS_FIELD_NUMBER: _ClassVar[int]
    LISTED_FIELD_NUMBER: _ClassVar[int]
    SINGLE_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    PURCHASES_FIELD_NUMBER: _ClassVar[int]
    UNMET_FIELD_NUMBER: _ClassVar[int]
    amounts: BomAmounts
    listed: str
    single: str
    gap: float
    purchases: bytes
    unmet: _containers.RepeatedCompositeFieldContainer[BomUnmet]
    def __init__(self, amounts: _Optional[_Union[BomAmounts, _Mapping]] = ..., listed: _Optional[str] = ..., single: _Optional[str] = ..., gap: _Optional[float] = ..., purchases: _Optional[bytes] = ..., unmet: _Optional[_Iterable[_Union[BomUnmet, _Mapping]]] = ...) -> None: ...

class BomUnmet(_message.Message):
    __slots__ = ("part", "reason", "message")
    PART_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    part: str
    reason: str
    message: str
    def __init__(self, part: _Optional[str] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class BomOrigin(_message.Message):
    __slots__ = ("origin", "duty", "rated_count", "left_out_count")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    DUTY_FIELD_NUMBER: _ClassVar[int]
    RATED_COUNT_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_COUNT_FIELD_NUMBER: _ClassVar[int]
    origin: str
    duty: str
    rated_count: int
    left_out_count: int
    def __init__(self, origin: _Optional[str] = ..., duty: _Optional[str] = ..., rated_count: _Optional[int] = ..., left_out_count: _Optional[int] = ...) -> None: ...

class BomScenario(_message.Message):
    __slots__ = ("id", "total", "left_out", "parts", "suppliers", "origins", "authorities", "changes", "allocation", "from_origins")
    ID_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    SUPPLIERS_FIELD_NUMBER: _ClassVar[int]
    ORIGINS_FIELD_NUMBER: _ClassVar[int]
    AUTHORITIES_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    ALLOCATION_FIELD_NUMBER: _ClassVar[int]
    FROM_ORIGINS_FIELD_NUMBER: _ClassVar[int]
    id: str
    total: BomAmounts
    left_out: _containers.RepeatedCompositeFieldContainer[BomLeftOut]
    parts: bytes
    suppliers: _containers.RepeatedCompositeFieldContainer[BomGroup]
    origins: _containers.RepeatedCompositeFieldContainer[BomGroup]
    authorities: _containers.RepeatedCompositeFieldContainer[BomAuthority]
    changes: _containers.RepeatedCompositeFieldContainer[BomChange]
    allocation: BomAllocation
    from_origins: _containers.RepeatedCompositeFieldContainer[BomOrigin]
    def __init__(self, id: _Optional[str] = ..., total: _Optional[_Union[BomAmounts, _Mapping]] = ..., left_out: _Optional[_Iterable[_Union[BomLeftOut, _Mapping]]] = ..., parts: _Optional[bytes] = ..., suppliers: _Optional[_Iterable[_Union[BomGroup, _Mapping]]] = ..., origins: _Optional[_Iterable[_Union[BomGroup, _Mapping]]] = ..., authorities: _Optional[_Iterable[_Union[BomAuthority, _Mapping]]] = ..., changes: _Optional[_Iterable[_Union[BomChange, _Mapping]]] = ..., allocation: _Optional[_Union[BomAllocation, _Mapping]] = ..., from_origins: _Optional[_Iterable[_Union[BomOrigin, _Mapping]]] = ...) -> None: ...

class CalculateBomResponse(_message.Message):
    __slots__ = ("scenarios", "failures", "notes", "provenance")
    class FailuresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: _status_pb2.Status
        def __init__(self, key: _Optional[int] = ..., value: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...
    SCENARIOS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    scenarios: _containers.RepeatedCompositeFieldContainer[BomScenario]
    failures: _containers.MessageMap[int, _status_pb2.Status]
    notes: _containers.RepeatedCompositeFieldContainer[_common_pb2.Note]
    provenance: _common_pb2.Provenance
    def __init__(self, scenarios: _Optional[_Iterable[_Union[BomScenario, _Mapping]]] = ..., failures: _Optional[_Mapping[int, _status_pb2.Status]] = ..., notes: _Optional[_Iterable[_Union[_common_pb2.Note, _Mapping]]] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ...) -> None: ...

class CompareOptionsRequest(_message.Message):
    __slots__ = ("line", "scenarios", "facts", "parameters", "known_on", "switches", "min_confidence", "law_version")
    class FactsEntry(_message.Message):
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
    class SwitchesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    LINE_FIELD_NUMBER: _ClassVar[int]
    SCENARIOS_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ON_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    line: EntryLine
    scenarios: _containers.RepeatedCompositeFieldContainer[_common_pb2.ScenarioRef]
    facts: _containers.ScalarMap[str, str]
    parameters: _containers.ScalarMap[str, str]
    known_on: str
    switches: _containers.ScalarMap[str, str]
    min_confidence: str
    law_version: str
    def __init__(self, line: _Optional[_Union[EntryLine, _Mapping]] = ..., scenarios: _Optional[_Iterable[_Union[_common_pb2.ScenarioRef, _Mapping]]] = ..., facts: _Optional[_Mapping[str, str]] = ..., parameters: _Optional[_Mapping[str, str]] = ..., known_on: _Optional[str] = ..., switches: _Optional[_Mapping[str, str]] = ..., min_confidence: _Optional[str] = ..., law_version: _Optional[str] = ...) -> None: ...

class OptionCost(_message.Message):
    __slots__ = ("duty", "fees", "refunded", "drawback", "cash", "day")
    DUTY_FIELD_NUMBER: _ClassVar[int]
    FEES_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_FIELD_NUMBER: _ClassVar[int]
    DRAWBACK_FIELD_NUMBER: _ClassVar[int]
    CASH_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    duty: str
    fees: str
    refunded: str
    drawback: str
    cash: str
    day: str
    def __init__(self, duty: _Optional[str] = ..., fees: _Optional[str] = ..., refunded: _Optional[str] = ..., drawback: _Optional[str] = ..., cash: _Optional[str] = ..., day: _Optional[str] = ...) -> None: ...

class DutyOption(_message.Message):
    __slots__ = ("id", "title", "state", "cost", "saving", "saving_if", "missing_facts", "would_change", "why", "catch", "papers", "citations", "confidence")
    ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    SAVING_FIELD_NUMBER: _ClassVar[int]
    SAVING_IF_FIELD_NUMBER: _ClassVar[int]
    MISSING_FACTS_FIELD_NUMBER: _ClassVar[int]
    WOULD_CHANGE_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    CATCH_FIELD_NUMBER: _ClassVar[int]
    PAPERS_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    id: str
    title: str
    state: OptionState
    cost: OptionCost
    saving: str
    saving_if: str
    missing_facts: _containers.RepeatedScalarFieldContainer[str]
    would_change: _containers.RepeatedScalarFieldContainer[str]
    why: str
    catch: str
    papers: _containers.RepeatedScalarFieldContainer[str]
    citations: _containers.RepeatedScalarFieldContainer[str]
    confidence: str
    def __init__(self, id: _Optional[str] = ..., title: _Optional[str] = ..., state: _Optional[_Union[OptionState, str]] = ..., cost: _Optional[_Union[OptionCost, _Mapping]] = ..., saving: _Optional[str] = ..., saving_if: _Optional[str] = ..., missing_facts: _Optional[_Iterable[str]] = ..., would_change: _Optional[_Iterable[str]] = ..., why: _Optional[str] = ..., catch: _Optional[str] = ..., papers: _Optional[_Iterable[str]] = ..., citations: _Optional[_Iterable[str]] = ..., confidence: _Optional[str] = ...) -> None: ...

class BestOptions(_message.Message):
    __slots__ = ("options", "cost", "saving")
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    SAVING_FIELD_NUMBER: _ClassVar[int]
    options: _containers.RepeatedScalarFieldContainer[str]
    cost: OptionCost
    saving: str
    def __init__(self, options: _Optional[_Iterable[str]] = ..., cost: _Optional[_Union[OptionCost, _Mapping]] = ..., saving: _Optional[str] = ...) -> None: ...

class ScenarioOptions(_message.Message):
    __slots__ = ("id", "ordinary", "options", "best")
    ID_FIELD_NUMBER: _ClassVar[int]
    ORDINARY_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    BEST_FIELD_NUMBER: _ClassVar[int]
    id: str
    ordinary: OptionCost
    options: _containers.RepeatedCompositeFieldContainer[DutyOption]
    best: BestOptions
    def __init__(self, id: _Optional[str] = ..., ordinary: _Optional[_Union[OptionCost, _Mapping]] = ..., options: _Optional[_Iterable[_Union[DutyOption, _Mapping]]] = ..., best: _Optional[_Union[BestOptions, _Mapping]] = ...) -> None: ...

class OptionFact(_message.Message):
    __slots__ = ("name", "type", "text")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: str
    text: str
    def __init__(self, name: _Optional[str] = ..., type: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class CompareOptionsResponse(_message.Message):
    __slots__ = ("scenarios", "facts", "provenance")
    SCENARIOS_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    scenarios: _containers.RepeatedCompositeFieldContainer[ScenarioOptions]
    facts: _containers.RepeatedCompositeFieldContainer[OptionFact]
    provenance: _common_pb2.Provenance
    def __init__(self, scenarios: _Optional[_Iterable[_Union[ScenarioOptions, _Mapping]]] = ..., facts: _Optional[_Iterable[_Union[OptionFact, _Mapping]]] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ...) -> None: ...

class WatchLine(_message.Message):
    __slots__ = ("line", "liquidation_date")
    LINE_FIELD_NUMBER: _ClassVar[int]
    LIQUIDATION_DATE_FIELD_NUMBER: _ClassVar[int]
    line: EntryLine
    liquidation_date: str
    def __init__(self, line: _Optional[_Union[EntryLine, _Mapping]] = ..., liquidation_date: _Optional[str] = ...) -> None: ...

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

class ListWatchEventsRequest(_message.Message):
    __slots__ = ("lines", "since", "end", "ahead", "switches", "min_confidence", "table", "law_version")
    class SwitchesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    LINES_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    AHEAD_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    LAW_VERSION_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedCompositeFieldContainer[WatchLine]
    since: str
    end: str
    ahead: _containers.RepeatedScalarFieldContainer[int]
    switches: _containers.ScalarMap[str, str]
    min_confidence: str
    table: _common_pb2.TableForm
    law_version: str
    def __init__(self, lines: _Optional[_Iterable[_Union[WatchLine, _Mapping]]] = ..., since: _Optional[str] = ..., end: _Optional[str] = ..., ahead: _Optional[_Iterable[int]] = ..., switches: _Optional[_Mapping[str, str]] = ..., min_confidence: _Optional[str] = ..., table: _Optional[_Union[_common_pb2.TableForm, _Mapping]] = ..., law_version: _Optional[str] = ...) -> None: ...

class ListWatchEventsResponse(_message.Message):
    __slots__ = ("events", "failures", "provenance", "notes")
    class FailuresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: _status_pb2.Status
        def __init__(self, key: _Optional[int] = ..., value: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[WatchEvent]
    failures: _containers.MessageMap[int, _status_pb2.Status]
    provenance: _common_pb2.Provenance
    notes: _containers.RepeatedCompositeFieldContainer[_common_pb2.Note]
    def __init__(self, events: _Optional[_Iterable[_Union[WatchEvent, _Mapping]]] = ..., failures: _Optional[_Mapping[int, _status_pb2.Status]] = ..., provenance: _Optional[_Union[_common_pb2.Provenance, _Mapping]] = ..., notes: _Optional[_Iterable[_Union[_common_pb2.Note, _Mapping]]] = ...) -> None: ...
