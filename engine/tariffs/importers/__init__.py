"""Importers: public sources in, the project's own tables out. See docs/data.md.

Run `python -m tariffs.importers --from DIR` to rebuild every embedded table from a folder of sources.
"""
