// What plays: one or several sounds at the same instant, of which one is heard; with a region, a loop and a speed.

const FADE = 0.005; // seconds; a switch without a click
const FRAME = 0.03; // seconds of sound that are laid over one another to change the speed, and how far they may move
const SHIFT = 0.008;
const GROWN_MS = 200;

/** Sound at another speed and the same pitch: frames laid over one another where they fit best (WSOLA). */
function stretched(samples, rate, speed) {
  if (speed === 1) return samples;
  const n = 2 * Math.round((rate * FRAME) / 2), hop = n / 2, reach = Math.round(rate * SHIFT);
  const length = Math.ceil(samples.length / speed), out = new Float32Array(length + n);
  const shape = Float32Array.from({ length: n }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n));
  const likeness = (from, to) => {
    let sum = 0;
    for (let i = 0; i < hop; i += 4) sum += (samples[from + i] ?? 0) * (samples[to + i] ?? 0);
    return sum;
  };
  let next = 0; // where the last frame would have gone on
  for (let at = 0; at < length; at += hop) {
    const ideal = Math.round(at * speed);
    let best = ideal, most = -Infinity;
    const look = (from) => { const like = likeness(next, from); if (like > most) [best, most] = [from, like]; };
    if (at) {
      for (let from = ideal - reach; from <= ideal + reach; from += 4) look(from);
      for (let from = best - 3, last = best + 3; from <= last; from++) look(from);
    }
    for (let i = 0; i < n; i++) out[at + i] += (samples[best + i] ?? 0) * (at === 0 && i < hop ? 1 : shape[i]);
    next = best + hop;
  }
  return out.subarray(0, length);
}

class Deck extends EventTarget {
  constructor(tapes) {
    super();
    Object.assign(this, { tapes, active: 0, offset: 0, speed: 1, region: null, looping: false, views: 0, node: null, failed: null });
    for (const tape of tapes) {
      tape.addEventListener("failed", () => { this.failed = tape.failed; this.tell("failed"); });
      for (const name of ["loaded", "learnt"]) tape.addEventListener(name, () => this.tell(name));
      tape.addEventListener("grown", () => this.grow());
    }
    this.stream = tapes[0].live ? new Stream(tapes[0], this) : null;
    this.stream?.addEventListener("state", () => this.streamed());
    this.addEventListener("loaded", () => this.stream?.idle && this.stream.end()); // it never sounded here: an ordinary clip
    this.stream?.addEventListener("figures", () => this.tell("figures"));
  }

  get tape() { return this.tapes[this.active]; }
  get facts() { return this.tape.facts; }
  get samples() { return this.tape.samples; }
  get duration() { return Math.max(...this.tapes.map((tape) => tape.duration)); }
  get streaming() { return this.stream !== null && this.stream.state !== "ended"; }
  get whole() { return this.tapes.every((tape) => tape.samples); }
  get playing() { return this.node !== null || Boolean(this.stream?.running); }
  get position() {
    if (this.streaming) return this.stream.position;
    if (!this.node) return this.offset;
    const at = this.startedFrom + Math.max(0, this.context.currentTime - this.startedAt) * this.speed;
    const { from, to } = this.region ?? { from: 0, to: this.duration };
    if (this.looping && at > to) return from + ((at - from) % (to - from));
    return Math.min(at, this.duration);
  }

  tell(name) { this.dispatchEvent(new Event(name)); }

  /** Pieces come up to fifty times a second; what is seen of them needs no more than five. */
  grow() {
    this.growing ??= setTimeout(() => { this.growing = null; this.tell("grown"); }, GROWN_MS);
  }

  load() { return Promise.all(this.tapes.map((tape) => tape.load())); }

  /** Somebody sees it: what has come already may be heard. */
  attend() {
    this.views += 1;
    this.stream?.begin();
  }

  streamed() {
    const { state, position } = this.stream;
    if (state === "ended") this.offset = position;
    if ((state === "ended" || state === "elsewhere") && page.sounding === this) page.sounding = null;
    this.tell("state");
  }

  async toggle() {
    if (this.playing) this.pause();
    else await this.play();
  }

  async play() {
    if (this.streaming) return void (await this.stream.resume());
    // Made and woken inside the gesture; resume() is not awaited, as it may settle only with the next gesture.
    const context = (this.context = contextFor(Math.max(...this.tapes.map((tape) => tape.rate))));
    if (context.state === "suspended") context.resume();
    await this.load();
    if (this.playing || !this.duration) return;
    const { from, to } = this.region ?? { from: 0, to: this.duration };
    if (this.looping && (this.offset < from || this.offset >= to - 1e-3)) this.offset = from;
    else if (this.offset >= this.duration - 1e-3) this.offset = 0;
    takeTheFloor(this);
    this.start(this.offset);
    this.tell("state");
  }

