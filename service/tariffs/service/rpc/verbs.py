"""List the verbs whose results are computed in parts, by kind."""

from __future__ import annotations

from collections.abc import Mapping

from tariffs.service.rpc.simulation import SIMULATE
from tariffs.service.rpc.sweeps import SWEEP
from tariffs.service.rpc.timeline import TIMELINE
from tariffs.service.rpc.verb import Verb

VERBS: Mapping[str, Verb] = {verb.kind: verb for verb in (SIMULATE, TIMELINE, SWEEP)}
