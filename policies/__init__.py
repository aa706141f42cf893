"""Guardrails: what a program may not make, judged in every preview. See docs/policies.md."""
