"""Specs of the policies of reliability."""
