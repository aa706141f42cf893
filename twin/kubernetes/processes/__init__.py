"""Pods whose image is in a table run as local processes: their kubelet and container runtime.

The API server, the scheduler and the controllers are real; of a node, this package does what the kubelet, the
container runtime, the cluster's DNS and its Service proxy do for such a Pod. All other Pods are simulated by
kwok. There is no isolation: a Pod's processes are the twin's user on this machine.
"""
