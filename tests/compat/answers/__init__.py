"""Digests of random answers of the public client: what a change of form alone must leave as it is, bit for bit."""
