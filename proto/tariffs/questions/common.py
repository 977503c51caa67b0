"""What several questions ask."""

from __future__ import annotations

from dataclasses import replace

from tariffs.questions.question import REQUIRED, Asked, Kind

HTS = Asked(
    "hts", Kind.HTS, "HTS code of 4 to 10 digits, with or without dots.", REQUIRED, at="line.hts", title="Product code",
    hint="HTS, 4 to 10 digits", needed="Give the product code, such as 9503.00.0073.", is_place=True, metavar="HTS",
)  # fmt: skip
ORIGIN = Asked(
    "origin", Kind.COUNTRY, "Country of origin.", REQUIRED, at="line.origin", title="Country of origin",
    hint="Two letters, or the name", needed="Give the country of origin, such as CN.", is_place=True, metavar="CC",
)  # fmt: skip
ON = Asked(
    "on", Kind.DAY, "Day of entry. Default: the law's as-of day.", at="line.entry", title="Day of entry", start="{day}",
    metavar="DAY",
)  # fmt: skip
SCENARIOS = Asked(
    "scenarios", Kind.SCENARIOS, "Scenario or *.yaml file; may be repeated. Default: base.", (),
    title="Laws and scenarios", hint="The others are compared with the first", form="s", flag="--scenario",
    metavar="NAME_OR_FILE",
)  # fmt: skip
CLAIMS = Asked(
    "claims", Kind.CLAIMS, "Declared fact about the goods, such as usmca_share=1.", at="line.claims", flag="--claim",
    metavar="NAME=VALUE",
)  # fmt: skip
QUANTITY = Asked(
    "quantity", Kind.MONEY, "Quantity; required for specific rates.", at="line.quantity", title="Quantity",
    hint="Where a duty is charged by unit", is_folded=True,
)  # fmt: skip
UNIT = Asked(
    "unit", Kind.TEXT, "Unit of the quantity: kg, no, W, ...", at="line.unit", title="Unit", hint="kg, no, L ...",
    is_folded=True,
)  # fmt: skip
MODE = Asked(
    "mode", Kind.MODE, "Mode of transport; decides fees.", at="line.mode", title="Transport", is_folded=True,
    metavar="ocean|air|land",
)  # fmt: skip
FREIGHT = Asked("freight", Kind.MONEY, "Freight.", at="line.freight", metavar="USD", tool=False)
INSURANCE = Asked("insurance", Kind.MONEY, "Insurance.", at="line.insurance", metavar="USD", tool=False)


def other(asked: Asked, text: str, **facts: object) -> Asked:
    """Ask the same with another text."""
    return replace(asked, text=text, **facts)  # type: ignore[arg-type] # attributes by name
