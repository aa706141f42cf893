"""Specs of the policies of cost."""
