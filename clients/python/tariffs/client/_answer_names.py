"""Modules of the classes of answers: made from the declarations in `tariffs.questions` by `make gen`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tariffs.questions.options import BestOptions as BestOptions
    from tariffs.questions.options import DutyOption as DutyOption
    from tariffs.questions.options import OptionCost as OptionCost
    from tariffs.questions.options import OptionFact as OptionFact
    from tariffs.questions.options import OptionsResult as OptionsResult
    from tariffs.questions.options import ScenarioOptions as ScenarioOptions
    from tariffs.questions.source import OriginCost as OriginCost
    from tariffs.questions.source import OriginFlip as OriginFlip
    from tariffs.questions.source import OriginRegret as OriginRegret
    from tariffs.questions.source import ScenarioOrigins as ScenarioOrigins
    from tariffs.questions.source import SourceResult as SourceResult

PLACES = {
    "BestOptions": "tariffs.questions.options",
    "DutyOption": "tariffs.questions.options",
    "OptionCost": "tariffs.questions.options",
    "OptionFact": "tariffs.questions.options",
    "OptionsResult": "tariffs.questions.options",
    "OriginCost": "tariffs.questions.source",
    "OriginFlip": "tariffs.questions.source",
    "OriginRegret": "tariffs.questions.source",
    "ScenarioOptions": "tariffs.questions.options",
    "ScenarioOrigins": "tariffs.questions.source",
    "SourceResult": "tariffs.questions.source",
}
