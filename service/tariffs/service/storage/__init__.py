"""Stored tables, long runs and their results, in a directory and a database shared by replicas."""
