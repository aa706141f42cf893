"""Print the folder of this environment's packages: {"packages": folder}."""

from __future__ import annotations

import json
import sys
import sysconfig

json.dump({"packages": sysconfig.get_path("platlib")}, sys.stdout)
