// Sound as a WAV file: made here, so that it also works while the kernel is busy or gone.

/** PCM in pieces, one behind the other, with its head; `info` is a chunk that stands behind the sound. */
function wavOf(pieces, { rate, bits = 16, channels = 1, info = new Uint8Array(0) }) {
  const size = pieces.reduce((sum, piece) => sum + piece.byteLength, 0), step = (channels * bits) / 8;
  const even = new Uint8Array(size % 2), head = new DataView(new ArrayBuffer(44)); // a chunk is filled up to even bytes
  const write = (at, text) => [...text].forEach((letter, i) => head.setUint8(at + i, letter.charCodeAt(0)));
  write(0, "RIFF"); head.setUint32(4, 36 + size + even.length + info.length, true); write(8, "WAVEfmt "); head.setUint32(16, 16, true);
  head.setUint16(20, 1, true); head.setUint16(22, channels, true); head.setUint32(24, rate, true);
  head.setUint32(28, step * rate, true); head.setUint16(32, step, true); head.setUint16(34, bits, true);
  write(36, "data"); head.setUint32(40, size, true);
  return new Blob([head, ...pieces, even, info], { type: "audio/wav" });
}
