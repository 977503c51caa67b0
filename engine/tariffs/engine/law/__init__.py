"""The law as dated data: measures, acts, stacking rules and lists, and the rows in force at an instant."""

from tariffs.engine.law.files import read_raw
from tariffs.engine.law.law import InForce, Law
from tariffs.engine.law.loader import law_from_raw, load_law
from tariffs.engine.law.model import Measure, Period, Row, Rule, Scope, Switch

__all__ = [
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
    "read_raw",
]
