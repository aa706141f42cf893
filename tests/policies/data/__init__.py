"""Specs of the policies of data."""
