"""Recommendations over HTTP: features of the online store, scores of the predictor, the best k."""
