// Sound that is still arriving: it starts as soon as enough is here to go on, and plays without a gap.

// Runs in the audio thread: what is pushed is played in order, to the sample; nothing is ever dropped, only late.
const RING = `class VcnbRing extends AudioWorkletProcessor {
  constructor() {
    super();
    Object.assign(this, { queue: [], head: 0, have: 0, out: 0, playing: false, from: 0, began: false, alive: true, blocks: 0 });
    this.port.onmessage = ({ data }) => {
      if (data.pcm) { this.queue.push(data.pcm); this.have += data.pcm.length; }
      if ("playing" in data) [this.playing, this.from, this.began] = [data.playing, data.from ?? 0, false];
      if (data.end) this.alive = false;
    };
  }
  process(_, [[out]]) {
    if (!this.playing || currentFrame < this.from) return this.alive;
    let done = 0;
    while (done < out.length && this.queue.length) {
      const first = this.queue[0], n = Math.min(first.length - this.head, out.length - done);
      out.set(first.subarray(this.head, this.head + n), done);
      done += n; this.head += n;
      if (this.head === first.length) { this.queue.shift(); this.head = 0; }
    }
    const { out: before } = this;
    this.have -= done; this.out += done;
    if (!this.began && done) { this.began = true; this.port.postMessage({ began: currentFrame, out: before }); }
    if (done < out.length) {
      this.playing = false;
      this.port.postMessage({ empty: currentFrame + done, out: this.out });
    } else if (++this.blocks % 8 === 0) this.port.postMessage({ at: currentFrame + out.length, out: this.out, have: this.have });
    return this.alive;
  }
}
registerProcessor("vcnb-ring", VcnbRing);`;

const BUFFER = { quick: 0.2, safe: 0.3 }; // seconds; ours: 0.3 rides out pieces of 100 ms that come 80 ms late
const LONG_PIECE = 0.06; // seconds
const FASTER = 1.5; // times real time: sound made so fast cannot run dry soon
const GRACE = 0.05; // seconds; ours: so much later it may begin than it could, where the last piece came early
const LATE = 0.16; // seconds; ours: what comes 80 ms late and then 80 ms early only seems to be fast
const WAKING_MS = 400;
const CLAIM_MS = 40; // tabs of one browser agree in this time who plays

// One context a rate, one sounding clip a page: browsers limit contexts, and two voices at once are noise.
const page = (globalThis[Symbol.for("vcnb.sound")] ??= { contexts: new Map(), sounding: null });
const RATES = [8000, 96000]; // what every browser's AudioContext takes; others are resampled by the browser

function contextFor(rate) {
  const Context = globalThis.AudioContext;
  if (!Context) throw Object.assign(new Error("no WebAudio"), { words: "unheard" });
  if (!page.contexts.has(rate)) {
    const fits = rate >= RATES[0] && rate <= RATES[1];
    page.contexts.set(rate, new Context(fits ? { sampleRate: rate, latencyHint: "interactive" } : {}));
  }
  return page.contexts.get(rate);
}

/** Only one player sounds: those of this page by the page, those of other tabs by a channel between them. */
function takeTheFloor(player) {
  if (page.sounding !== player) page.sounding?.pause();
  page.sounding = player;
  page.channel?.postMessage({ sounding: page.mark });
}

if (!page.mark) {
  // Who ran the cell has just touched its tab; one that was only opened counts from then.
  const gesture = navigator.userActivation?.isActive ? Date.now() : document.hasFocus() ? performance.timeOrigin : 0;
  Object.assign(page, { mark: Math.random().toString(36).slice(2), gesture, claims: new Set() });
  page.channel = globalThis.BroadcastChannel ? new BroadcastChannel("vcnb.sound") : null;
  page.channel?.addEventListener("message", ({ data }) => {
    if (data.sounding && data.sounding !== page.mark) page.sounding?.pause();
    if (data.claim) page.claims.forEach((claim) => claim(data));
  });
  // A context that was made before the first gesture does not wake by itself. Not before the button or the key comes up:
  // a sound that begins while Play is held down would be paused by that very press.
  const wake = () => {
    for (const context of page.contexts.values()) if (context.state === "suspended" && page.sounding) context.resume();
  };
  const listen = (types, heard) => types.forEach((type) => document.addEventListener(type, heard, { capture: true, passive: true }));
  listen(["pointerdown", "keydown"], () => { page.gesture = Date.now(); });
  listen(["pointerup", "keyup"], wake);
}

