"""Join results of a table of several files, computed part by part."""
