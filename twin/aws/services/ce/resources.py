"""Cost Explorer: monitors of anomalies and their subscriptions. Nothing is unusual on the twin."""
