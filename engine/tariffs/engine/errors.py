"""The one catalogue of errors: every refusal, warning and failure of the project has its reason here.

A reason is a stable name that apps may match on. Its `code` is the canonical gRPC status name it travels
under, and `exit_code` what the command line answers with (0 ok, 1 refused rows, 2 usage,
3 server or missing extra, 4 law or scenario).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One entry of the catalogue: gRPC code name, exit code, and what the reason means."""

    code: str
    exit_code: int
    text: str


def _group(code: str, exit_code: int, texts: Mapping[str, str]) -> dict[str, Reason]:
    return {name: Reason(code, exit_code, text) for name, text in texts.items()}


_INPUT = _group(
    "INVALID_ARGUMENT",
    1,
    {
        "HTS_CODE_MALFORMED": "the product is not an HTS code of 4 to 10 digits",
        "HTS_CODE_UNKNOWN": "no schedule vintage has the code",
        "ROW_UNREADABLE": "a row of a file has more or fewer fields than its header",
        "CODE_TOO_COARSE": "a code of fewer than 10 digits stands for codes that give different duties on the line",
        "ORIGIN_UNKNOWN": "the origin is not an ISO 3166-1 alpha-2 code of the law's countries",
        "ENTRY_DATE_INVALID": "a date or instant cannot be read",
        "ENTRY_DATE_OUT_OF_COVERAGE": "the law data does not reach that day",
        "CUSTOMS_VALUE_INVALID": "the customs value is missing, negative or not finite",
        "QUANTITY_REQUIRED": "a specific rate needs a quantity in a convertible unit",
        "QUANTITY_INVALID": "the quantity is negative or not finite",
        "UNIT_UNKNOWN": "the unit is not one of units.csv",
        "RATE_NOT_COMPUTABLE": "the schedule states the rate by formula, reference or components",
        "CLAIM_INVALID": "a claim's value is not of its type or range",
        "CONTENT_SHARES_EXCEED_ONE": "declared content shares sum to more than 1",
        "PREFERENCE_SHARES_EXCEED_ONE": "preference shares sum to more than 1",
        "TOO_MANY_ATOMS": "a line splits into more than 32 atoms",
        "LIQUIDATION_INVALID": "the liquidation state of an entry is not one the law knows",
        "CHARGE_INVALID": "freight, insurance or another charge is negative, not finite or not named rightly",
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
        "ARROW_MALFORMED": "the bytes are not an Arrow IPC stream",
        "BATCH_TOO_LARGE": "a message is over its size limit, or a batch has too many lines",
        "BASELINE_REQUIRED": "a behavioural run needs the instant the values belong to",
        "PARAMETER_INVALID": "a parameter is outside its range",
        "GROUP_UNKNOWN": "results cannot be grouped by that key",
        "SWITCH_UNKNOWN": "the law has no switch or value of that name",
        "SWITCH_RETIRED": "the doubt that the switch was about has been settled",
        "REQUEST_INVALID": "a request field is missing or out of range",
        "SETTING_INVALID": "a setting of the server cannot be used",
        "PAGE_TOKEN_INVALID": "a page token is not one that the list before gave",
    },
)
_KEPT = (
    _group(
        "NOT_FOUND",
        2,
        {
            "TABLE_NOT_FOUND": "the caller keeps no table of that handle",
            "RUN_NOT_FOUND": "the caller has no run of that name",
        },
    )
    | _group("ALREADY_EXISTS", 2, {"REQUEST_ID_REUSED": "another request of the caller has that id"})
    | _group(
        "FAILED_PRECONDITION", 2, {"RUN_NOT_FINISHED": "the run goes on; it must end or be cancelled first"}
    )
    | _group("OUT_OF_RANGE", 2, {"OFFSET_PAST_END": "the run has fewer messages than were to be left out"})
    | _group("RESOURCE_EXHAUSTED", 2, {"ROW_QUOTA": "a table, or what a caller keeps, is over its limit"})
)
_LAW = _group(
    "INVALID_ARGUMENT",
    4,
    {
        "SCENARIO_SYNTAX": "the scenario is not readable YAML or a value has the wrong form",
        "SCENARIO_UNKNOWN_KEY": "a key is unknown or given twice",
        "SCENARIO_CYCLE": "scenarios are each other's parents",
        "CHANGE_DATES_REVERSED": "a change ends before it begins, or extends what is over",
        "SUSPENSION_NOT_FOUND": "there is no suspension to extend or end",
        "NOTHING_MATCHED": "a selector matches no measure",
        "MEASURE_RETIRED": "the id was renamed or retired",
        "SAME_AS_BASE": "the scenario changes nothing in the law",
        "CHANGE_HAS_NO_EFFECT": "a change changes nothing",
        "NOT_MODELLED": "the change meets only measures that are not modelled yet",
        "TOO_MANY_TESTS": "the rows and rules in force test more facts than a table run can tell apart",
        "LAW_INVALID": "the law data breaks a rule of its format",
    },
) | _group(
    "NOT_FOUND",
    4,
    {
        "SCENARIO_NOT_FOUND": "no scenario of that name or file",
        "MEASURE_NOT_FOUND": "no measure of that id",
        "LAW_VERSION_NOT_FOUND": "no law of that version or digest",
    },
)
_SERVER = (
    _group("RESOURCE_EXHAUSTED", 3, {"TOO_MANY_STREAMS": "the server is at its limit; try again later"})
    | _group(
        "UNAVAILABLE",
        3,
        {
            "WARMING_UP": "the server is not ready yet",
            "SHUTTING_DOWN": "the server is draining",
            "SERVER_UNAVAILABLE": "no server answers at the target, or it has more calls than it can look at",
        },
    )
    | _group("DEADLINE_EXCEEDED", 3, {"DEADLINE": "the deadline passed before the answer"})
    | _group("CANCELLED", 3, {"CANCELLED": "the caller cancelled"})
    | _group("UNAUTHENTICATED", 3, {"TOKEN_INVALID": "the call carries no token that the server knows"})
    | _group(
        "INTERNAL",
        3,
        {
            "ENGINE_INVARIANT": "the engine broke one of its own promises; the log has the stack",
            "EXTRA_MISSING": "an optional part is not installed",
        },
    )
)

