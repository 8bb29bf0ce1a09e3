"""What lives between two runs: variables, their first values, tables."""
