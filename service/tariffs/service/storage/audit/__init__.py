"""Audit record: an append-only chain of entries in files or in the database, and its verification."""
