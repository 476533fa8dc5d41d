// A clip for a file: the PCM and the words of WAV, and FLAC, made here as WAV is.

/** Whole steps of `bits`, held at full scale. */
function stepsOf(samples, bits) {
  const scale = 2 ** (bits - 1);
  return Int32Array.from(samples, (v) => Math.max(-scale, Math.min(scale - 1, Math.round(v * scale))));
}

const INFO = { encoder: "ISFT", artist: "IART", comment: "ICMT" };

/** A chunk of a RIFF file; its size does not count the byte that makes it even. */
function chunkOf(name, bytes) {
  const made = new Uint8Array(8 + bytes.length + (bytes.length % 2));
  made.set(new TextEncoder().encode(name));
  new DataView(made.buffer).setUint32(4, bytes.length, true);
  made.set(bytes, 8);
  return made;
}

function joinedBytes(parts) {
  const made = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => { made.set(part, at); return at + part.length; }, 0);
  return made;
}

/** What is to be known of a speech, behind the sound. */
function infoOf(tags) {
  const utf8 = new TextEncoder(), parts = Object.entries(tags).map(([name, text]) => chunkOf(INFO[name], utf8.encode(`${text}\0`)));
  return parts.length ? chunkOf("LIST", joinedBytes([utf8.encode("INFO"), ...parts])) : new Uint8Array(0);
}

/** Mono PCM as a WAV file bears it: of `bits`, the least byte first. */
function pcmOf(samples, bits) {
  const steps = stepsOf(samples, bits), width = bits / 8, pcm = new Uint8Array(width * steps.length);
  for (let i = 0; i < steps.length; i++) {
    for (let k = 0; k < width; k++) pcm[width * i + k] = (steps[i] >> (8 * k)) & 255;
  }
  return pcm;
}

// FLAC, RFC 9639: fixed predictors and Rice codes, the part of the format that needs no search.
const FLAC_BLOCK = 4096;
const RICE_ESCAPE = 14; // the largest parameter of the short form

/** Bits into bytes, most significant first. */
class Bits {
  constructor(size) { this.bytes = new Uint8Array(size); this.at = 0; this.bit = 0; }

  put(value, n) {
    for (let left = n; left > 0;) {
      if (this.at >= this.bytes.length) this.grow();
      const room = 8 - this.bit, take = Math.min(room, left);
      this.bytes[this.at] |= (Math.floor(value / 2 ** (left - take)) & ((1 << take) - 1)) << (room - take);
      this.bit += take; left -= take;
      if (this.bit === 8) { this.bit = 0; this.at += 1; }
    }
  }

  zeros(n) {
    for (let left = n; left > 0; left -= 24) this.put(0, Math.min(24, left));
  }

  grow() {
    const more = new Uint8Array(2 * this.bytes.length);
    more.set(this.bytes);
    this.bytes = more;
  }

  align() { if (this.bit) this.put(0, 8 - this.bit); }
}

function checksum(bytes, from, to, n, polynomial) {
  let value = 0;
  const top = 1 << (n - 1), all = n === 8 ? 0xff : 0xffff;
  for (let i = from; i < to; i++) {
    value ^= bytes[i] << (n - 8);
    for (let k = 0; k < 8; k++) value = ((value & top ? (value << 1) ^ polynomial : value << 1)) & all;
  }
  return value;
}

/** What the fixed predictor of each order leaves over; the one with the least sum is the cheapest. */
function leastResidual(block) {
  let best = { order: 0, rest: block, sum: Infinity }, rest = Float64Array.from(block);
  for (let order = 0; order <= 4 && order < block.length; order++) {
    let sum = 0;
    for (let i = order; i < rest.length; i++) sum += Math.abs(rest[i]);
    if (sum < best.sum) best = { order, rest: rest.slice(order), sum };
    const next = new Float64Array(rest.length);
    for (let i = order + 1; i < rest.length; i++) next[i] = rest[i] - rest[i - 1];
    rest = next;
  }
  return best;
}

