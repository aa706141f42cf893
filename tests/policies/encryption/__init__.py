"""Specs of the policies of encryption."""
