"""Training: runtimes, refusals, and what the component registers."""
