"""LoRA fine-tuning of a language model that was imported as a release."""
