"""Public verbs over tables and entries: impact, timeline, sweep, seek, attribution, uncertainty, refund."""
