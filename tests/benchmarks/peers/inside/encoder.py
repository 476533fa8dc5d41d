"""What Resemblyzer's encoder costs on a file: `encoder.py FILE`."""

import json
import sys
import time

from resemblyzer import VoiceEncoder, preprocess_wav
from weight import megabytes

encoder = VoiceEncoder("cpu", verbose=False)
wav = preprocess_wav(sys.argv[1])
encoder.embed_utterance(wav)
began = time.process_time()
encoder.embed_utterance(wav)
seconds = time.process_time() - began
print(json.dumps({"ratio": len(wav) / 16_000 / seconds, "megabytes": megabytes()}))
