"""Steps of continuous training, and what starts them (docs/continuous-training.md)."""
