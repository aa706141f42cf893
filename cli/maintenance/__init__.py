"""Commands that maintain the nodes of a pool: `drain` and `gpu check`."""
