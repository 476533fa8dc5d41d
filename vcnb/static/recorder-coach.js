// The live coach: the measures of the kernel, made again in the browser, so that they go on while a cell runs.
// Every figure follows the Python module named beside it; what cannot be judged yet is null and is not shown.

const HOP_S = 0.01; // seconds, of all frames
const BREATH_S = 0.5; // diagnose/checks/continuous_speech: a shorter break does not break a run
const BRIDGE_FRAMES = 10; // measure/speech: a shorter gap is a stop consonant, and a shorter stretch no speech
const decibels = (power) => 10 * Math.log10(power);

/** The numbers around a sorted middle, as numpy's percentile gives them. */
function percentile(values, share) {
  const sorted = Float64Array.from(values).sort(), at = ((sorted.length - 1) * share) / 100, low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}

/** Stretches in which `flag` holds, as [first, after the last]. */
function runsOf(n, flag) {
  const runs = [];
  for (let i = 0, start = -1; i <= n; i++) {
    if (i < n && flag(i)) start = start < 0 ? i : start;
    else if (start >= 0) {
      runs.push([start, i]);
      start = -1;
    }
  }
  return runs;
}

/** A list of frames that grows and stays flat. */
class Grown {
  constructor() { [this.values, this.length] = [new Float32Array(1024), 0]; }
  add(values) {
    if (this.length + values.length > this.values.length) {
      const larger = new Float32Array(2 * (this.length + values.length));
      larger.set(this.values.subarray(0, this.length));
      this.values = larger;
    }
    this.values.set(values, this.length);
    this.length += values.length;
  }
  view() { return this.values.subarray(0, this.length); }
}

// measure/loudness: numerator and denominator of its two filters at 48 kHz.
const K_FILTERS = [
  [[1.53512485958697, -2.69169618940638, 1.19839281085285], [1, -1.69065929318241, 0.73248077421585]],
  [[1, -2, 1], [1, -1.99004745483398, 0.99007225036621]],
];

function loudnessWeight(hz) {
  const angle = (-2 * Math.PI * Math.min(hz, 24000)) / 48000;
  const size = (terms) => terms.reduce((sum, v, k) => sum + v * Math.cos(k * angle), 0) ** 2 + terms.reduce((sum, v, k) => sum + v * Math.sin(k * angle), 0) ** 2;
  return K_FILTERS.reduce((weight, [over, under]) => (weight * size(over)) / size(under), 1);
}

class Coach {
  /** `weights` of the speech network, or null where they have not come: then nothing is said about speech. */
  constructor(rate, weights) {
    this.rate = rate;
    this.network = weights && new SpeechNetwork(weights);
    this.narrow = new Resampler(rate, EAR_RATE);
    this.sound = new Grown();
    // measure/stft: windows of a power of two of at least 21 ms, 10 ms apart, around each frame's middle.
    this.size = 2 ** Math.ceil(Math.log2(0.021 * rate));
    this.hop = Math.max(1, Math.round(HOP_S * rate));
    [this.fourier, this.window] = [new Fourier(this.size), hann(this.size)];
    const bin = rate / this.size, n_bins = this.size / 2 + 1;
    this.scale = 2 / (this.window.reduce((sum, v) => sum + v * v, 0) * this.size);
    this.bins = new Float64Array(n_bins);
    this.weight = Float64Array.from({ length: n_bins }, (_, k) => loudnessWeight(k * bin));
    // measure/noise: its band, and in it groups of four bins.
    [this.low, this.high] = [Math.ceil(100 / bin), Math.min(n_bins, Math.ceil(8000 / bin))];
    this.n_groups = Math.max(1, Math.floor((this.high - this.low) / 4));
    [this.band, this.loud, this.groups] = [new Grown(), new Grown(), new Grown()];
    [this.tops, this.bottoms, this.starts, this.peak] = [[], [], [], 0];
  }

  get seconds() { return this.sound.length / this.rate; }

