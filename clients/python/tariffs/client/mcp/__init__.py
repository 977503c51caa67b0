"""Tools for language models by the Model Context Protocol: questions to the client, and nothing that writes."""
