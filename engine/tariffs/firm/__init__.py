"""Answer questions of importers from quotes of the dated law."""
