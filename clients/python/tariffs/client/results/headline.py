"""Describe the assumptions of a run in one line, and title columns by the run that they are from."""

from __future__ import annotations

from collections.abc import Iterable

from tariffs.client.results.columns import title_of
from tariffs.client.results.quote import Provenance, part_of

STATIC = "static"
US_EXPORTS = "US exports"
_AFTER = frozenset(
    {
        "value_after", "duty_after", "duty_after_p5", "duty_after_p95", "effective_rate_after", "landed_after",
    }
)  # fmt: skip
_CLAIM = "usmca_share"
_CENTRAL = "central"
"""Set of a run that names none; its provenance has the name of the horizon whose parameters they are."""
_MODELS = {
    "armington": "buyers switch between origins (Armington)",
    "passthrough": "buyers buy less of what is dearer",
    "smart": "the model of WITS-SMART",
    "gsim": "the model GSIM",
    "exact_hat": "one general equilibrium (exact hat)",
    "world": "trade of all countries in general equilibrium",
}
_HORIZONS = {
    "path": "each duty at its own age",
    "impact": "at once",
    "short": "in the short run",
    "long": "in the long run",
}
USMCA_SWITCH = "usmca_basis"
"""Switch that selects the period of USMCA claim shares."""


def assumptions(provenance: Provenance) -> str:
    """Describe the response model, its horizon and set, claim shares that stand in for undeclared facts, and answers.

    Empty for a result without a response model.
    """
    if not _detail(provenance, "response"):
        return ""
    parts = f"response: {_response(provenance)}", claims(provenance), _reaction(provenance)
    return "; ".join(filter(None, parts))


def response_words(provenance: Provenance) -> str:
    """Describe the response and the claims that stand in for undeclared facts in plain words."""
    model, *rest = _parts(provenance)
    if not rest:
        return "Static: trade does not respond."
    horizon, parameters, *more = rest
    if market := _market(provenance):
        more[0] = f"market {market}"
    parts = [
        f"After: {_MODELS.get(model, model)}",
        _HORIZONS.get(horizon, horizon),
        f"{parameters} elasticities",
        *more,
        claims(provenance).partition(" (")[0],
        _reaction(provenance),
    ]
    return ", ".join(filter(None, parts)) + "."


def baseline_of(provenance: Provenance) -> str:
    """Name the day from which duties are counted as added; empty if the run has none."""
    return _detail(provenance, "baseline")


def buyers_of(goods_are_exports: bool) -> str:
    """Name the buyers of goods."""
    return "buyers abroad" if goods_are_exports else "US buyers"


def is_export(provenance: Provenance) -> bool:
    """Test whether the goods are exports of the United States."""
    return _detail(provenance, "direction") == "export"


def _reaction(provenance: Provenance) -> str:
    """Name the slope of partners' answers on exports; empty without answers."""
    slope = part_of(provenance, "details", "reaction", "slope")
    return "" if slope is None else f"partners answer duties at a slope of {slope:g}"


def claims(provenance: Provenance) -> str:
    """Describe the period of the USMCA claim shares of lines that declare none; empty if no line takes one."""
    bases, period = part_of(provenance, "bases") or (), part_of(provenance, "switches", USMCA_SWITCH)
    if period is None or not any(str(basis).startswith(f"{_CLAIM}:") for basis in bases):
        return ""
    return f"USMCA claims where undeclared: {period} ({USMCA_SWITCH})"


def days_words(provenance: Provenance, on: str) -> str:
    """The day of the run, or the days of its lines where they have entry dates."""
    dates = part_of(provenance, "details", "line_dates")
    if not dates:
        return f"on {on}"
    line_days = f"the entry dates of its lines, {dates['first']} to {dates['last']}"
    return (
        f"on {line_days}"
        if dates["lines"] == dates["of"]
        else f"on {line_days}, and on {on} for lines without one"
    )


def block_title(column: str, provenance: Provenance) -> str:
    """Title of the block that a column belongs to: static, or the response with its horizon, set, market and dollar.

    The parts are on lines of their own, so that the block is no wider than its columns.
    """
    return "\n".join(_parts(provenance)) if column in _AFTER else STATIC


def titles_of(columns: Iterable[str], provenance: Provenance) -> list[str]:
    """Title columns: the block that each belongs to, and its own short title on a line below."""
    return [f"{block_title(name, provenance)}\n{title_of(name)}" for name in columns]


def _response(provenance: Provenance) -> str:
    model, *rest = _parts(provenance)
    if not rest:
        return model
    horizon, parameters, *more = rest
    if market := _market(provenance):
        more[0] = f"market {market}"
    return ", ".join([model, f"horizon {horizon}", f"set {parameters}", *more])


def _market(provenance: Provenance) -> str:
    """Name the market above products; empty for products by themselves."""
    return str(part_of(provenance, "details", "model", "market") or "")


def _parts(provenance: Provenance) -> list[str]:
    model, horizon = _detail(provenance, "response"), _detail(provenance, "horizon")
    if model in {"", "none"}:
        return ["none"]
    parameters, market = _detail(provenance, "parameters"), _market(provenance)
    more = [market] if market else []
    offset = part_of(provenance, "details", "model", "fx_offset", "value")
    if offset is not None:
        more.append(f"fx offset {offset:g}")
    return [model, horizon, _CENTRAL if parameters == horizon else parameters, *more]


def _detail(provenance: Provenance, name: str) -> str:
    return str(part_of(provenance, "details", name) or "")
