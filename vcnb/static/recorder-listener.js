// The thread that listens: it takes the microphone's sound, finds what got lost, coaches, and gives the page 16-bit blocks.
// It runs in a worker, behind recorder-ear.js and recorder-coach.js: a page that is busy delays nothing here.

const BLOCK_FRAMES = 2048; // 43 ms at 48 kHz: the meter and the coach move more than ten times a second
const WHOLE = 0.05; // of a step; how far samples of a 16-bit device lie from whole ones
const SLIP_MS = 15; // ours: two of the browser's own 10 ms buffers; clocks of sound cards part by 6 ms a minute at most
const QUANTUM = 128; // samples that the browser fills with zeros at once where it has none
const AMID_SOUND = 30 / 32768; // quieter surroundings are a gate of the device, that silences its pauses
const SETTLED_MS = 500; // the blocks of so long show by their earliest how late the sound itself is

/**
 * Finds where sound was lost before it reached us. What went missing shows as sound that comes later by the clock from
 * there on; what the browser filled in shows as a stretch of zeros amid sound.
 */
class SlipWatch {
  constructor(rate) { [this.rate, this.n, this.windows, this.filled, this.at, this.zeros] = [rate, 0, [], [], 0, 0]; }

  /** So many samples more, the last of them heard at `time` in ms; `samples` are all of the take. */
  add(n_samples, time, samples) {
    const start = this.n / this.rate;
    this.n += n_samples;
    const late = time - (1000 * this.n) / this.rate, here = this.windows[this.windows.length - 1];
    if (!here || time - here.since >= SETTLED_MS) this.windows.push({ since: time, start, end: this.n / this.rate, late });
    else here.late = Math.min(here.late, late);
    this.lookForZeros(samples);
  }

  lookForZeros(samples) {
    const near = Math.round(0.005 * this.rate);
    const loud = (from, to) => samples.subarray(Math.max(0, from), to).some((v) => Math.abs(v) > AMID_SOUND);
    for (; this.at + near <= samples.length; this.at++) {
      if (samples[this.at] === 0) { this.zeros++; continue; }
      const from = this.at - this.zeros;
      if (this.zeros >= QUANTUM && loud(from - near, from) && loud(this.at, this.at + near)) {
        this.filled.push({ start: from / this.rate, end: this.at / this.rate, lost: this.zeros / this.rate });
      }
      this.zeros = 0;
    }
  }

  /** All slips so far: between which times, and how much was lost, in seconds; `over`: no more sound comes. */
  slips(over) {
    const windows = over ? this.windows : this.windows.slice(0, -1), lates = windows.map(({ late }) => late), slips = [...this.filled];
    // A block may come late and the next in time again: late for good is only what stays so to the end.
    for (let i = lates.length - 2; i >= 0; i--) lates[i] = Math.min(lates[i], lates[i + 1]);
    for (let i = 1; i < lates.length; i++) {
      const lost = lates[i] - lates[i - 1];
      if (lost > SLIP_MS) slips.push({ start: windows[i - 1].start, end: windows[i].end, lost: lost / 1000 });
    }
    return slips.sort((a, b) => a.start - b.start);
  }
}

/** What the page asks of this thread, by the name of its message, and what it tells the page. */
class Listener {
  constructor(tell) {
    [this.tell, this.block, this.n, this.top, this.weights] = [tell, new Float32Array(BLOCK_FRAMES), 0, 32768, null];
    [this.coach, this.room, this.left, this.rested, this.said] = [null, null, 0, 0, "[]"];
  }

