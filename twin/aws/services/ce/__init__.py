"""AWS Cost Explorer: detection of anomalies."""
