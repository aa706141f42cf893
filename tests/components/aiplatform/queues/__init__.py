"""The queues: amounts, plan, refusals, and the objects against Kueue's definitions."""