  /** Frames of the browser, each with the device's time. */
  async frames({ readable }) {
    const reader = readable.getReader();
    for (let frame; (frame = (await reader.read()).value); frame.close()) {
      const { numberOfFrames, numberOfChannels, sampleRate } = frame, samples = new Float32Array(numberOfFrames), one = new Float32Array(numberOfFrames);
      for (let planeIndex = 0; planeIndex < numberOfChannels; planeIndex++) {
        frame.copyTo(one, { planeIndex, format: "f32-planar" });
        for (let i = 0; i < samples.length; i++) samples[i] += one[i] / numberOfChannels;
      }
      this.hear(samples, sampleRate, frame.timestamp / 1000 + (1000 * numberOfFrames) / sampleRate);
    }
  }

  /** Where there are none: what the audio thread collects, with the time of day. */
  port({ port, rate }) { port.onmessage = ({ data }) => this.hear(data.samples, rate, data.time); }

  /** The coach's numbers; they may come while sound is under way. */
  ears({ weights }) {
    this.weights = weights;
    this.coach?.attach(weights);
  }

  /** From here on all is kept, so many seconds at most. */
  keep({ longest }) {
    this.begin();
    this.left = Math.floor(longest * this.rate);
  }

  /** Listen to the room for so long. */
  check({ seconds }) {
    this.begin();
    [this.room, this.left] = [true, Math.round(seconds * this.rate)];
  }

  begin() {
    [this.n, this.coach, this.watch, this.rested, this.said] = [0, new Coach(this.rate, this.weights), new SlipWatch(this.rate), 0, "[]"];
  }

  halt() {
    if (this.left) this.flush();
    this.left = 0;
    this.tell({ type: "halted", slips: this.watch?.slips(true) ?? [] });
  }

  hear(samples, rate, time) {
    this.rate = rate;
    for (let at = 0; at < samples.length; ) {
      const part = samples.subarray(at, at + this.block.length - this.n);
      this.block.set(part, this.n);
      [this.n, at] = [this.n + part.length, at + part.length];
      this.time = time - (1000 * (samples.length - at)) / rate;
      if (this.n === this.block.length) this.flush();
    }
  }

  flush() {
    if (!this.n) return;
    const kept = this.left > 0, steps = this.stepsOf(this.block.subarray(0, kept ? Math.min(this.n, this.left) : this.n));
    this.n = 0;
    const told = kept ? this.judge(steps) : {};
    this.tell({ type: "block", steps, rate: this.rate, kept, ...told }, [steps.buffer]);
    if (kept && this.room && !this.left) this.tellRoom();
  }

  /** What is to be said of a kept block: figures where there is time for them, slips where there are new ones. */
  judge(steps) {
    const { coach, watch } = this;
    this.left -= steps.length;
    coach.push(steps);
    watch.add(steps.length, this.time, coach.sound.view());
    const slips = watch.slips(false), news = JSON.stringify(slips), fresh = news !== this.said && { slips };
    this.said = news;
    const begun = performance.now();
    if (this.room || begun < this.rested) return { ...fresh };
    const figures = coach.figures(), over = performance.now();
    this.rested = over + (over - begun); // as long as they took: sound comes first
    return { ...fresh, figures };
  }

  tellRoom() {
    const { coach, rate } = this, spoken = coach.end().figures().speech ?? 0;
    this.tell({ type: "room", room: { ...roomFigures(coach.sound.view(), rate), spoken } });
    this.room = null;
  }

  // A 16-bit device comes back as it was: some browsers made its upper half from 32767 steps and some from 32768. Which,
  // shows in loud samples, as those of one kind then are whole numbers of steps; of finer devices none are.
  stepsOf(samples) {
    const whole = [32767, 32768].map((top) => {
      let sum = 0, n = 0;
      for (const sample of samples) if (sample > 0.25) [sum, n] = [sum + Math.abs(sample * top - Math.round(sample * top)), n + 1];
      return n ? sum / n : 1;
    });
    if (Math.min(...whole) < WHOLE) this.top = whole[0] < whole[1] ? 32767 : 32768;
    return Int16Array.from(samples, (v) => Math.max(-32768, Math.min(32767, Math.round(v * (v > 0 ? this.top : 32768)))));
  }
}
