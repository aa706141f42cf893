"""Network access: which traffic is allowed, and what is logged."""
