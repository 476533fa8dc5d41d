"""How long a module takes to import, and what memory it takes (MB): `importing.py MODULE`."""

import importlib
import json
import sys
import time

from weight import megabytes

began = time.perf_counter()
importlib.import_module(sys.argv[1])
print(json.dumps({"seconds": time.perf_counter() - began, "megabytes": megabytes()}))