# Remarks that come with an answer; never errors.
NOTES: Mapping[str, str] = {
    "HTS_CODE_REPAIRED": "a code had lost its leading zero or was a number with a fraction",
    "SUFFIX_NOT_IN_VINTAGE": "the schedule of the day lacks the 10-digit code; its 8-digit line gave the rate",
    "COARSE_CODE": "a code of fewer than 10 digits was rated by its 10-digit codes",
    "AVE_2024": "a rate per unit was taken as its 2024 equivalent of the value",
    "AVE_HTS6_MEAN": "a rate per unit was taken as the mean 2024 equivalent of its heading",
    "AVE_UNKNOWN": "a rate per unit has no equivalent; only its ad valorem part was charged",
    "ORDINARY_RATE_STATED": "the ordinary rate is as stated by the caller, not the schedule's",
    "RATE_OF_2024": "the code has no schedule line; the rate calculated on its 2024 imports was taken",
    "QUANTITY_UNKNOWN": "a duty per unit was not charged on lines without a quantity",
    "PARENT_VOID": "a suspension ended over a void measure and brought nothing back",
    "CHARGE_UNDETERMINED": "a charge hangs on a fact that lines do not declare and no source gives a share of",
    "ENTRY_DAYS_DIFFER": "the lines of an entry name several days; its fees are those of the first",
    "LIQUIDATION_UNKNOWN": "the liquidation state of an entry is not given, so no way of refund is named",
    "LIQUIDATION_LATE": "an entry was liquidated too long ago for the way its state names",
    "LIQUIDATION_DIFFERS": "the lines of an entry give several liquidation states",
    "INTEREST_BEFORE_DEPOSIT": "interest ends before a deposit was made; that deposit bears none",
    "DRAWBACK_EXCEEDS": "more drawback is given than comes back",
    "ENTRY_INCOMPLETE": "lines of an entry were refused; its duty and fees leave them out",
    "ENTRY_PROHIBITED": "lines of an entry hold prohibited goods; its duty and fees leave those out",
    "SHARE_SOURCED": "lines do not declare facts that decide their duty, and sourced shares stood in for them",
    "PROHIBITED": "a measure prohibits the importation of goods, so no duty is computed on them",
    "LAW_READ_TO": "the answer is for a day after the last one to which acts have been read",
    "NOT_MODELLED": "a measure that may touch the goods is not modelled yet and charges nothing",
    "SAME_AS_BASE": "the scenario changes nothing in the law",
    "CHANGE_HAS_NO_EFFECT": "a change changes nothing",
    "RATE_UNUSUAL": "a rate of a scenario is below 0 or above every rate of the law",
    "DAYS_READ_AS_NOON": "a midnight without an offset was read as a day, that is its noon",
    "DATE_REPAIRED": "a day or instant was written otherwise than as ISO text",
    "COLUMN_UNREAD": "a column looks like one of the contract and was not read",
    "ENTRY_DATE_SET_ASIDE": "a timeline holds the table against the law of each day and sets its dates aside",
    "ENTRY_DATE_BEATS_ON": "lines were rated on entry dates of their own, not on the day asked for",
    "PREFERENCE_NOT_OPEN": "a preference is claimed for goods that no special program reaches; the ordinary rate holds",
    "WITHIN_QUOTA": "goods with a tariff quota that declare no share of it were taken to be within it",
    "QUANTITY_FLOOR": "a promise to buy puts a floor under quantities, or cannot be held against the table",
    "QUANTITY_LIMIT": "a limit of the law on quantities cuts what comes, by the share assumed to be let through",
    "QUANTITY_SHOCK": "a scenario limits quantities, or puts a floor under them",
    "SHARES_REBASED": "a scenario chooses other sourced shares for undeclared claims than the run does",
    "PORT_FEE": "what a port fee adds to a container or ton on a voyage that a scenario states",
    "ANNOUNCED": "a scenario holds an announcement, which charges nothing",
    "PARAMETERS_AGGREGATED": "elasticities of single products were used on aggregates",
}

REASONS: Mapping[str, Reason] = _INPUT | _USAGE | _KEPT | _LAW | _SERVER


class TariffsError(Exception):
    """Base of all errors raised on purpose.

    Attributes:
        reason: a key of `REASONS`.
        message: what is wrong and what was found.
        field: the request field or table column at fault, if one is.
        fix: what to do about it.
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
        return _again, (type(self), self.message, dict(self.__dict__))

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


def _again(kind: type[TariffsError], message: str, facts: Mapping[str, object]) -> TariffsError:
    """The error another process raised."""
    error = kind.__new__(kind, message)
    error.__dict__.update(facts)
    return error


class InputError(TariffsError):
    """A line, table or option the caller gave cannot be used."""


class LawError(TariffsError):
    """The law data, a measure or a switch is not as needed."""


class ServiceError(TariffsError):
    """The service cannot answer now."""


class ScenarioError(TariffsError):
    """A scenario cannot be used; `path` points into the file, `line` and `column` count from 1."""

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