  /** Get ears while sound is under way: what was said so far is heard over the next blocks. */
  attach(weights) {
    this.network = new SpeechNetwork(weights);
    this.network.push(this.narrow.push(this.sound.view()));
  }

  /** Take 16-bit samples, as they are sent. */
  push(steps) {
    const samples = Float32Array.from(steps, (v) => v / 32768);
    this.sound.add(samples);
    for (let at = 0; at < steps.length; at += 256) {
      let top = -Infinity, bottom = Infinity;
      for (let i = at; i < Math.min(at + 256, steps.length); i++) {
        if (steps[i] > top) top = steps[i];
        if (steps[i] < bottom) bottom = steps[i];
      }
      this.tops.push(top);
      this.bottoms.push(bottom);
      this.starts.push(this.sound.length - samples.length + at);
      this.peak = Math.max(this.peak, top, -bottom);
    }
    this.network?.push(this.narrow.push(samples));
    this.frames(false);
  }

  /** Hear the end as the kernel does, with silence after it. */
  end() {
    this.network?.push(this.narrow.end());
    this.network?.push(new Float32Array(0), true);
    this.frames(true);
    return this;
  }

  frames(last) {
    const samples = this.sound.view(), groups = new Float32Array(this.n_groups);
    for (let i = this.band.length; ; i++) {
      const middle = i * this.hop;
      if (last ? middle > samples.length : middle + this.size / 2 > samples.length) return;
      const power = this.fourier.power(samples, middle - this.size / 2, this.window, this.bins);
      let band = 0, loud = 0;
      groups.fill(0);
      for (let k = 0; k < power.length; k++) {
        const here = power[k] * this.scale;
        loud += here * this.weight[k];
        if (k < this.low || k >= this.high) continue;
        band += here;
        if ((k - this.low) >> 2 < this.n_groups) groups[(k - this.low) >> 2] += here;
      }
      this.band.add([band]);
      this.loud.add([loud]);
      this.groups.add(groups);
    }
  }

  /** Probability of speech at a time: measure/speech, straight lines between the middles of its frames. */
  speechAt(seconds) {
    const coarse = this.network.probabilities, at = seconds / (EAR_FRAME / EAR_RATE) - 0.5, low = Math.floor(at);
    if (low < 0) return coarse[0];
    if (low >= coarse.length - 1) return coarse[coarse.length - 1];
    return coarse[low] + (at - low) * (coarse[low + 1] - coarse[low]);
  }

  /** measure/speech: where somebody speaks, in seconds; null where nobody can tell. */
  segments() {
    if (!this.network?.probabilities.length) return null;
    // Live, the network lags behind the sound by what it holds back: judge as far as it heard.
    const heard = Math.min(this.seconds, (this.network.probabilities.length * EAR_FRAME) / EAR_RATE);
    const n = Math.floor(heard / HOP_S) + 1, speaking = Array.from({ length: n }, (_, i) => this.speechAt(i * HOP_S) > 0.5);
    for (const [start, end] of runsOf(n, (i) => !speaking[i])) {
      if (start > 0 && end < n && end - start < BRIDGE_FRAMES) speaking.fill(true, start, end);
    }
    return runsOf(n, (i) => speaking[i]).filter(([start, end]) => end - start >= BRIDGE_FRAMES)
      .map(([start, end]) => [start * HOP_S, Math.min(end * HOP_S, this.seconds)]);
  }

  /** measure/loudness, in LUFS; null below its first block and for silence. */
  loudness() {
    const frames = this.loud.view(), blocks = [];
    for (let at = 0; at + 40 <= frames.length; at += 10) {
      let sum = 0;
      for (let i = at; i < at + 40; i++) sum += frames[i];
      blocks.push(sum / 40);
    }
    const lufs = (power) => -0.691 + decibels(Math.max(power, 1e-20)), mean = (list) => list.reduce((sum, v) => sum + v, 0) / list.length;
    const audible = blocks.filter((power) => lufs(power) > -70);
    if (!audible.length) return null;
    const gate = lufs(mean(audible)) - 10;
    return lufs(mean(audible.filter((power) => lufs(power) > gate)));
  }

