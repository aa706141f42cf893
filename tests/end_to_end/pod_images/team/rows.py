"""Read a table of the default catalog; the last line has the ids of its orders."""

import json
import sys

from pyiceberg.catalog import load_catalog

table = load_catalog().load_table(sys.argv[1])
ids = sorted(table.scan().to_arrow()["order_id"].to_pylist())
sys.stdout.write(f"\n{json.dumps(ids)}\n")
