"""Batch inference: predictions for all rows of a table at a pinned snapshot, by a released model."""
