"""The controllers of add-ons, run as processes of this machine where they are asked for.

A controller runs while a Pod with its image does: with the configuration, certificates, arguments and token
of that Pod, as a kubelet would start it. What cannot be as in a container is in `programs`.
"""