/** Numbers as UTF-8 writes them, for the number of a frame. */
function putNumber(bits, value) {
  if (value < 0x80) return bits.put(value, 8);
  let length = 2;
  while (value >= 2 ** (5 * length + 1)) length += 1;
  bits.put(((0xff00 >> length) & 0xff) | (value >> (6 * (length - 1))), 8);
  for (let i = length - 2; i >= 0; i--) bits.put(0x80 | ((value >> (6 * i)) & 0x3f), 8);
  return undefined;
}

function putFrame(bits, block, number, depth) {
  const start = bits.at;
  bits.put(0x3ffe, 14); bits.put(0, 2); bits.put(7, 4); bits.put(0, 4); // block size follows; rate as in the head
  bits.put(0, 4); bits.put(depth === 16 ? 4 : 6, 3); bits.put(0, 1); // mono
  putNumber(bits, number);
  bits.put(block.length - 1, 16);
  bits.put(checksum(bits.bytes, start, bits.at, 8, 0x107), 8);
  const { order, rest, sum } = leastResidual(block);
  bits.put(8 + order, 7); bits.put(0, 1);
  for (let i = 0; i < order; i++) bits.put(block[i] < 0 ? block[i] + 2 ** depth : block[i], depth);
  const mean = sum / Math.max(1, rest.length);
  const long = mean >= 2 ** RICE_ESCAPE, most = long ? 30 : RICE_ESCAPE;
  const rice = Math.max(0, Math.min(most, Math.floor(Math.log2(mean + 1))));
  bits.put(long ? 1 : 0, 2); bits.put(0, 4); bits.put(rice, long ? 5 : 4);
  for (const value of rest) {
    const folded = value < 0 ? -2 * value - 1 : 2 * value;
    bits.zeros(Math.floor(folded / 2 ** rice));
    bits.put(1, 1);
    bits.put(folded % 2 ** rice, rice);
  }
  bits.align();
  bits.put(checksum(bits.bytes, start, bits.at, 16, 0x18005), 16);
}

/** What is to be known of a speech, in a FLAC file: a Vorbis comment, RFC 9639, 8.6. */
function commentsOf(tags) {
  const text = (words) => {
    const bytes = new TextEncoder().encode(words), size = new Uint8Array(4);
    new DataView(size.buffer).setUint32(0, bytes.length, true);
    return [size, bytes];
  };
  const fields = Object.entries(tags), count = new Uint8Array(4);
  new DataView(count.buffer).setUint32(0, fields.length, true);
  return fields.length ? joinedBytes([...text("vcnb"), count, ...fields.flatMap(([name, words]) => text(`${name.toUpperCase()}=${words}`))]) : new Uint8Array(0);
}

/** Mono FLAC without loss; its sum of all samples (MD5) is left out, as the format allows. */
function flacOf(samples, rate, bits, tags = {}) {
  const steps = stepsOf(samples, bits), comments = commentsOf(tags), out = new Bits(64 + samples.length * (bits / 8));
  for (const letter of "fLaC") out.put(letter.charCodeAt(0), 8);
  out.put(comments.length ? 0 : 0x80, 8); out.put(34, 24); // the first head, and the last where no other comes
  const size = Math.max(16, Math.min(FLAC_BLOCK, steps.length));
  out.put(size, 16); out.put(size, 16); out.put(0, 24); out.put(0, 24);
  out.put(rate, 20); out.put(0, 3); out.put(bits - 1, 5);
  out.put(Math.floor(steps.length / 2 ** 24), 12); out.put(steps.length % 2 ** 24, 24);
  for (let i = 0; i < 4; i++) out.put(0, 32);
  if (comments.length) { out.put(0x84, 8); out.put(comments.length, 24); }
  for (const byte of comments) out.put(byte, 8);
  for (let at = 0, number = 0; at < steps.length; at += FLAC_BLOCK, number++) {
    putFrame(out, steps.subarray(at, at + FLAC_BLOCK), number, bits);
  }
  return new Blob([out.bytes.subarray(0, out.at)], { type: "audio/flac" });
}
