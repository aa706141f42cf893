"""Specs of the policies of gpu."""
