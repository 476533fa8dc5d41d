// A clip as a picture: an RMS core on its envelope, so that both level and peaks show.

// Ours: |x|^0.62 lifts quiet speech without hiding how quiet it is.
const LOUDNESS = 0.62;
const FULL = 0.9995; // a column that reaches full scale gets a red cap

/** Maximum, minimum and RMS of each of `n` columns. */
function columnsOf(samples, n) {
  const columns = new Float32Array(3 * n);
  for (let i = 0; i < n; i++) {
    const from = Math.floor((i * samples.length) / n);
    const to = Math.max(from + 1, Math.floor(((i + 1) * samples.length) / n));
    let up = 0, down = 0, power = 0;
    for (let k = from; k < to; k++) {
      const x = samples[k] ?? 0;
      if (x > up) up = x;
      if (x < down) down = x;
      power += x * x;
    }
    columns.set([up, -down, Math.sqrt(power / (to - from))], 3 * i);
  }
  return columns;
}

/** Fit a canvas to its box at the screen's resolution. */
function sheet(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  return [pen, width, height];
}

const OUTLINE = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"; // one digit a column: widgets/still.py

/** Draw what is known of a clip before its samples are here. */
function paintOutline(canvas, outline, share = 1, token = "--vc-wave-soft") {
  const [pen, width, height] = sheet(canvas), middle = height / 2, step = (width * share) / Math.max(1, outline.length);
  pen.fillStyle = colour(canvas.parentElement, token);
  [...outline].forEach((digit, i) => {
    const half = Math.max(0.5, (OUTLINE.indexOf(digit) / 63) * (middle - 2));
    pen.fillRect(i * step, middle - half, Math.max(0.6, step * 0.98), 2 * half);
  });
}

/** Draw the clip over the canvas, or over its first `share`; `core` and `envelope` are tokens. */
function paintWave(canvas, samples, core, envelope, share = 1) {
  const [pen, full, height] = sheet(canvas), draw = waveBars(canvas, pen, height, core, envelope);
  pen.fillRect(0, height / 2 - 0.5, full, 1);
  const n = Math.max(1, Math.min(Math.round(full * share * 1.5), samples.length));
  draw(columnsOf(samples, n), 0, (full * share) / n);
}

/** What draws columns from `left` on, each `step` wide; until then the pen has the colour of the line in the middle. */
function waveBars(canvas, pen, height, core, envelope) {
  const at = canvas.parentElement; // a canvas lays out no children, so a probe for colours goes beside it
  const [soft, hard, full, line] = [envelope, core, "--vc-fail", "--vc-line"].map((token) => colour(at, token)), middle = height / 2;
  pen.fillStyle = line;
  return (peaks, left, step) => {
    const columns = peaks.map((v) => v ** LOUDNESS * (middle - 2)), bar = Math.max(step * 0.98, 0.6), n = peaks.length / 3;
    pen.fillStyle = soft;
    for (let i = 0; i < n; i++) pen.fillRect(left + i * step, middle - columns[3 * i], bar, columns[3 * i] + columns[3 * i + 1]);
    pen.fillStyle = hard;
    for (let i = 0; i < n; i++) pen.fillRect(left + i * step, middle - columns[3 * i + 2], bar, 2 * columns[3 * i + 2]);
    pen.fillStyle = full;
    for (let i = 0; i < n; i++) {
      if (peaks[3 * i] >= FULL) pen.fillRect(left + i * step, 0, Math.max(bar, 2), 3);
      if (peaks[3 * i + 1] >= FULL) pen.fillRect(left + i * step, height - 3, Math.max(bar, 2), 3);
    }
  };
}

/** A row's small picture: bars that tell one clip from another, so each is as tall as its own loudest sound. */
function paintMini(canvas, samples) {
  const [pen, width, height] = sheet(canvas);
  const n = Math.max(1, Math.floor(width / 2));
  const columns = columnsOf(samples, n);
  const loudest = columns.reduce((most, v) => Math.max(most, v), 1e-4);
  pen.fillStyle = colour(canvas.parentElement, "--vc-wave");
  for (let i = 0; i < n; i++) {
    const size = Math.max(1, (Math.max(columns[3 * i], columns[3 * i + 1]) / loudest) ** 0.7 * height);
    pen.fillRect(i * 2, (height - size) / 2, 1.2, size);
  }
}
