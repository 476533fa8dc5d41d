"""How long a module takes to import, and what memory it takes (MB): `importing.py MODULE`."""

import importlib
import json
import resource
import sys
import time

began = time.perf_counter()
importlib.import_module(sys.argv[1])
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kB; bytes on macOS
print(json.dumps({"seconds": seconds, "megabytes": peak / (1e6 if sys.platform == "darwin" else 1e3)}))