  /** The samples of a tape at the speed, padded to the longest: loops stay together. */
  bufferOf(tape) {
    tape.speeds ??= new Map();
    const key = `${this.speed} ${this.duration}`;
    if (!tape.speeds.has(key)) {
      const buffer = this.context.createBuffer(1, Math.ceil((this.duration / this.speed) * tape.rate), tape.rate);
      buffer.copyToChannel(stretched(tape.samples, tape.rate, this.speed).subarray(0, buffer.length), 0);
      tape.speeds.set(key, buffer);
    }
    return tape.speeds.get(key);
  }

  /** The active one, turned down to the softest: louder would clip. The others run on unheard. */
  levelOf(i) {
    const known = this.tapes.map((tape) => tape.facts.lufs).filter((lufs) => typeof lufs === "number");
    const { lufs } = this.tapes[i].facts;
    if (i !== this.active) return 0;
    return this.tapes.length > 1 && typeof lufs === "number" ? 10 ** ((Math.min(...known) - lufs) / 20) : 1;
  }

  letterOf(i) { return "ABCDEFGH"[i]; }

  /** All start at one instant; only the active one is turned up. */
  start(offset) {
    const { context, speed } = this, when = context.currentTime, region = this.region ?? { from: 0, to: this.duration };
    if (this.looping && (offset < region.from || offset >= region.to)) offset = region.from;
    this.outs ??= this.tapes.map(() => {
      const out = context.createGain();
      out.connect(context.destination);
      return out;
    });
    const nodes = this.tapes.map((tape, i) => {
      const node = context.createBufferSource();
      node.buffer = this.bufferOf(tape);
      node.connect(this.outs[i]);
      this.outs[i].gain.value = this.levelOf(i);
      if (this.looping) Object.assign(node, { loop: true, loopStart: region.from / speed, loopEnd: region.to / speed });
      const until = !this.looping && this.region && offset < region.to ? [(region.to - offset) / speed] : [];
      node.start(when, offset / speed, ...until);
      return node;
    });
    [this.startedFrom, this.startedAt] = [offset, when];
    nodes[0].onended = () => nodes === this.node && this.halt(offset < region.to ? region.to : this.duration);
    this.node = nodes;
  }

  silence() {
    const nodes = this.node;
    this.node = null;
    nodes?.forEach((node) => node.stop());
  }

  halt(offset) {
    this.silence();
    this.offset = offset;
    if (page.sounding === this) page.sounding = null;
    this.tell("state");
  }

  pause() {
    if (this.node) this.halt(this.position);
    else if (this.stream?.running) {
      this.stream.pause();
      if (page.sounding === this) page.sounding = null;
    }
  }

  /** Stop the sound here and now; where it is still being made, its maker is told by the panel. */
  stop() {
    if (this.streaming) this.stream.end();
    else this.pause();
  }

  /** Change what plays without a pause, where it is. */
  change(change) {
    const at = this.position, sounding = this.node !== null;
    this.silence();
    this.offset = at;
    change();
    if (sounding && this.offset < this.duration) this.start(this.offset);
    this.tell("state");
  }

  seek(seconds) {
    if (this.streaming) {
      if (!this.whole) return;
      const sounding = this.playing;
      this.stream.end(); // all is here: from now on an ordinary clip
      this.offset = Math.min(Math.max(0, seconds), this.duration);
      if (sounding) this.play();
      return;
    }
    this.change(() => { this.offset = Math.min(Math.max(0, seconds), this.duration); });
  }

  setSpeed(speed) { this.change(() => { this.speed = speed; }); }
  setLooping(looping) { this.change(() => { this.looping = looping && this.duration > 0; }); }

  setRegion(from, to) {
    const [a, b] = [Math.max(0, Math.min(from, to)), Math.min(this.duration, Math.max(from, to))];
    this.change(() => { this.region = b - a >= 0.02 ? { from: a, to: b } : null; });
  }

  /** Hear another one from here on; it has been running all the time. */
  choose(i) {
    if (i === this.active || !this.tapes[i]) return;
    this.active = i;
    this.outs?.forEach((out, k) => out.gain.setTargetAtTime(this.levelOf(k), this.context.currentTime, FADE / 3));
    this.tell("chosen");
  }

  close() {
    clearTimeout(this.growing);
    this.pause();
    this.stream?.close();
    this.outs?.forEach((out) => out.disconnect());
  }
}
