"""Specs of the policies: `<topic>/<verb_noun>.py` beside every `policies/<topic>/<verb_noun>.py`."""
