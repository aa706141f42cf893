"""Specs of the policies of identity."""
