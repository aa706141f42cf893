"""Policies for Pulumi programs, evaluated in every preview. See docs/policies.md."""
