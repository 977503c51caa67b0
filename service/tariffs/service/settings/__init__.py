"""Settings of the server, from environment variables and arguments."""
