"""Take some lines of a table as lines of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tariffs.engine.base.array_utils import I64
from tariffs.engine.tables.line_arrays import LineArrays


def lines_subset(lines: LineArrays, index: I64) -> LineArrays:
    """Take the lines at `index` (ascending); codes and origins keep their places."""
    place = np.full(lines.count, -1, dtype=np.int64)
    place[index] = np.arange(len(index))
    piece = np.flatnonzero(place[lines.piece_line] >= 0)
    return replace(
        lines,
        origin=lines.origin[index],
        value=lines.value[index],
        freight=lines.freight[index],
        insurance=lines.insurance[index],
        piece_line=place[lines.piece_line[piece]],
        piece_code=lines.piece_code[piece],
        piece_weight=lines.piece_weight[piece],
        facts={name: values[index] for name, values in lines.facts.items()},
        general=lines.general[piece],
        other=lines.other[piece],
        special={claim: rates[piece] for claim, rates in lines.special.items()},
        quantities={unit: values[index] for unit, values in lines.quantities.items()},
        vat=None if lines.vat is None else lines.vat[index],
        sourced={claim: None if own is None else own[index] for claim, own in lines.sourced.items()},
        cache={},
    )
