"""Results of calls: frozen values, Decimal money on one line, Polars frames for tables."""
