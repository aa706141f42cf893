"""Compute Engine: networks, firewalls, machines."""
