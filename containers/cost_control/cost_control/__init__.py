"""Control of costs in the cluster: queues are held by the alert of a budget, and while a schedule states so;
work whose GPUs are idle ends.

What it changes of a ClusterQueue is in fields and annotations of the manager `ai-platform-cost`
(server-side apply); everything else belongs to others.
"""
