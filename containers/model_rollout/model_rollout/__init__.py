"""Rollouts of releases: requests of a service move to a new InferenceService step by step, and back to the
one before where the gateway measures too many errors, or answers that are too slow.

A service has at most two InferenceServices, SERVICE-blue and SERVICE-green, and one HTTPRoute, SERVICE. All
state is in these objects: a run that was killed goes on where it was.
"""
