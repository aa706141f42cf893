"""Extracts what a Terraform provider states of resource types from its Go source."""
