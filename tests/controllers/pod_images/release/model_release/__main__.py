"""Print what a promotion would do, which needs MLflow; messages are sent by the program itself."""

import json
import os
import runpy
import sys

from model_release import REAL

if sys.argv[1] == "promote":
    result = {"arguments": sys.argv[1:], "approved_by": os.environ.get("APPROVED_BY")}
    sys.stdout.write(json.dumps({"result": result}) + "\n")
else:
    runpy.run_path(str(REAL / "__main__.py"), run_name="__main__")
