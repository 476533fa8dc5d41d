// A clip as frequencies over time: mel from 40 Hz to 14 kHz, over 58 dB, in one map whose quiet end is the surface.

const MAP = {
  light: ["#ffffff", "#e6eef1", "#bcd7df", "#7fb4c8", "#438cae", "#2b628f", "#283a6c", "#1b1536"],
  dark: ["#212121", "#20303c", "#23475f", "#2a6c8c", "#3d97a6", "#69bfb0", "#b0dfc0", "#f4f8e0"],
};
const SPAN_DB = 58;
const TILT_DB = 3; // an octave; ours: speech falls about so much, and its highs should show
const SPECTRUM_WINDOW = 0.03; // seconds, at least: two harmonics of a low voice stay apart
const MEL = { low: 40, high: 14000 };
const toMel = (hz) => 2595 * Math.log10(1 + hz / 700);
const toHz = (mel) => 700 * (10 ** (mel / 2595) - 1);

/** Where a frequency lies on the axis, 0 at its foot. */
const melShare = (hz) => (toMel(hz) - toMel(MEL.low)) / (toMel(MEL.high) - toMel(MEL.low));

/** An in-place complex FFT of one length, its tables made once. */
function fftOf(n) {
  const turned = new Uint32Array(n), cos = new Float32Array(n / 2), sin = new Float32Array(n / 2);
  for (let i = 1; i < n; i++) turned[i] = (turned[i >> 1] >> 1) | (i & 1 ? n >> 1 : 0);
  for (let i = 0; i < n / 2; i++) [cos[i], sin[i]] = [Math.cos((2 * Math.PI * i) / n), -Math.sin((2 * Math.PI * i) / n)];
  return (re, im) => {
    for (let i = 0; i < n; i++) {
      const j = turned[i];
      if (j > i) [re[i], re[j], im[i], im[j]] = [re[j], re[i], im[j], im[i]];
    }
    for (let size = 2; size <= n; size *= 2) {
      const half = size / 2, stride = n / size;
      for (let start = 0; start < n; start += size) {
        for (let k = 0; k < half; k++) {
          const p = start + k, q = p + half, c = cos[k * stride], s = sin[k * stride];
          const r = re[q] * c - im[q] * s, i = re[q] * s + im[q] * c;
          re[q] = re[p] - r; im[q] = im[p] - i; re[p] += r; im[p] += i;
        }
      }
    }
  };
}

/** Bins of each row, from the lowest: a row narrower than a bin takes the nearest. */
function rowsOf(n, rate, nRows) {
  const [low, high] = [toMel(MEL.low), toMel(MEL.high)];
  return Array.from({ length: nRows }, (_, row) => {
    const edge = (at) => (toHz(low + ((high - low) * at) / nRows) * n) / rate;
    const from = Math.round(edge(row)), to = Math.max(from + 1, Math.round(edge(row + 1)));
    return { from, to: Math.min(to, n / 2), tilt: TILT_DB * Math.log2(toHz(low + ((high - low) * (row + 0.5)) / nRows) / 1000) };
  });
}

/** What makes columns: decibels from the lowest row up, of the two windows around `a` and `b`, into `out`. */
function melColumns(rate, nRows) {
  const n = 2 ** Math.ceil(Math.log2(SPECTRUM_WINDOW * rate)), fft = fftOf(n), rows = rowsOf(n, rate, nRows);
  const shape = Float32Array.from({ length: n }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n));
  const re = new Float32Array(n), im = new Float32Array(n);
  return (samples, a, b, out) => {
    for (let i = 0; i < n; i++) {
      re[i] = (samples[a - n / 2 + i] ?? 0) * shape[i]; // two real windows in one transform: their powers add up
      im[i] = (samples[b - n / 2 + i] ?? 0) * shape[i];
    }
    fft(re, im);
    rows.forEach(({ from, to, tilt }, row) => {
      let power = 0;
      for (let k = from; k < to; k++) power += re[k] ** 2 + im[k] ** 2 + re[(n - k) % n] ** 2 + im[(n - k) % n] ** 2;
      out[row] = to > from ? 10 * Math.log10(power / (to - from) / n + 1e-12) + tilt : -Infinity;
    });
  };
}

/** The map's colours in 256 steps, as the pixels of a picture. */
function mapColours(dark) {
  const stops = MAP[dark ? "dark" : "light"].map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  const colours = new Uint8ClampedArray(4 * 256).fill(255);
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * (stops.length - 1), low = Math.min(stops.length - 2, Math.floor(at));
    colours.set(stops[low].map((value, channel) => Math.round(value + (stops[low + 1][channel] - value) * (at - low))), 4 * i);
  }
  return new Uint32Array(colours.buffer);
}

/** A spectrogram that may grow: columns of `step` samples, each made once. */
class Plate {
  constructor(canvas, rate, step, nColumns, nRows) {
    const [r, g, b] = colour(canvas.parentElement, "--vc-surface").match(/[\d.]+/g).map(Number);
    Object.assign(this, { step, nColumns, nRows, n: 0, loudest: -90, column: melColumns(rate, nRows), colours: mapColours(luminance([r, g, b]) < 0.2) });
    [this.db, this.picture] = [new Float32Array(nColumns * nRows), new ImageData(nColumns, nRows)];
    [this.pixels, this.canvas] = [new Uint32Array(this.picture.data.buffer), h("canvas", { width: nColumns, height: nRows })];
  }

  /** Make columns of what there is now, at most so many; a column waits for all of its sound unless `over`. */
  add(samples, over, most = Infinity) {
    const { step, nRows } = this, first = this.n;
    let loudest = this.loudest;
    while (this.n < this.nColumns && this.n - first < most && (over || (this.n + 2) * step <= samples.length)) {
      const [a, b] = [0.25, 0.75].map((share) => Math.round((this.n + share) * step)), here = this.db.subarray(this.n * nRows, ++this.n * nRows);
      this.column(samples, a, b, here);
      loudest = here.reduce((most, value) => Math.max(most, value), loudest);
    }
    const from = loudest > this.loudest ? 0 : first; // all is drawn as loud as it is beside the loudest
    this.loudest = loudest;
    for (let column = from; column < this.n; column++) {
      for (let row = 0; row < nRows; row++) {
        const level = Math.max(0, Math.min(1, (this.db[column * nRows + row] - loudest + SPAN_DB) / SPAN_DB));
        this.pixels[(nRows - 1 - row) * this.nColumns + column] = this.colours[Math.round(level * 255)];
      }
    }
    if (this.n > from) this.canvas.getContext("2d").putImageData(this.picture, 0, 0, from, 0, this.n - from, nRows);
  }
}

/** Draw the first `share` of a canvas. */
function paintSpectrogram(canvas, samples, rate, share = 1) {
  const [pen, width, height] = sheet(canvas), nColumns = Math.max(1, Math.round(width * share));
  const plate = new Plate(canvas, rate, samples.length / nColumns, nColumns, Math.max(1, Math.round(height)));
  plate.add(samples, true);
  pen.drawImage(plate.canvas, 0, 0, nColumns, height);
}
