"""Pulumi components for a cloud-native AI platform, for AWS and Google Cloud."""
