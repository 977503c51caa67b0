"""Read, draw and mix elasticities."""
