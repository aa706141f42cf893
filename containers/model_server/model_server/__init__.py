"""Serves a model of scikit-learn or XGBoost by the protocols of KServe (V1, and V2 of Open Inference)."""