/**
 * Which of several tabs plays what all of them receive: the one somebody touched last. True where it is this one. Others
 * are answered until `over`: a tab that comes late must not say again what was heard here.
 */
async function wins(id, lost, over) {
  const mine = { claim: id, gesture: page.gesture, mark: page.mark };
  let alone = true;
  const better = (other) => other.gesture > mine.gesture || (other.gesture === mine.gesture && other.mark > mine.mark);
  const claim = (other) => {
    if (other.claim !== id || other.mark === page.mark) return;
    if (better(other)) { alone = false; lost(); } else if (!other.answer) page.channel.postMessage({ ...mine, answer: true });
  };
  page.claims.add(claim);
  over.addEventListener("abort", () => page.claims.delete(claim));
  page.channel?.postMessage(mine);
  await new Promise((resolve) => { setTimeout(resolve, CLAIM_MS); });
  return alone;
}

/** The ring in the audio thread; its code is loaded once a context. */
async function ringIn(context, tell) {
  context.vcnbRing ??= (async () => {
    const url = URL.createObjectURL(new Blob([RING], { type: "text/javascript" })); // data: fails where blob: may pass
    try { await context.audioWorklet.addModule(url); } finally { URL.revokeObjectURL(url); }
  })();
  await context.vcnbRing;
  const node = new AudioWorkletNode(context, "vcnb-ring", { numberOfInputs: 0, outputChannelCount: [1] });
  node.port.onmessage = ({ data }) => tell(data);
  return { node, post: (message) => node.port.postMessage(message) };
}

/** The same where a page may not have worklets (plain http from another machine): pieces laid end to end. */
function relayIn(context, tell) {
  const node = context.createGain(), rate = context.sampleRate;
  const queue = [], laid = [];
  let out = 0, next = 0, timer = 0;
  const lay = (pcm) => {
    const source = context.createBufferSource();
    source.buffer = context.createBuffer(1, pcm.length, rate);
    source.buffer.copyToChannel(pcm, 0);
    source.connect(node);
    source.start(next);
    laid.push({ source, pcm, start: next });
    next = Math.round((next + pcm.length / rate) * rate) / rate;
  };
  const played = () => laid.reduce((sum, { pcm, start }) => sum + Math.min(pcm.length, Math.max(0, Math.round((context.currentTime - start) * rate))), 0);
  const watch = () => {
    const now = Math.round(context.currentTime * rate);
    if (context.currentTime < next) return tell({ at: now, out: out + played(), have: Math.round((next - context.currentTime) * rate) });
    const empty = Math.round(next * rate);
    out += laid.reduce((sum, { pcm }) => sum + pcm.length, 0);
    laid.length = 0;
    clearInterval(timer);
    timer = 0;
    return tell({ empty, out });
  };
  const halt = () => {
    clearInterval(timer);
    timer = 0;
    const skip = played();
    const rest = laid.map(({ pcm }) => pcm);
    for (const { source } of laid.splice(0)) source.stop();
    out += skip;
    let over = skip;
    for (const pcm of rest.reverse()) queue.unshift(pcm);
    while (over > 0) { const first = queue.shift(); if (first.length > over) queue.unshift(first.subarray(over)); over -= first.length; }
  };
  return {
    node,
    post({ pcm, playing, from = 0, end }) {
      if (pcm) { if (timer && context.currentTime < next) lay(pcm); else queue.push(pcm); }
      if (playing && !timer) {
        next = Math.ceil(Math.max(context.currentTime + 0.02, from / rate) * rate) / rate;
        tell({ began: Math.round(next * rate), out });
        queue.splice(0).forEach(lay);
        timer = setInterval(watch, 25);
      } else if (playing === false || end) halt();
    },
  };
}

