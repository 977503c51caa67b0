"""Catalogue of error reasons and note reasons, and the exceptions that carry them.

A reason is a stable name that clients may match on. Its `code` is the canonical gRPC status name, and `exit_code` the
exit status of the command line (0 ok, 1 refused rows, 2 usage, 3 server or missing extra, 4 law or scenario).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """Entry of the catalogue: gRPC code name, exit code and description."""

    code: str
    exit_code: int
    text: str


def _group(code: str, exit_code: int, texts: Mapping[str, str]) -> dict[str, Reason]:
    return {name: Reason(code, exit_code, text) for name, text in texts.items()}


_INPUT = _group(
    "INVALID_ARGUMENT",
    1,
    {
        "HTS_CODE_MALFORMED": "the code is not an HTS code of 4 to 10 digits",
        "HTS_CODE_UNKNOWN": "no edition of the schedule has the code",
        "ROW_UNREADABLE": "a row of a file has more or fewer fields than its header",
        "CODE_TOO_COARSE": "a code of fewer than 10 digits covers 10-digit codes with different duties",
        "ORIGIN_UNKNOWN": "the origin is neither the ISO 3166-1 code nor the name of a known country",
        "ORIGIN_AMBIGUOUS": "the origin is a name of several countries",
        "ORIGIN_NOT_FOREIGN": "the origin is in the customs territory, so its goods are not imported",
        "DESTINATION_UNKNOWN": "the law data has no market of that destination",
        "ENTRY_DATE_INVALID": "a date or instant cannot be read",
        "ENTRY_DATE_OUT_OF_COVERAGE": "the date is outside the period that the law data covers",
        "CUSTOMS_VALUE_INVALID": "the customs value is missing, negative or not finite",
        "QUANTITY_REQUIRED": "a rate per unit needs a quantity in a convertible unit",
        "QUANTITY_INVALID": "the quantity is negative or not finite",
        "UNIT_UNKNOWN": "the unit is not in the list of units",
        "RATE_NOT_COMPUTABLE": "the ordinary rate is unknown, or is stated by formula, reference or components",
        "CLAIM_INVALID": "the value of a claim has the wrong type or is out of range",
        "CONTENT_SHARES_EXCEED_ONE": "the declared content shares sum to more than 1",
        "PREFERENCE_SHARES_EXCEED_ONE": "the declared preference shares sum to more than 1",
        "TOO_MANY_ATOMS": "the declared shares split a line into more than 32 parts",
        "LIQUIDATION_INVALID": "the liquidation status of an entry is not a known one, or contradicts its days",
        "UNIT_COST_MISSING": "a part that is bought has no unit cost",
        "BOM_PART_MISSING": "a row of a bill of materials names no part",
        "BOM_YIELD_INVALID": "the yield of a part is not above 0 and at most 1",
        "BOM_PARENT_UNKNOWN": "no row of a bill of materials is of the parent that a row names",
        "BOM_PARENT_REFUSED": "the rows of the parent of a row are refused, so its units are unknown",
        "BOM_CYCLE": "a part of a bill of materials is made of itself",
        "BOM_ROW_REPEATED": "two rows of a part and parent have the same supplier and origin",
        "BOM_PROHIBITED": "goods of a bill of materials may not enter",
        "BOM_NEED_UNMET": "capacities, least orders and shares leave need of a part unmet",
        "CHARGE_INVALID": "freight, insurance or another charge is negative, not finite or of an unknown kind",
    },
)
_USAGE = _group(
    "INVALID_ARGUMENT",
    2,
    {
        "CLAIM_UNKNOWN": "the law has no claim of that name",
        "COLUMN_MISSING": "the table lacks a required column",
        "COLUMN_TYPE_MISMATCH": "a column cannot be read as its type",
        "TABLE_EMPTY": "the table has no rows",
        "TABLE_UNREADABLE": "the file cannot be read as a table",
        "PARTITION_UNREADABLE": "a file of a partitioned table cannot be read, or has other columns than the first",
        "ARROW_MALFORMED": "the bytes are not an Arrow IPC stream",
        "BATCH_TOO_LARGE": "a message is over its size limit, or a batch has too many lines",
        "BASELINE_REQUIRED": "a run with a trade response needs the date that the customs values belong to",
        "PARAMETER_INVALID": "a parameter is outside its range, or does not fit where a scenario uses it",
        "PARAMETER_UNKNOWN": "no scenario of the call has a parameter of that name",
        "NO_EQUILIBRIUM": "no equilibrium of the world was found under the duties and elasticities given",
        "GROUP_UNKNOWN": "results cannot be grouped by that key",
        "SWITCH_UNKNOWN": "the law has no switch or value of that name",
        "SWITCH_RETIRED": "the legal question behind the switch is settled and the switch was removed",
        "REQUEST_INVALID": "a request field is missing or out of range",
        "SETTING_INVALID": "a setting of the server is invalid",
        "PAGE_TOKEN_INVALID": "the page token was not returned by the previous page of this list",
    },
)
_STORAGE = (
    _group(
        "NOT_FOUND",
        2,
        {
            "TABLE_NOT_FOUND": "the caller has no stored table with that handle",
            "RUN_NOT_FOUND": "the caller has no run with that name",
        },
    )
    | _group(
        "ALREADY_EXISTS",
        2,
        {
            "REQUEST_ID_REUSED": "the caller has used this request id for another request",
            "SCENARIO_EXISTS": "a stored scenario has this name; name its etag to store the next version",
        },
    )
    | _group(
        "FAILED_PRECONDITION",
        2,
        {"RUN_NOT_FINISHED": "the run is still running; wait for its end or cancel it first"},
    )
    | _group("OUT_OF_RANGE", 2, {"OFFSET_PAST_END": "offset is past the end of the result"})
    | _group(
        "RESOURCE_EXHAUSTED",
        2,
        {"ROW_QUOTA": "a table or sweep is too large, or the caller has reached a storage limit"},
    )
)
_LAW = (
    _group(
        "INVALID_ARGUMENT",
        4,
        {
            "SCENARIO_SYNTAX": "the scenario is not valid YAML, or a value has the wrong form",
            "SCENARIO_UNKNOWN_KEY": "a key is unknown or given twice",
            "SCENARIO_CYCLE": "the parents of the scenarios form a cycle",
            "CHANGE_DATES_REVERSED": "a change ends before it begins, or extends a suspension that has ended",
            "SUSPENSION_NOT_FOUND": "there is no suspension to extend or end",
            "NOTHING_MATCHED": "a selector matches no measure",
            "MEASURE_RETIRED": "the id of the measure was renamed or retired",
            "SAME_AS_BASE": "the scenario changes nothing in the law",
            "CHANGE_HAS_NO_EFFECT": "a change has no effect",
            "NOT_MODELLED": "the change reaches only measures that are not modelled yet",
            "TOO_MANY_TESTS": "the rows and rules in force test more facts than a table run supports",
            "LAW_INVALID": "the law data breaks a rule of its format",
            "LAW_PACK_INVALID": "the file is no law pack, is damaged, or is larger than packs may be",
            "LAW_PACK_UNTRUSTED": "the law pack is not signed by a known key",
            "LAW_TEST_FAILED": "the law of a pack does not give what its golden cases say",
        },
    )
    | _group(
        "NOT_FOUND",
        4,
        {
            "SCENARIO_NOT_FOUND": "there is no scenario with that name or file",
            "MEASURE_NOT_FOUND": "there is no measure with that id",
            "LAW_VERSION_NOT_FOUND": "there is no law with that version or digest",
        },
    )
    | _group(
        "FAILED_PRECONDITION",
        4,
        {"SCENARIO_CHANGED": "a stored scenario has another digest or etag than the call names"},
    )
)
_SERVER = (
    _group("RESOURCE_EXHAUSTED", 3, {"TOO_MANY_STREAMS": "server busy; try again later"})
    | _group(
        "UNAVAILABLE",
        3,
        {
            "WARMING_UP": "the server is starting",
            "SHUTTING_DOWN": "the server is shutting down",
            "CLUSTER_UNAVAILABLE": "no scheduler answers at the address of the cluster, or it was lost",
            "AUDIT_UNAVAILABLE": "the audit record cannot be written, and the server refuses calls without one",
            "SERVER_UNAVAILABLE": "no server answers at the target, or the server refuses more connections",
            "STORAGE_UNAVAILABLE": "the server's database is not reachable, or its disk is full",
        },
    )
    | _group(
        "FAILED_PRECONDITION",
        3,
        {
            "CLUSTER_MISMATCH": "a worker of the cluster has another version or law",
            "DATABASE_VERSION": "the database was migrated by a newer version of the server, or is another program's",
        },
    )
    | _group("DEADLINE_EXCEEDED", 3, {"DEADLINE": "the deadline passed before the answer was ready"})
    | _group("CANCELLED", 3, {"CANCELLED": "the caller cancelled"})
    | _group(
        "UNIMPLEMENTED",
        3,
        {
            "METHOD_UNKNOWN": "the server has no such call; it is older than the client",
            "FIELD_UNKNOWN": "the request has a field that the server does not know; it is older than the client",
        },
    )
    | _group(
        "PERMISSION_DENIED", 3, {"ORIGIN_REFUSED": "the web page that calls is not of an allowed origin"}
    )
    | _group("UNAUTHENTICATED", 3, {"TOKEN_INVALID": "the call has no valid token"})
    | _group("PERMISSION_DENIED", 3, {"NOT_ALLOWED": "the caller lacks the role that the call needs"})
    | _group(
        "INTERNAL",
        3,
        {
            "ENGINE_INVARIANT": "internal error; see the server log under the request id",
            "EXTRA_MISSING": "an optional dependency is not installed",
        },
    )
)

# Notes that accompany an answer; never errors.
NOTES: Mapping[str, str] = {
    "HTS_CODE_REPAIRED": "a code had lost its leading zero or was written as a number with a fraction",
    "SUFFIX_NOT_IN_VINTAGE": "the schedule of the entry date lacks the 10-digit code; its 8-digit line gave the rate",
    "COARSE_CODE": "a code of fewer than 10 digits was rated by its 10-digit codes",
    "AVE_2024": "a rate per unit was replaced by its ad valorem equivalent of 2024",
    "AVE_HTS6_MEAN": "a rate per unit was replaced by the mean ad valorem equivalent of its 6-digit heading in 2024",
    "AVE_UNKNOWN": "a rate per unit has no ad valorem equivalent; only the ad valorem part was charged",
    "ORDINARY_RATE_STATED": "the ordinary rate was given with the line, not taken from the schedule",
    "RATE_OF_2024": "the code is in no schedule; the rate calculated on its 2024 imports was used",
    "QUANTITY_UNKNOWN": "a duty per unit was not charged on lines without a quantity",
    "PARENT_VOID": "ending a suspension of a voided measure has no effect",
    "CHARGE_UNDETERMINED": "a duty depends on an undeclared fact with no default share",
    "ENTRY_DAYS_DIFFER": "the lines of an entry have different entry dates; its fees are those of the first date",
    "LIQUIDATION_UNKNOWN": "the liquidation status of an entry is not given, so no refund procedure is named",
    "LIQUIDATION_LATE": "an entry was liquidated too long ago for the refund procedure of its status",
    "LIQUIDATION_DAY_UNKNOWN": "the day of a liquidation is not given, so the time limit for a protest is not known",
    "SUIT_LATE": "the time limit for a suit about the duty of an entry has passed",
    "LIQUIDATION_DIFFERS": "the lines of an entry give different liquidation statuses",
    "INTEREST_BEFORE_DEPOSIT": "interest ends before a deposit was made; that deposit earns none",
    "INTEREST_RATE_UNPUBLISHED": "interest runs past the last quarter whose rate is published; that rate is used",
    "GIVEN_BACK_ELSEWHERE": "duty of an entry is also given back under other authorities, which are not in the sums",
    "DRAWBACK_EXCEEDS": "the drawback given is larger than the refund",
    "ENTRY_INCOMPLETE": "lines of an entry were refused; its duty and fees exclude them",
    "ENTRY_PROHIBITED": "lines of an entry contain prohibited goods; its duty and fees exclude those",
    "SHARE_SOURCED": "lines do not declare facts that decide their duty; default shares were used",
    "PROHIBITED": "a measure prohibits the importation of the goods, so no duty is computed on them",
    "LAW_READ_TO": "the answer is for a date after the last one up to which legal acts have been read",
    "MODE_ASSUMED": "relief for goods in transit on a vessel, without a declared mode of transport",
    "NOT_MODELLED": "a measure that may apply to the goods is not modelled yet and charges nothing",
    "SAME_AS_BASE": "the scenario changes nothing in the law",
    "CHANGE_HAS_NO_EFFECT": "a change has no effect",
    "SCENARIO_OUTSIDE_DAYS": "a scenario is asked about on days it is not meant for",
    "CHANGE_BEGINS_LATER": "a change of a scenario begins after the last day asked about, so it is not in the answer",
    "PARAMETER_UNUSED": "a scenario declares a parameter and does not use it",
    "RATE_UNUSUAL": "a rate of a scenario is below 0 or above every rate of the law",
    "ORIGIN_NAMED": "a country was given by its name or alpha-3 code and read as its ISO code",
    "DAYS_READ_AS_NOON": "a midnight without an offset was read as a date, that is noon of that date",
    "COMMA_READ": "a number with one comma and no point was read with the comma before thousands",
    "DATE_REPAIRED": "a date or instant was not written in ISO format",
    "COLUMN_UNREAD": "a column has almost the name of a contract column and was not read",
    "ENTRY_DATE_SET_ASIDE": "a timeline applies the law of each date to the whole table and ignores its entry dates",
    "ENTRY_DATE_BEATS_ON": "lines were rated on their own entry dates, not on the date requested",
    "ROWS_OF_TABLES_ALONE": "rows can be used by runs over tables and are refused as entry lines",
    "ENTRY_DATE_ASSUMED": "lines without an entry date were rated on the as-of day of the law",
    "PREFERENCE_NOT_OPEN": "no program or claimed provision grants a claimed preference; the ordinary rate applies",
    "CLAIM_WITHOUT_EFFECT": "a fact is claimed, and no duty on the goods depends on it",
    "EMBARGO": "goods of an origin may not be imported without a license; the answer is for licensed goods",
    "ORIGIN_TREATMENT": "how the law treats goods of an origin that is no country, or is the United States",
    "SMALL_VALUE": "small shipments were exempt from duty on the day; the answer is that of a dutiable entry",
    "PENDING_ACT": "an act that is announced, proposed or under way concerns the goods and charges nothing",
    "OUT_OF_SEASON": "the code is for goods entered in another part of the year",
    "WITHIN_QUOTA": "goods with a tariff quota and no declared in-quota share were treated as within the quota",
    "PREFERENCE_ASSUMED": "goods with a reduced rate abroad and no declared share were all given the reduced rate",
    "EMBEDDED_EXPORTS": "the embedded table of exports, its detail, and the value that it leaves out",
    "RATE_ESTIMATED": "an ordinary rate abroad is derived from other data, not read in a schedule",
    "QUANTITY_FLOOR": "a purchase commitment sets a minimum quantity, or cannot be compared with the table",
    "QUANTITY_LIMIT": "a quantity limit of the law reduces imports to the share assumed to be admitted",
    "LAW_AS_SCHEDULED": "a period ends after the days that the data of the law cover",
    "HOUSEHOLD_FIT": "the cost of consumer prices in goods that no item of spending by households fits, or fits nearly",
    "FX_OFFSET": "the dollar rises with duties, and exporters' prices in dollars fall by one factor",
    "REACTION": "a partner answers duties on its goods with a duty on those of the United States, or with none",
    "WORLD_COVERAGE": "origins that the table of the world lacks, whose duties are left out",
    "WORLD_UNBALANCED": "a closure of the world leaves transfers unallocated, which the income of one country takes",
    "REACTION_UNKNOWN": "the answers of partners to duties on their goods are not computed",
    "QUANTITY_SHOCK": "a scenario limits quantities or sets a minimum",
    "SHARES_REBASED": "a scenario uses other default shares for undeclared claims than the run",
    "PORT_FEE": "the amount a port fee adds per container or ton on a voyage stated by a scenario",
    "ANNOUNCED": "a scenario contains an announcement, which charges nothing",
    "PARAMETERS_FOREIGN": "elasticities of the United States were used for another importing country",
    "BOM_COST_UNUSED": "a part that is made of others has a unit cost, which is not used",
    "PARAMETERS_AGGREGATED": "elasticities of single products were used on aggregates",
}

REASONS: Mapping[str, Reason] = _INPUT | _USAGE | _STORAGE | _LAW | _SERVER


class TariffsError(Exception):
    """Base class of the errors that the project raises.

    Attributes:
        reason: a key of `REASONS`.
        message: description of the problem and the value found.
        field: the request field or table column at fault, if any.
        fix: the remedy.
        metadata: further facts by name, as text.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        field: str | None = None,
        fix: str = "",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        if reason not in REASONS:
            raise KeyError(f"{reason} is not in the error catalogue")
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.field = field
        self.fix = fix
        self.metadata = dict(metadata or {})

    def __reduce__(self) -> tuple[object, ...]:
        # The default would call the class with the message alone.
        return _unpickle, (type(self), self.message, dict(self.__dict__))

    @property
    def code(self) -> str:
        """Canonical gRPC status name."""
        return REASONS[self.reason].code

    @property
    def exit_code(self) -> int:
        """Exit code of the command line."""
        return REASONS[self.reason].exit_code

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".strip()


def _unpickle(kind: type[TariffsError], message: str, facts: Mapping[str, object]) -> TariffsError:
    """Rebuild an error that another process raised."""
    error = kind.__new__(kind, message)
    error.__dict__.update(facts)
    return error


class InputError(TariffsError):
    """Invalid line, table or option in a request."""


class LawError(TariffsError):
    """Invalid law data, measure or switch."""


class ServiceError(TariffsError):
    """Failure of the service to answer now."""


class ScenarioError(TariffsError):
    """Invalid scenario; `path` points into the file, `line` and `column` count from 1."""

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        path: str = "",
        line: int | None = None,
        column: int | None = None,
        fix: str = "",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(reason, message, field=path or None, fix=fix, metadata=metadata)
        self.path = path
        self.line = line
        self.column = column
