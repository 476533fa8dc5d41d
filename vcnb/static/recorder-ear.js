// What the coach hears with: a resampler, a Fourier transform, and the speech network that the kernel uses too.

/** Windowed sinc, polyphase and streaming; output n lies at input time n * from / to. */
class Resampler {
  constructor(from, to) {
    const divide = (a, b) => (b ? divide(b, a % b) : a), shared = divide(from, to);
    [this.from, this.to, this.step, this.phases] = [from, to, from / shared, to / shared];
    const edge = 0.956 * Math.min(from, to), half = Math.ceil((72 / (2.285 * 2 * Math.PI * 0.044)) * (from / Math.min(from, to)) / 2);
    const bessel = (x) => { let sum = 1, term = 1; for (let k = 1; k < 40; k++) sum += term *= (x / (2 * k)) ** 2; return sum; };
    [this.half, this.taps] = [half, Array.from({ length: this.phases }, () => new Float32Array(2 * half))];
    for (let phase = 0; phase < this.phases; phase++) {
      let sum = 0;
      for (let i = 0; i < 2 * half; i++) {
        const t = i - half + 1 - phase / this.phases, x = (Math.PI * t * edge) / from;
        const window = bessel(7.86 * Math.sqrt(Math.max(0, 1 - (t / half) ** 2))) / bessel(7.86);
        sum += this.taps[phase][i] = (Math.abs(x) < 1e-9 ? 1 : Math.sin(x) / x) * window;
      }
      for (let i = 0; i < 2 * half; i++) this.taps[phase][i] /= sum;
    }
    this.kept = new Float32Array(half - 1); // silence before the first sample
    this.first = 1 - half; // input time of kept[0]
    [this.n, this.given] = [0, 0];
  }

  push(samples) {
    this.given += samples.length;
    const all = new Float32Array(this.kept.length + samples.length), out = [];
    all.set(this.kept);
    all.set(samples, this.kept.length);
    for (;; this.n++) {
      const whole = Math.floor((this.n * this.step) / this.phases), taps = this.taps[(this.n * this.step) % this.phases];
      const at = whole - this.half + 1 - this.first;
      if (at + taps.length > all.length) {
        const passed = Math.min(at, all.length);
        this.kept = all.slice(passed);
        this.first += passed;
        return Float32Array.from(out);
      }
      let sum = 0;
      for (let i = 0; i < taps.length; i++) sum += taps[i] * all[at + i];
      out.push(sum);
    }
  }

  /** What was still under way when the sound ended. */
  end() {
    const wanted = Math.round((this.given * this.to) / this.from) - this.n;
    return this.push(new Float32Array(2 * this.half)).subarray(0, Math.max(0, wanted));
  }
}

/** In-place transform of `re` and `im`, a power of two long. */
class Fourier {
  constructor(size) {
    this.size = size;
    this.cos = Float64Array.from({ length: size / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / size));
    this.sin = Float64Array.from({ length: size / 2 }, (_, i) => Math.sin((2 * Math.PI * i) / size));
    this.turned = Uint32Array.from({ length: size }, (_, i) => {
      let back = 0;
      for (let bit = 1; bit < size; bit <<= 1) back = (back << 1) | (i & bit ? 1 : 0);
      return back;
    });
    [this.re, this.im] = [new Float64Array(size), new Float64Array(size)];
  }

  /** Power of each bin of `samples` from `at`, under a window; zeros beyond both ends. */
  power(samples, at, window, out) {
    const { size, re, im, turned, cos, sin } = this, n = samples.length;
    for (let i = 0; i < size; i++) {
      const from = at + i;
      re[turned[i]] = from >= 0 && from < n ? samples[from] * window[i] : 0;
    }
    im.fill(0);
    for (let half = 1, stride = size >> 1; half < size; half <<= 1, stride >>= 1) {
      for (let start = 0; start < size; start += 2 * half) {
        for (let k = 0; k < half; k++) {
          const c = cos[k * stride], s = sin[k * stride], a = start + k, b = a + half;
          const r = re[b] * c + im[b] * s, i = im[b] * c - re[b] * s;
          re[b] = re[a] - r; im[b] = im[a] - i; re[a] += r; im[a] += i;
        }
      }
    }
    for (let k = 0; k < out.length; k++) out[k] = re[k] * re[k] + im[k] * im[k];
    return out;
  }
}

const hann = (size) => Float64Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));

function dot(weights, at, values) {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += weights[at + i] * values[i];
  return sum;
}

