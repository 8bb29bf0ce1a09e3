"""Programs written for TPUs, on the one device of this process: a single shard of whatever XLA compiles for."""
