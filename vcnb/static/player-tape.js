// How sound gets here from the kernel: in ranges this page asks for, or in pieces that are pushed as they arrive.
// Every message names where its samples begin; a hole is asked for again, and what comes twice changes nothing.

const UNDER_WAY = 4; // ranges asked for and not yet here
const RANGE = 1 << 18; // samples of one message
const AGAIN_MS = 4000; // a server under load drops messages: ask again for what does not come
const HOLE_MS = 60; // a push that is late overtakes nothing: a hole of this age was dropped

/** The sounds of one model; answers go to every open tab, those for this one bear its mark. */
class Link {
  constructor(model, signal) {
    this.model = model;
    this.client = Math.random().toString(36).slice(2);
    this.tapes = new Map();
    model.on("msg:custom", (message, buffers) => this.receive(message, buffers));
    signal?.addEventListener("abort", () => this.tapes.forEach((tape) => tape.close()));
  }

  add(facts) {
    if (!this.tapes.has(facts.key)) this.tapes.set(facts.key, new Tape(this, facts));
    return this.tapes.get(facts.key);
  }

  send(message) { order(this.model, { ...message, client: this.client }); }

  hello() {
    try { this.send({ type: "hello" }); } catch { /* a saved notebook without its kernel: said when somebody plays */ }
  }

  receive(message, buffers) {
    if (message.client && message.client !== this.client) return;
    const tape = this.tapes.get(message.key);
    if (message.type === "sound") tape?.take(message, buffers[0]);
    if (message.type === "sound.state") tape?.learn(message);
  }
}

/** The samples of one sound. `have` of them are here without a hole; `samples` is null until all are. */
class Tape extends EventTarget {
  constructor(link, facts) {
    super();
    Object.assign(this, { link, facts, key: facts.key, live: facts.live, streamed: facts.live });
    this.samples = null;
    this.failed = null;
    this.text = "";
    this.restingAt = null;
    this.total = facts.n_samples;
    this.have = 0;
    this.grown = new Float32Array(0);
    this.beyond = new Map(); // spans behind a hole: start -> end
    this.asked = new Map();
    this.bits = 16;
    this.patience = AGAIN_MS;
    this.all = new Promise((resolve) => { this.arrived = resolve; });
    this.wanted = facts.live;
  }

  get rate() { return this.facts.rate; }
  get duration() { return Math.max(this.have, this.live ? 0 : this.total) / this.rate; }

  /** Ask for the samples, once, when somebody wants to see or hear them. */
  load() {
    if (!this.wanted) {
      this.wanted = true;
      this.ask();
      this.finish();
    }
    return this.all;
  }

  /** Keep a few ranges under way; where nothing comes, ask again, and wait longer each time. */
  ask() {
    clearTimeout(this.timer);
    if (this.samples || (this.have >= this.total && !this.live)) return;
    this.timer = setTimeout(() => {
      this.asked.clear();
      this.patience *= 2;
      if (this.live) this.link.hello(); // the end itself may have been dropped
      this.askOrFail();
    }, this.patience);
    const ranges = [], edges = [...this.beyond.keys(), ...this.asked.keys()];
    for (let from = this.have; from < this.total && this.asked.size < UNDER_WAY;) {
      const known = this.beyond.get(from) ?? this.asked.get(from);
      const to = known ?? Math.min(this.total, from + RANGE, ...edges.filter((edge) => edge > from));
      if (!known) { ranges.push([from, to]); this.asked.set(from, to); }
      from = to;
    }
    if (ranges.length) this.link.send({ type: "need", key: this.key, ranges });
  }

  askOrFail() {
    try { this.ask(); } catch (error) { this.failed = error; this.tell("failed"); }
  }

  take({ at, format, rate, since, client }, buffer) {
    if (this.samples) return;
    const bytes = bytesOf(buffer), here = performance.now();
    const piece = format === "s16" ? Float32Array.from(new Int16Array(bytes), (v) => v / 32768) : new Float32Array(bytes);
    if (format === "f32") this.bits = 24;
    this.facts = { ...this.facts, rate };
    this.asked.delete(at);
    this.patience = AGAIN_MS;
    if (!client) this.since = since; // seconds from the request to the newest sound
    this.put(at, piece, at === 0 ? { since, here, pushed: !client } : null);
    this.mind();
  }

  put(at, piece, first) {
    const end = at + piece.length, had = this.have;
    this.total = Math.max(this.total, end);
    if (this.grown.length < this.total) {
      const more = new Float32Array(this.live ? Math.max(this.total, 2 * this.grown.length, 30 * this.rate) : this.total);
      more.set(this.grown);
      this.grown = more;
    }
    this.grown.set(piece, at);
    if (end > this.have) this.beyond.set(at, Math.max(end, this.beyond.get(at) ?? 0));
    for (const [from, to] of [...this.beyond].sort((a, b) => a[0] - b[0])) {
      if (from > this.have) break;
      this.have = Math.max(this.have, to);
      this.beyond.delete(from);
    }
    for (const [from, to] of this.asked) if (to <= this.have) this.asked.delete(from);
    if (this.have > had) this.dispatchEvent(Object.assign(new Event("grown"), { first }));
  }

  learn({ live, n_samples: total, resting_at: restingAt, text, speed }) {
    if (speed) this.speed = speed; // of the whole, as its take has it: without the way to the service and from it
    this.total = Math.max(this.total, total);
    Object.assign(this, { text, restingAt });
    if (!live) this.live = false;
    this.tell("learnt");
    if (this.wanted) this.mind();
  }

  /** Look after what is missing: at once where it was asked for, after a moment where it is pushed. */
  mind() {
    this.finish();
    if (!this.streamed) return this.askOrFail();
    clearTimeout(this.hole);
    if (!this.samples && this.have < this.total) this.hole = setTimeout(() => this.askOrFail(), HOLE_MS);
    else if (this.live && !this.timer) this.askOrFail();
    return undefined;
  }

  finish() {
    if (this.samples || this.live || this.have < this.total) return;
    clearTimeout(this.timer);
    this.samples = this.grown.subarray(0, this.total);
    this.facts = { ...this.facts, live: false, n_samples: this.total };
    this.arrived();
    this.tell("loaded");
  }

  tell(name) { this.dispatchEvent(new Event(name)); }

  close() {
    clearTimeout(this.timer);
    clearTimeout(this.hole);
  }

  /** A name for a file; kinds are "wav" and "flac". */
  file(kind) {
    const name = (this.facts.name || "clip").replace(/\.\w+$/, "").replace(/[^\w-]+/g, "_");
    const { samples, rate, bits, facts: { tags = {} } } = this;
    const file = kind === "flac" ? flacOf(samples, rate, bits, tags) : wavOf([pcmOf(samples, bits)], { rate, bits, info: infoOf(tags) });
    return [file, `${name}.${kind}`];
  }
}
