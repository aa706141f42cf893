"""Read the data set that an initializer wrote."""

import sys
import time
from pathlib import Path

sys.stdout.write(f"trained on {Path(sys.argv[1]).read_text()}\n")
sys.stdout.flush()
time.sleep(5)
