"""Specs of the policies: `<topic>/<verb_noun>.py` for every `policies/<topic>/<verb_noun>.py`."""
