"""What a graph says while it runs: checks, prints, summaries."""
