"""What audio-data-quality-toolkit says of some files: `verdicts.py FILE ...`."""

import json
import sys

import audio_qa

found = {}
for path in sys.argv[1:]:
    told = audio_qa.check_file(path)
    failed = [check["check"] for check in told["checks"] if not check["passed"]]
    found[path] = {"grade": str(told["grade"]), "failed": failed}
print(json.dumps(found))
