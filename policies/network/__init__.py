"""Network access: which traffic is allowed, and what is logged.

No way from the internet to machines, clusters, databases and functions but those that an option lists,
limited ways out, and logs of both.
"""
