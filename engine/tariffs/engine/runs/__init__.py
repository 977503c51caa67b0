"""Public verbs over tables and entries: impact, timeline, attribution, uncertainty, refund, law changes."""
