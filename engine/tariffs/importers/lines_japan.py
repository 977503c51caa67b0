"""Import Japan's schedule: by statistical line the most-favoured-nation rate, and that for goods of the United States.

The source is a reading of the schedule that Japan Customs publishes, in the edition of 2026-07-09. A rate of the WTO
holds where it is lower than the temporary rate or, without one, the general rate (Japan Customs, outline of the tariff
system); rates in brackets are printed for reference. A rate that is no percentage of the value is kept as its text.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

SCHEDULE, STATE_TRADED = "s2026_07_09", "state_traded"
_FILE, _PARTS = "japan_schedule_2026_07_09.parquet", "japan_conditional_parts.csv"
_PLAIN = ("free", "ad_valorem")
_GENERAL, _WTO, _AGREEMENT = ("temporary", "basic"), "wto", "us"
_MARKS = "*●◎※"
_OTHER = ("その他", "関税割当数量以外")
_TOTAL = "*"
"""Mark of a bound total of duty and the levy or mark-up of the state trader."""
_WORDS = (
    (r"^1キログラムにつき(?:、)?(.*)基準輸入価格に1\.5を乗じて得た額と課税価格に0\.6を乗じて得た額との差額$",
     "(1.5 x standard import price - 0.6 x customs value)/kg"),
    (r"^1キログラムにつき.*基準輸入価格と課税価格との差額$", "(standard import price - customs value)/kg"),
    (r"^1頭につき、.*基準輸入価格と課税価格との差額$", "(standard import price - customs value)/head"),
    (r"^1キログラムにつき、([\d.]+)円に重量比による乳糖の含有率が10%を超える1%ごとに([\d.]+)円を加えた額$",
     r"\1 yen/kg and \2 yen for each 1% of lactose by weight above 10%"),
    (r"^原産品に含まれる砂糖の重量1キログラムにつき([\d.]+)円$", r"\1 yen/kg of sugar contained"),
    (r"のうちいずれか低い税率", ", whichever is lower"),
    (r"のうちいずれか高い税率", ", whichever is higher"),
    (r"\s*ただしその税率が.+を下回る場合は(.+)$", r", but not less than \1"),
    (r"又は非譲許", " or no concession"),
    (r"又は", " or "),
    (r"無税", "free"),
    (r"一部", "in part "),
    (r"課税価格", "customs value"),
    (r"、", ", "),
    (r"円", " yen"),
    (r"頭", "head"),
    (r"足", "pair"),
    (r"1,000本", "1,000 pieces"),
    (r"本", "piece"),
    (r"枚", "sheet"),
    (r"㎡", "m2"),
    (r"〜", " to "),
    ("\u00d7", " x "),
    ("\u2212|(?<=[\\d)])-(?=[a-z])", " - "),
    (r"\s*\+\s*", " + "),
    (r"\s+", " "),
)  # fmt: skip
_BRACKETED = re.compile(r"\([^()]*(?:\([^()]*\)[^()]*)*\)")
_WIDE = str.maketrans("\uff08\uff09\uff05\uff0b", "()%+")


class Rate(NamedTuple):
    """Rate of a line: percent of the value, or None with its text."""

    percent: float | None
    text: str = ""


class JapanLine(NamedTuple):
    """Line of the schedule; `agreement` is None where goods of the United States have no concession."""

    code: str
    general: Rate
    agreement: Rate | None
    basis: str


def read(folder: Path) -> list[JapanLine]:
    """Read the lines; of a line with rates by season the first season, which begins in spring or summer."""
    table = (
        pl.read_parquet(folder / _FILE).sort("hs9", "seq").unique("hs9", keep="first", maintain_order=True)
    )
    conditional: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    parts = pl.read_csv(folder / _PARTS, schema_overrides={"hs9": pl.String, "jpy": pl.Float64})
    for part in parts.filter(seq=1).sort("part").iter_rows(named=True):
        conditional[part["hs9"], part["column"]].append(part)
    return [_line(row, conditional) for row in table.iter_rows(named=True)]


def _line(row: Mapping[str, Any], conditional: Mapping[tuple[str, str], list[dict[str, Any]]]) -> JapanLine:
    def stated(column: str) -> Rate | None:
        return _stated(row, column, conditional.get((row["hs9"], column), ()))

    general = next(rate for rate in map(stated, _GENERAL) if rate)
    wto = None if _is_reference(row[_WTO] or "") else stated(_WTO)
    is_traded = (row[f"{_WTO}_mark"] or "").startswith(_TOTAL)
    is_alike = row[f"{_WTO}_kind"] == next(row[f"{name}_kind"] for name in _GENERAL if row[f"{name}_kind"])
    mfn = general if wto is None else _lower(general, wto, is_alike and not is_traded)
    if is_traded and mfn.percent is None:
        bound = words(row[_WTO])
        mfn = Rate(None, f"{mfn.text}; with the mark-up of the state trader at most {bound}")
    return JapanLine(row["hs9"], mfn, stated(_AGREEMENT), STATE_TRADED if is_traded else SCHEDULE)


def _stated(row: Mapping[str, Any], column: str, parts: Sequence[Mapping[str, Any]]) -> Rate | None:
    """Rate that a column prints; None where it prints none, or a note alone."""
    kind = row[f"{column}_kind"]
    if kind is None or kind == "note_only":
        return None
    if kind in _PLAIN:
        return Rate(100 * row[f"{column}_av"])
    return _by_condition(parts) if kind == "conditional" else Rate(None, words(row[column]))


def _is_reference(raw: str) -> bool:
    """Test whether every rate that a cell prints is in brackets."""
    outside = _BRACKETED.sub("", raw.translate(_WIDE))
    return not re.search(r"\d|無税|免税", outside)


def _lower(general: Rate, wto: Rate, is_alike: bool) -> Rate:
    """Choose the lower of two rates.

    Of two texts alike it is that of the WTO, which is in brackets where it is not lower.
    """
    if general.percent == 0 or wto.percent == 0:
        return Rate(0.0)
    if general.percent is not None and wto.percent is not None:
        return min(general, wto)
    stated, other = sorted((general, wto), key=lambda rate: rate.percent is None)
    if stated.percent is not None and stated.percent <= _at_least(other.text):
        return stated
    return wto if is_alike else Rate(None, f"the lower of {_text(general)} and {_text(wto)}")


def _at_least(text: str) -> float:
    """Percentage below which a rate never is: its own beside an amount to add, or the higher of two; -1 without one."""
    found = re.fullmatch(r"([\d.]+)%(?: \+ [\d.,]+ yen/\w+| or .*whichever is higher)", text)
    return float(found[1]) if found else -1.0


def _text(rate: Rate) -> str:
    return rate.text if rate.percent is None else f"{rate.percent:.4f}".rstrip("0").rstrip(".") + "%"


def _by_condition(parts: Sequence[Mapping[str, Any]]) -> Rate:
    """Rate of a cell with rates by condition: the one of all parts if these cover all goods, else a text."""
    rates = [
        Rate(100 * part["av"]) if part["kind"] in _PLAIN else Rate(None, words(part["raw"])) for part in parts
    ]
    covers_all = parts[-1]["condition_ja"].startswith(_OTHER)
    if covers_all and len(set(rates)) == 1:
        return rates[0]
    texts = [
        f"{_text(rate)} within the tariff quota" if part["in_quota"] else _text(rate)
        for part, rate in zip(parts, rates, strict=True)
    ]
    return Rate(None, f"{' or '.join(texts)}, by condition{'' if covers_all else '; other goods have none'}")


def words(raw: str) -> str:
    """Write a printed rate in English, without its marks and the brackets around it.

    Raises:
        ValueError: a word of the rate is not known.
    """
    text = raw.translate(_WIDE).strip().lstrip(_MARKS)
    if text.startswith("(") and text.endswith(")") and text.count("(") == 1:
        text = text[1:-1]
    for pattern, english in _WORDS:
        text = re.sub(pattern, english, text)
    if not text.isascii():
        raise ValueError(f"no English for {text!r}")
    return text.strip()
