"""What a server keeps: tables, long runs and their results, in a directory and a database that replicas share."""
