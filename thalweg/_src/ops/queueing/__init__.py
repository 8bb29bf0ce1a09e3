"""Queues, barriers, staging areas and accumulators: where threads meet."""