/** One tape heard while it grows. `state`: waiting, filling, playing, paused, blocked, elsewhere, ended. */
class Stream extends EventTarget {
  constructor(tape, player) {
    super();
    Object.assign(this, { tape, player, state: "waiting", fed: 0, out: 0, at: 0, wanted: BUFFER.quick, latest: -Infinity, underruns: 0, gap: 0, first: null, firstSound: null, startDelay: null });
    this.over = new AbortController();
    tape.addEventListener("grown", (event) => this.grown(event));
    tape.addEventListener("learnt", () => this.fill());
    // Making a context and loading its code takes up to 0.2 s: done before the first piece comes.
    if (tape.live) this.open().catch(() => { /* said when somebody plays */ });
  }

  get running() { return this.state === "playing" || this.state === "filling"; }
  /** Whether it neither sounds here nor is about to: what was just made may be here whole before it has begun. */
  get idle() { return this.state === "elsewhere" || (this.state === "waiting" && !this.first?.pushed); }
  get ahead() { return (this.fed - this.played) / this.tape.rate; }
  get played() {
    const on = this.state === "playing" ? Math.max(0, this.context.currentTime * this.context.sampleRate - this.at) : 0;
    return Math.min(this.fed, this.out + on);
  }
  get position() { return this.played / this.tape.rate; }
  get figures() {
    return { first_sound: this.firstSound, underruns: this.underruns, gap: this.gap, buffer: this.wanted, start_delay: this.startDelay };
  }

  open() {
    return (this.opening ??= (async () => {
      this.context = contextFor(this.tape.rate);
      const tell = (message) => this.heard(message);
      const relay = () => relayIn(this.context, tell); // also where a page's policy lets no code into the audio thread
      this.ring = this.context.audioWorklet ? await ringIn(this.context, tell).catch(relay) : relay();
      this.out_ = this.context.createGain();
      this.ring.node.connect(this.out_);
      this.out_.connect(this.context.destination);
      this.context.addEventListener("statechange", () => this.fill(), { signal: this.over.signal });
      if (this.state === "ended") this.end(); // while it was being opened
    })());
  }

  set(state) {
    if (this.state === state || this.state === "ended") return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }

  async grown({ first }) {
    if (first) {
      this.first = { ...first, have: this.tape.have };
      await this.begin();
    }
    this.fill();
  }

  /**
   * Start by itself: in one tab only, where somebody can see it and stop it, and only what has just been made: a page
   * that was loaded anew does not begin to speak.
   */
  async begin() {
    if (this.state !== "waiting" || !this.first?.pushed || !this.player.views) return;
    const won = await wins(this.tape.facts.id, () => { this.yield(); }, this.over.signal);
    if (!won || this.state !== "waiting") return void (this.state === "waiting" && this.yield());
    await this.start();
  }

  yield() {
    if (this.running) this.halt();
    this.set("elsewhere");
  }

  async start() {
    takeTheFloor(this.player);
    this.set("filling");
    await this.open();
    if (this.context.state === "suspended") this.context.resume(); // not awaited: it may settle only with a gesture
    this.fill();
  }

  /** Hand over what has come, and start once enough is ahead: more where it comes no faster than it is heard. */
  fill() {
    const { tape } = this;
    if (!this.running && this.state !== "blocked") return;
    if (!this.ring) return;
    if (tape.have > this.fed) {
      const piece = tape.grown.slice(this.fed, tape.have);
      this.fed = tape.have;
      this.ring.post({ pcm: piece });
      this.latest = Math.max(this.latest, this.context.currentTime - this.fed / tape.rate);
    }
    if (this.context.state !== "running") return this.wake();
    if (this.state === "blocked") this.set("filling");
    if (this.state !== "filling") return undefined;
    this.wanted = this.wants();
    const flush = (!tape.live && tape.have >= tape.total) || (tape.restingAt ?? -1) >= this.fed;
    if (this.ahead >= this.wanted || (flush && this.ahead > 0)) {
      this.filledAt ??= this.context.currentTime;
      this.at = flush ? Math.round(this.context.currentTime * this.context.sampleRate) : this.startFrame();
      this.ring.post({ playing: true, from: this.at });
      this.set("playing");
    } else if (flush) this.drained();
    return undefined;
  }

