"""Specs of the policies of environment."""