  /** measure/noise: voice above room in dB, at most 99 as the check has it; null where hardly anybody speaks. */
  snr() {
    const band = this.band.view(), n = band.length;
    const chance = Float32Array.from({ length: n }, (_, i) => this.speechAt((i * this.hop) / this.rate));
    let said = 0, n_said = 0;
    for (let i = 0; i < n; i++) if (chance[i] > 0.6) [said, n_said] = [said + band[i], n_said + 1];
    if (n_said < 30) return null;
    const noise = this.room(chance) ?? this.quietest();
    return noise <= 1e-14 ? 99 : Math.min(99, decibels(Math.max(said / n_said - noise, 1e-12) / noise));
  }

  room(chance) {
    const band = this.band.view(), pauses = runsOf(chance.length, (i) => chance[i] < 0.25);
    const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;
    let inner = [];
    for (const guard of [15, 10, 6]) {
      inner = pauses.map(([start, end]) => Array.from(band.subarray(start + guard, Math.max(start + guard, end - guard)))).filter((pause) => pause.length);
      if (inner.flat().length >= 40) break;
    }
    if (inner.flat().length < 10) return null;
    // The loudest pause may be a word that the network missed.
    const means = inner.map(mean), loudest = means.indexOf(Math.max(...means)), others = inner.filter((_, i) => i !== loudest);
    return mean((others.length >= 2 && others.flat().length >= 10 ? others : inner).flat());
  }

  quietest() {
    const { n_groups } = this, values = this.groups.view(), n = values.length / n_groups - 7;
    let total = 0;
    for (let k = 0; k < n_groups; k++) {
      const smooth = new Float64Array(n);
      let sum = 0;
      for (let i = 0; i < n + 6; i++) {
        sum += values[i * n_groups + k];
        if (i < 6) continue;
        smooth[i - 6] = sum / 7;
        sum -= values[(i - 6) * n_groups + k];
      }
      total += percentile(smooth, 8);
    }
    return total * 1.3;
  }

  /** Seconds since anything sounded: so long all was 17 dB below the mean of the take, which speech makes. */
  hush() {
    const band = this.band.view(), most = 0.02 * (band.reduce((sum, v) => sum + v, 0) / band.length);
    let n = 0;
    while (n < band.length && band[band.length - 1 - n] < most) n++;
    return n * HOP_S;
  }

  /** audio/clipping: places where samples stay at the extreme. */
  clipped() {
    const shortest = Math.max(2, Math.round((3 / 48000) * this.rate)), places = [], samples = this.sound.view();
    for (const [sign, blocks] of [[1, this.tops], [-1, this.bottoms]]) {
      const extreme = blocks.reduce((most, v) => Math.max(most, sign * v), 0);
      if (extreme / 32768 < 0.01) continue;
      const ceiling = extreme - Math.max(1, 2e-4 * extreme);
      let length = 0, before = -1;
      const close = (at) => {
        if (length >= shortest) places.push([(at - length) / this.rate, at / this.rate]);
        length = 0;
      };
      blocks.forEach((block, b) => {
        if (sign * block < ceiling) return;
        const [from, to] = [this.starts[b], this.starts[b + 1] ?? samples.length];
        if (before !== from) close(before);
        for (let i = from; i < to; i++) if (sign * samples[i] * 32768 >= ceiling) length++; else close(i);
        before = to;
      });
      close(before);
    }
    const joined = [];
    for (const place of places.sort((a, b) => a[0] - b[0])) {
      const last = joined[joined.length - 1];
      if (last && place[0] - last[1] < HOP_S) last[1] = Math.max(last[1], place[1]);
      else joined.push(place);
    }
    return joined;
  }

