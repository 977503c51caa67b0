"""Importers that build the embedded tables from public sources. See docs/data.md.

Run `python -m tariffs.importers --from DIR` to rebuild every embedded table from a folder of sources.
"""
