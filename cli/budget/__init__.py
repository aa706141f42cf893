"""`aiplatform budget`: queues that the budget of an environment holds."""
