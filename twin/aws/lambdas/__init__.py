"""Lambda's functions, executed: the handler runs in a process of its own, as its role."""
