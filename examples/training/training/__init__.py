"""Data-parallel training of a classifier: logistic regression on columns of a table at a pinned snapshot."""
