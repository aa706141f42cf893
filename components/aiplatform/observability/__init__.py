"""Metrics, alerts, dashboards, logs and traces of a cluster."""
