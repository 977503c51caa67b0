"""The law: measures, acts, stacking rules and lists as dated data, and what is in force at an instant."""

from tariffs.engine.law.law import Active, ActiveRule, InForce, Law
from tariffs.engine.law.loader import law_from_raw, load_law, load_law_from, read_raw
from tariffs.engine.law.model import Claim, Measure, Period, Row, Rule, Scope, Switch

__all__ = [
    "Active",
    "ActiveRule",
    "Claim",
    "InForce",
    "Law",
    "Measure",
    "Period",
    "Row",
    "Rule",
    "Scope",
    "Switch",
    "law_from_raw",
    "load_law",
    "load_law_from",
    "read_raw",
]
