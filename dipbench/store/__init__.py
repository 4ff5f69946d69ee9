"""What is kept: the store, its records, and the table of results."""
