"""Write a data set to the folder TARGET, as Trainer's initializer does, after SECONDS."""

import os
import time
from pathlib import Path

time.sleep(float(os.environ["SECONDS"]))
target = Path(os.environ["TARGET"])
target.mkdir(parents=True, exist_ok=True)
(target / "part").write_text("rows")
