"""For all tests."""

from __future__ import annotations

import gc

# Importing the SDKs and recording resources make millions of objects that live to the end: looking through
# them again and again is a tenth of the unit tier's time.
gc.disable()
