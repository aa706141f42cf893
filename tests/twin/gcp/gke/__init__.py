"""Tests of GKE in the twin."""