// The shape of the network, as its file has it: channels in and out, stride; all kernels are three wide, padded by one.
const LAYERS = [[129, 128, 1], [128, 64, 2], [64, 64, 2], [64, 128, 1]];
const HIDDEN = 128, EAR_RATE = 16000, EAR_FRAME = 512, EAR_CONTEXT = 64, EAR_LEAD = 64;
const EAR_AT_ONCE = 12; // frames, a millisecond each: all that waited at once would hold up the sound, and the coach

/** Probability of speech in each 32 ms of sound at 16 kHz: the network of vcnb.measure.speech, and its way of feeding it. */
class SpeechNetwork {
  constructor(weights) {
    let at = 0;
    const take = (n) => weights.subarray(at, (at += n));
    this.layers = LAYERS.map(([n_in, n_out, stride]) => ({ n_in, n_out, stride, weight: take(n_out * n_in * 3), bias: take(n_out) }));
    [this.input, this.recurrent, this.biases] = [take(4 * HIDDEN * HIDDEN), take(4 * HIDDEN * HIDDEN), take(8 * HIDDEN)];
    [this.output, this.offset] = [take(HIDDEN), take(1)[0]];
    [this.fourier, this.window] = [new Fourier(256), hann(256)];
    this.reset();
  }

  reset() {
    [this.h, this.c] = [new Float32Array(HIDDEN), new Float32Array(HIDDEN)];
    [this.kept, this.context, this.led, this.probabilities] = [new Float32Array(0), new Float32Array(EAR_CONTEXT), 0, []];
  }

  /** Take sound. Its first two seconds are heard once to wake the network, then again, a little with each push. */
  push(samples, last = false) {
    const all = new Float32Array(this.kept.length + samples.length), frame = (at) => all.subarray(at, at + EAR_FRAME);
    all.set(this.kept);
    all.set(samples, this.kept.length);
    let left = last ? Infinity : EAR_AT_ONCE, at = 0;
    for (; this.led < EAR_LEAD && (this.led + 1) * EAR_FRAME <= all.length && left; left--) this.hear(frame(EAR_FRAME * this.led++));
    if (this.led < EAR_LEAD && !last) return void (this.kept = all);
    for (; at + EAR_FRAME <= all.length && left; left--, at += EAR_FRAME) this.probabilities.push(this.hear(frame(at)));
    this.kept = all.slice(at);
    if (last && this.kept.length) {
      const padded = new Float32Array(EAR_FRAME);
      padded.set(this.kept);
      this.probabilities.push(this.hear(padded));
    }
  }

  hear(frame) {
    const sound = new Float32Array(EAR_CONTEXT + EAR_FRAME + 64), n = EAR_CONTEXT + EAR_FRAME;
    sound.set(this.context);
    sound.set(frame, EAR_CONTEXT);
    for (let i = 0; i < 64; i++) sound[n + i] = sound[n - 2 - i]; // reflected
    this.context = frame.slice(EAR_FRAME - EAR_CONTEXT);
    let values = [0, 1, 2, 3].map((k) => this.fourier.power(sound, 128 * k, this.window, new Float32Array(129)).map(Math.sqrt));
    for (const layer of this.layers) values = this.convolve(layer, values);
    return this.remember(values[0]);
  }

  /** Columns of channels, one a moment. */
  convolve({ n_in, n_out, stride, weight, bias }, columns) {
    const out = [], patch = new Float32Array(3 * n_in);
    for (let at = 0; at < columns.length; at += stride) {
      for (let k = 0; k < 3; k++) {
        const column = columns[at + k - 1];
        for (let i = 0; i < n_in; i++) patch[3 * i + k] = column ? column[i] : 0;
      }
      out.push(Float32Array.from({ length: n_out }, (_, o) => Math.max(0, bias[o] + dot(weight, 3 * n_in * o, patch))));
    }
    return out;
  }

  remember(values) {
    const { h, c, input, recurrent, biases } = this, squash = (x) => 1 / (1 + Math.exp(-x));
    const gate = (row) => dot(input, row * HIDDEN, values) + dot(recurrent, row * HIDDEN, h) + biases[row] + biases[4 * HIDDEN + row];
    const next = new Float32Array(HIDDEN);
    let sum = this.offset;
    for (let i = 0; i < HIDDEN; i++) {
      const [open, out, keep] = [gate(i), gate(HIDDEN + i), gate(2 * HIDDEN + i)].map(squash);
      c[i] = keep * c[i] + open * Math.tanh(gate(3 * HIDDEN + i));
      next[i] = out * Math.tanh(c[i]);
      sum += this.output[i] * Math.max(0, next[i]);
    }
    this.h = next;
    return squash(sum);
  }
}