  /** All that can be said by now. */
  figures() {
    const segments = this.segments(), sum = (list) => list.reduce((total, [start, end]) => total + end - start, 0);
    const speech = segments && sum(segments), runs = [];
    let pause = segments?.length ? 0 : null;
    for (const [i, [start, end]] of (segments ?? []).entries()) {
      const gap = i ? start - segments[i - 1][1] : Infinity;
      if (i) pause = Math.max(pause, gap);
      if (gap <= BREATH_S + 1e-9) runs[runs.length - 1][1] = end;
      else runs.push([start, end]);
    }
    return {
      seconds: this.seconds,
      speech,
      run: segments && Math.max(0, ...runs.map(([start, end]) => end - start)),
      pause,
      loudness: this.loudness(),
      clipped: this.sound.length ? this.clipped().length : null,
      peak: this.peak ? 20 * Math.log10(this.peak / 32768) : null,
      snr: speech >= 3 ? this.snr() : null, // diagnose/checks/noise: less tells too little
      // A word that begins is loud before it is speech to the network.
      still: segments && Math.min(this.hush(), this.seconds - (segments.length ? segments[segments.length - 1][1] : 0)),
    };
  }
}

/** The empty room: measure/level and measure/hum over a few seconds of silence. */
function roomFigures(samples, rate) {
  const length = Math.round(0.02 * rate), powers = [];
  for (let at = 0; at + length <= samples.length; at += length) {
    let sum = 0;
    for (let i = at; i < at + length; i++) sum += samples[i] * samples[i];
    powers.push(sum / length);
  }
  const loudest = Math.max(...powers), active = powers.filter((power) => power > loudest * 10 ** -3.5);
  const noise = loudest > 0 ? decibels(active.reduce((sum, v) => sum + v, 0) / active.length) : null;
  return { noise, ...humOf(samples, rate) };
}

function humOf(samples, rate) {
  const resampler = new Resampler(rate, 1000), parts = [resampler.push(samples), resampler.end()];
  const narrow = Float64Array.from([...parts[0], ...parts[1]]), mean = narrow.reduce((sum, v) => sum + v, 0) / narrow.length;
  const size = 2000, window = Float64Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / (size - 1)));
  const scale = 1 / ((window.reduce((sum, v) => sum + v * v, 0) * size) / 2);
  const turn = Float64Array.from({ length: size }, (_, i) => Math.cos((2 * Math.PI * i) / size));
  const quiet = (bin) => {
    const powers = [];
    for (let at = 0; at + size <= narrow.length; at += 250) {
      let re = 0, im = 0;
      for (let i = 0; i < size; i++) {
        const value = (narrow[at + i] - mean) * window[i], place = (bin * i) % size;
        re += value * turn[place];
        im += value * turn[(place + 1500) % size];
      }
      powers.push((re * re + im * im) * scale);
    }
    return percentile(powers, 10);
  };
  let best = { height: 0 };
  for (const mains of narrow.length >= size ? [50, 60] : []) {
    let power = 0;
    const heights = [];
    for (let harmonic = 1; harmonic <= 8; harmonic++) {
      const at = (harmonic * mains * size) / 1000, near = [], around = [];
      for (let bin = at - 24; bin <= Math.min(at + 24, size / 2); bin++) (Math.abs(bin - at) <= 2 ? near : around).push(quiet(bin));
      const floor = percentile(around, 50);
      heights.push(Math.min(30, Math.max(0, decibels((Math.max(...near) + 1e-16) / (floor + 1e-16)))));
      if (heights[harmonic - 1] > 10) power += Math.max(0, near.reduce((sum, v) => sum + v, 0) - floor * near.length);
    }
    const height = heights.sort((a, b) => b - a).slice(0, 4).reduce((sum, v) => sum + v, 0) / 4;
    if (height > best.height) best = { height, mains, hum: decibels(power + 1e-20) };
  }
  return best.height < 14 ? { mains: 0, hum: null } : { mains: best.mains, hum: best.hum };
}
