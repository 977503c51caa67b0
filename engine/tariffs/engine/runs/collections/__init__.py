"""Duty from the law to the treasury: assessed, claimed, exempt, afloat, collected, refunded."""
