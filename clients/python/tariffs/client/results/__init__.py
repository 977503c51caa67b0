"""Results of calls: frozen dataclasses, money as Decimal on entry lines, Polars frames for tables."""
