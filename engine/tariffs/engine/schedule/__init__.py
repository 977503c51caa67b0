"""Tariff schedule (HTS): lines, rates, equivalents, codes, units, countries and reference data of 2024."""
