"""Draw elasticities, and make ranges of the draws."""
