"""Revisions of the database schema, and the code that migrates a database forward to the newest one."""
