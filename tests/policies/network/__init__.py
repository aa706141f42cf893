"""Specs of the policies of network."""
