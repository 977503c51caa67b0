"""Trade tables: read, check, digest, and convert to arrays of lines."""
