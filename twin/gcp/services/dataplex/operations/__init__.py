"""Dataplex: operations."""
