"""Tests of Pods that run as processes."""
