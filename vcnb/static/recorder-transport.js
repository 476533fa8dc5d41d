// From the browser to the kernel: numbered pieces, few under way, asked for again until the whole has arrived.

const PIECE_S = 0.25; // seconds a message: below a tenth of a second they crowd, above half a second the end comes late
const UNDER_WAY = 8; // pieces sent and not yet acknowledged
const ASK_MS = 2000; // so long nothing came: ask what is missing, and wait longer each time, as the kernel may be busy
const ASK_AT_MOST_MS = 30000;

/** One take: its pieces, which of them the kernel has, and where else it is kept. */
class Take extends EventTarget {
  constructor(wire, { id, recorder, facts, since = Date.now(), pieces = [] }) {
    super();
    Object.assign(this, { wire, id, recorder, facts, since, pieces, arrived: new Set(), under: new Set(), ended: false, safe: false });
    [this.queue, this.filed, this.patience, this.chain] = [[...pieces.keys()], pieces.length, ASK_MS, Promise.resolve()];
    this.over = new Promise((resolve) => { this.leave = resolve; }); // its lock is free again
    wire.takes.set(id, this);
  }

  get seconds() { return this.pieces.reduce((sum, piece) => sum + piece.byteLength, 0) / 2 / this.facts.rate; }
  get seconds_arrived() { return [...this.arrived].reduce((sum, seq) => sum + this.pieces[seq].byteLength, 0) / 2 / this.facts.rate; }

  add(bytes) {
    this.queue.push(this.pieces.push(new Uint8Array(bytes)) - 1);
    this.file();
    this.send();
  }

  /** What is known by now: it lies beside the sound in the browser, and travels with the next piece. */
  note(facts) {
    Object.assign(this.facts, facts);
    this.news = true;
    this.file(true);
  }

  /** All is said: `facts` as they are now, with slips and why it ended. */
  end(facts) {
    this.facts = { ...this.facts, ...facts, n_pieces: this.pieces.length, n_samples: this.seconds * this.facts.rate };
    this.ended = true;
    this.file(true);
    this.send();
  }

  /** Keep in the browser what is not kept there yet, one after the other. */
  file(again = false) {
    const { pouch } = this.wire;
    if (!pouch || this.safe) return;
    this.chain = this.chain.then(async () => {
      if (this.filed === 0 || again || !this.noted) await pouch.note(this);
      this.noted = true;
      while (this.filed < this.pieces.length && !this.safe) await pouch.put(this.id, this.filed, this.pieces[this.filed++]);
    }).catch((error) => this.wire.unfiled(error)); // a full or forbidden store: the tab still holds it
  }

  send() {
    while (this.queue.length && this.under.size < UNDER_WAY) {
      const seq = this.queue[0];
      const facts = seq === 0 || this.news ? { facts: this.facts } : {};
      if (!this.wire.order({ type: "piece", take: this.id, seq, ...facts }, [this.pieces[seq]])) return this.wait();
      this.news = false;
      this.queue.shift();
      this.under.add(seq);
    }
    if (this.ended && !this.queue.length && !this.told) this.told = this.wire.order({ type: "end", take: this.id, facts: this.facts });
    return this.wait();
  }

  /** Whatever got lost on the way, piece or acknowledgement, comes out by asking. */
  wait() {
    clearTimeout(this.timer);
    if (this.safe || this.given_up) return;
    this.timer = setTimeout(() => {
      this.patience = Math.min(2 * this.patience, ASK_AT_MOST_MS);
      this.told = false;
      this.wire.order({ type: "ask", take: this.id, n_pieces: this.pieces.length });
      this.wait();
    }, this.patience);
  }

  receive(message) {
    this.patience = ASK_MS;
    if (message.type === "ack") [this.under.delete(message.seq), this.arrived.add(message.seq)];
    if (message.type === "have") {
      const missing = new Set(message.missing);
      for (const seq of this.pieces.keys()) if (!missing.has(seq)) this.arrived.add(seq);
      this.under.clear();
      this.queue = [...this.pieces.keys()].filter((seq) => missing.has(seq));
    }
    if (message.type === "kept") {
      this.safe = true;
      clearTimeout(this.timer);
      this.chain = this.chain.then(() => this.wire.pouch?.drop(this.id)).catch((error) => this.wire.unfiled(error)).then(this.leave);
    } else this.send();
    this.dispatchEvent(new Event("change"));
  }

  close() {
    this.given_up = true;
    clearTimeout(this.timer);
    this.chain.then(this.leave);
  }
}

