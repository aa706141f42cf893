"""Specs of the policies of kubernetes."""
