"""Check cases of expected duties and results, from files that users keep. See docs/cases.md."""