/** What one recorder's page and its kernel say to each other. */
class Wire extends EventTarget {
  constructor(model) {
    super();
    Object.assign(this, { model, takes: new Map(), pouch: null, weights: null, lost: false, unkept: false, ending: new AbortController(), recorder: model.get("setup").id });
    this.client = Math.random().toString(36).slice(2);
    model.on("msg:custom", (message, buffers) => {
      if (message.client && message.client !== this.client) return;
      if (message.type === "welcome") this.welcome(message, buffers).catch((error) => this.unfiled(error));
      else if (message.type === "sound") this.sound(message, buffers);
      else this.takes.get(message.take)?.receive(message);
    });
    this.hello(ASK_AT_MOST_MS);
  }

  /** Until it is answered: a message may be lost on the way. */
  hello(patience) {
    if (this.greeted) return;
    this.order({ type: "hello" });
    this.timer = setTimeout(() => this.hello(2 * patience), patience);
  }

  /** Send; false where the kernel is gone. A kernel that is busy takes it later. */
  order(message, buffers = []) {
    try {
      order(this.model, { client: this.client, ...message }, buffers);
      if (this.lost) this.changed((this.lost = false));
      return true;
    } catch {
      if (!this.lost) this.changed((this.lost = true));
      return false;
    }
  }

  changed() { this.dispatchEvent(new Event("change")); }

  unfiled(error) {
    console.warn("vcnb", error);
    if (!this.unkept) this.changed((this.unkept = true));
  }

  /** The library's key and the coach's ears have come; what an earlier page or kernel left behind goes on its way. */
  async welcome(message, [key, weights]) {
    if (this.greeted) return;
    this.greeted = true;
    clearTimeout(this.timer);
    this.weights = new Float32Array(bytesOf(weights));
    this.dispatchEvent(new Event("weights"));
    this.changed();
    try { this.pouch = await Pouch.open(bytesOf(key)); } catch (error) { this.unfiled(error); return; }
    for (const take of this.takes.values()) take.file();
    for (const note of await this.pouch.all()) {
      const ours = note.recorder === this.recorder || !message.alive.includes(note.recorder);
      if (ours && !this.takes.has(note.id)) this.bringBack(note.id).catch((error) => this.unfiled(error));
    }
    this.order({ type: "held", takes: [...this.takes.keys()] });
    this.changed();
  }

  /** Wait for a take's lock: who holds it, a recorder that still lives in some page, is busy with it. */
  hold(id, then) {
    const { signal } = this.ending;
    return navigator.locks.request(`vcnb.take.${id}`, { signal }, then).catch((error) => {
      if (error.name !== "AbortError") throw error;
    });
  }

  bringBack(id) {
    return this.hold(id, async () => {
      const note = (await this.pouch.all()).find((each) => each.id === id), kept = note && (await this.pouch.take(note));
      if (!kept) return;
      if (!kept.pieces.length) return void (await this.pouch.drop(id));
      const take = new Take(this, kept);
      // It ended with its page if it did not end before.
      take.end({ ended: kept.facts.ended ?? "interrupted", brought_back: true });
      this.dispatchEvent(Object.assign(new Event("take"), { take }));
      await take.over;
    });
  }

  begin(facts) {
    const stamp = new Date().toISOString().replace(/[-:]|\..*/g, "");
    const id = `${stamp}-${Array.from(crypto.getRandomValues(new Uint8Array(6)), (v) => v.toString(16).padStart(2, "0")).join("")}`;
    const take = new Take(this, { id, recorder: this.recorder, facts });
    this.hold(id, () => take.over);
    this.dispatchEvent(Object.assign(new Event("take"), { take }));
    return take;
  }

  /** The samples of a take: from this page's memory, else from the kernel. */
  async samplesOf(id) {
    const take = this.takes.get(id);
    const whole = (parts) => new Blob(parts).arrayBuffer().then((bytes) => Float32Array.from(new Int16Array(bytes), (v) => v / 32768));
    if (take?.ended && take.pieces.length) return whole(take.pieces);
    this.awaited ??= new Map();
    if (!this.order({ type: "sound", take: id })) throw fault("kernel");
    return new Promise((resolve) => this.awaited.set(id, resolve)).then((bytes) => whole([bytes]));
  }

  sound({ take }, buffers) {
    this.awaited?.get(take)?.(bytesOf(buffers[0]));
    this.awaited?.delete(take);
  }

  close() {
    clearTimeout(this.timer);
    this.ending.abort(); // of waiting for locks; those that are held are left one by one
    for (const take of this.takes.values()) take.close();
  }
}
