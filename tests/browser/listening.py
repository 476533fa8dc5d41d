"""What a page really plays: every block of samples at the players' own outputs, heard in the audio thread."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

TAP = """class Tap extends AudioWorkletProcessor {
  process([[channel]]) { if (channel) this.port.postMessage([currentFrame, channel.slice()]); return true; }
}
registerProcessor('test-tap', Tap);"""

# Before a panel is shown: the context it will use has a listener at everything that goes to the loudspeaker.
LISTEN = """async ([tap, rate]) => {
  const page = (globalThis[Symbol.for('vcnb.sound')] ??= { contexts: new Map(), sounding: null });
  await page.contexts.get(rate)?.close();
  const context = new AudioContext({ sampleRate: rate });
  page.contexts.set(rate, context);
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([tap], { type: 'text/javascript' })));
  const listener = new AudioWorkletNode(context, 'test-tap');
  const heard = (globalThis.heard = []);
  listener.port.onmessage = ({ data }) => heard.push(data);
  const connect = (globalThis.plainConnect ??= GainNode.prototype.connect);
  GainNode.prototype.connect = function (to) {
    if (to === context.destination) connect.call(this, listener);
    return connect.call(this, to);
  };
}"""
HEARD = """async () => {
  const blocks = globalThis.heard;
  if (!blocks.length) return ['', 0];
  const first = blocks[0][0], last = blocks.at(-1)[0] + blocks.at(-1)[1].length;
  const whole = new Float32Array(last - first);
  for (const [frame, block] of blocks) whole.set(block, frame - first);
  const bytes = new Uint8Array(whole.buffer), parts = [];
  for (let i = 0; i < bytes.length; i += 32768) parts.push(String.fromCharCode(...bytes.subarray(i, i + 32768)));
  return [btoa(parts.join('')), first];
}"""


def listen(page: Any, sample_rate: int = 24_000) -> None:
    """Begin to listen; call it before the panel is shown."""
    page.evaluate(LISTEN, [TAP, sample_rate])


def heard(page: Any) -> np.ndarray:
    """Everything from the first block that sounded; silence between blocks is silence."""
    encoded, _first = page.evaluate(HEARD)
    return np.frombuffer(base64.b64decode(encoded), "<f4")


def found_in(played: np.ndarray, wanted: np.ndarray) -> int | None:
    """Where `wanted` stands in `played`, sample for sample, in one piece; None where it does not."""
    (candidates,) = np.nonzero(played == wanted[0]) if len(played) else (np.array([], int),)
    for start in candidates:
        if np.array_equal(played[start : start + len(wanted)], wanted):
            return int(start)
    return None
