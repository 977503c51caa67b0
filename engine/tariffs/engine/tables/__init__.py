"""A trade table: read, check, fingerprint and turn into arrays of lines."""
