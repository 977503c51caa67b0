"""Print results as text for people: tables, notes and the provenance line."""
