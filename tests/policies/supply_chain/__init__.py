"""Specs of the policies of supply_chain."""