  /** Where what was here last came early, the buffer is counted from the piece that was latest, as far as GRACE lets. */
  startFrame() {
    const due = this.latest + this.played / this.tape.rate + this.wanted;
    return Math.round(Math.max(this.filledAt, Math.min(due, this.filledAt + GRACE)) * this.context.sampleRate);
  }

  /** A context that may sound is awake in some milliseconds; one that is not waits for a gesture. */
  wake() {
    clearTimeout(this.waking);
    this.waking = setTimeout(() => this.running && this.context.state !== "running" && this.set("blocked"), WAKING_MS);
  }

  wants() {
    if (this.underruns || !this.first) return BUFFER.safe;
    // By the kernel's clock: what waited for a busy page comes at once, and only seems to be made fast.
    const { have, since } = this.first, made = this.tape.since - since, more = (this.fed - have) / this.tape.rate;
    if (have / this.tape.rate >= BUFFER.safe) return BUFFER.quick; // it came in one piece, or in large ones at once
    return more - LATE >= FASTER * made && have / this.tape.rate < LONG_PIECE ? BUFFER.quick : BUFFER.safe;
  }

  heard({ began, empty, at, out }) {
    if (this.state === "ended") return;
    [this.out, this.at] = [out, began ?? empty ?? at];
    if (began !== undefined) this.sounds(began);
    if (empty === undefined || this.state !== "playing") return;
    if (!this.tape.live && out >= this.tape.total) return void this.drained();
    this.emptyAt = empty;
    this.filledAt = null;
    this.set("filling");
    this.fill();
  }

  /** The first sample after a start or a gap is on its way to the loudspeaker. */
  sounds(frame) {
    const now = performance.now();
    if (this.firstSound === null && this.first) {
      const stamp = this.context.getOutputTimestamp?.() ?? {};
      const out = stamp.contextTime ? stamp.performanceTime + (frame / this.context.sampleRate - stamp.contextTime) * 1000 : now;
      this.firstSound = this.first.since + (out - this.first.here) / 1000;
      this.startDelay = frame / this.context.sampleRate - this.filledAt; // by the clock of the sound
    }
    // Silence because nothing was due is no gap; the rest may have been said after the ring ran dry.
    if (this.emptyAt !== undefined && this.emptyAt !== null && this.tape.restingAt !== this.out) {
      this.underruns += 1;
      this.gap += (frame - this.emptyAt) / this.context.sampleRate;
    }
    this.emptyAt = null;
    this.report();
  }

  report() {
    try { this.tape.link.send({ type: "figures", key: this.tape.key, figures: this.figures }); } catch { /* no kernel */ }
    this.dispatchEvent(new Event("figures"));
  }

  /** All that will come for now was heard. */
  drained() {
    if (this.tape.live) return;
    this.end();
    this.report();
  }

  halt() { this.ring?.post({ playing: false }); }

  pause() {
    if (!this.running) return;
    this.halt();
    this.out = this.played;
    this.emptyAt = null;
    this.set("paused");
  }

  resume() {
    if (this.state === "blocked") return void this.context.resume();
    this.emptyAt = null;
    return this.start();
  }

  /** No more of this way of playing: it was heard, stopped, or is played as an ordinary clip. */
  end() {
    this.halt();
    this.ring?.post({ end: true });
    this.out_?.disconnect();
    this.set("ended");
  }

  /** Nobody can play it here any more: the page and the context, which outlive it, let it go. */
  close() {
    this.end();
    this.over.abort();
  }
}
