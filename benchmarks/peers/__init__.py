"""One module per peer, run as `python -m benchmarks.peers.NAME` by an interpreter that has it."""
