// The player: sound comes in pieces as message buffers, plays through WebAudio at its own rate, and is drawn once.

const WINDOW = 4; // pieces asked for and not yet here
const AGAIN_MS = 4000; // a server under load drops messages: ask again for what does not come
const RATES = [8000, 96000]; // what every browser's AudioContext takes; others are resampled by the browser

// One context a rate and one sounding clip a page: browsers limit contexts, and two voices at once are noise.
const page = (globalThis[Symbol.for("vcnb.sound")] ??= { contexts: new Map(), sounding: null });

function contextFor(rate) {
  const Context = globalThis.AudioContext;
  if (!Context) throw Object.assign(new Error("no WebAudio"), { words: "unheard" });
  if (!page.contexts.has(rate)) {
    const fits = rate >= RATES[0] && rate <= RATES[1];
    page.contexts.set(rate, new Context(fits ? { sampleRate: rate, latencyHint: "interactive" } : {}));
  }
  return page.contexts.get(rate);
}

/** The sound of one model: its samples, and whether and where it plays. All views and other panels share it. */
class Sound extends EventTarget {
  constructor(model, signal) {
    super();
    this.model = model;
    this.client = Math.random().toString(36).slice(2); // answers go to every open tab; this one's bear its mark
    this.facts = model.get("sound");
    this.samples = null;
    this.failed = null;
    this.offset = 0; // seconds; where it stands while it does not play
    this.node = null;
    this.views = 0;
    this.missing = null;
    this.patience = AGAIN_MS;
    model.on("msg:custom", (message, buffers) => this.receive(message, buffers));
    signal?.addEventListener("abort", () => this.close());
  }

  get duration() { return this.facts.n_samples / this.facts.rate; }
  get playing() { return this.node !== null; }
  get position() {
    if (!this.playing) return this.offset;
    return Math.min(this.duration, this.startedFrom + Math.max(0, this.context.currentTime - this.startedAt));
  }

  /** Ask for the samples, once, when somebody wants to see or hear them. */
  load() {
    return (this.loading ??= new Promise((resolve) => {
      this.arrived = new Float32Array(this.facts.n_samples);
      this.missing = new Set(Array(Math.ceil(this.facts.n_samples / this.facts.chunk)).keys());
      this.asked = new Set();
      this.loaded = resolve;
      this.ask();
      this.finishLoading();
    }));
  }

  /** Keep a few pieces under way; where nothing comes, ask again, and wait longer each time. */
  ask() {
    clearTimeout(this.timer);
    if (this.missing.size === 0) return;
    this.timer = setTimeout(() => {
      this.asked.clear();
      this.patience *= 2;
      this.askOrFail();
    }, this.patience);
    const next = [...this.missing].filter((seq) => !this.asked.has(seq)).slice(0, WINDOW - this.asked.size);
    if (next.length === 0) return;
    for (const seq of next) this.asked.add(seq);
    order(this.model, { type: "need", client: this.client, seqs: next });
  }

  askOrFail() {
    try { this.ask(); } catch (error) { this.failed = error; this.changed("failed"); }
  }

  receive(message, buffers) {
    if (message.type !== "chunk" || message.client !== this.client || !this.missing?.has(message.seq)) return;
    const bytes = bytesOf(buffers[0]);
    const piece = this.facts.format === "s16" ? Float32Array.from(new Int16Array(bytes), (v) => v / 32768) : new Float32Array(bytes);
    this.arrived.set(piece, message.seq * this.facts.chunk);
    this.missing.delete(message.seq);
    this.asked.delete(message.seq);
    this.patience = AGAIN_MS;
    this.askOrFail();
    this.finishLoading();
  }

  finishLoading() {
    if (this.missing.size) return;
    this.samples = this.arrived;
    this.loaded();
    this.changed("loaded");
  }

  changed(name) { this.dispatchEvent(new Event(name)); }

  async toggle() {
    if (this.playing) this.pause();
    else await this.play();
  }

  async play() {
    // Made and woken inside the gesture; resume() is not awaited, as it may settle only with the next gesture.
    const context = (this.context = contextFor(this.facts.rate));
    if (context.state === "suspended") context.resume();
    await this.load();
    if (this.playing || !this.samples.length) return;
    if (this.offset >= this.duration - 1e-3) this.offset = 0;
    if (page.sounding !== this) page.sounding?.pause();
    page.sounding = this;
    this.start(this.offset);
    this.changed("state");
  }

  start(offset) {
    const { context, facts } = this;
    if (!this.buffer) {
      this.buffer = context.createBuffer(1, this.samples.length, facts.rate);
      this.buffer.copyToChannel(this.samples, 0);
      this.out = context.createGain();
      this.out.connect(context.destination);
    }
    const node = context.createBufferSource();
    node.buffer = this.buffer;
    node.connect(this.out);
    node.onended = () => node === this.node && this.halt(this.duration);
    [this.startedFrom, this.startedAt] = [offset, context.currentTime];
    node.start(0, offset);
    this.node = node;
  }

  halt(offset) {
    const node = this.node;
    this.node = null;
    this.offset = offset;
    node?.stop();
    if (page.sounding === this) page.sounding = null;
    this.changed("state");
  }

  pause() { if (this.playing) this.halt(this.position); }

  seek(seconds) {
    const to = Math.min(Math.max(0, seconds), this.duration);
    const sounding = this.playing && to < this.duration;
    const node = this.node;
    this.node = null;
    node?.stop();
    this.offset = to;
    if (sounding) this.start(to);
    this.changed("state");
  }

  close() {
    clearTimeout(this.timer);
    this.pause();
    this.out?.disconnect();
  }

  /** 16-bit mono WAV, made here, so that it also works while the kernel is busy. */
  wav() {
    const { rate } = this.facts, n = this.samples.length, view = new DataView(new ArrayBuffer(44 + 2 * n));
    const write = (at, text) => [...text].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
    write(0, "RIFF"); view.setUint32(4, 36 + 2 * n, true); write(8, "WAVEfmt "); view.setUint32(16, 16, true);
    view.setUint16(20, 1, true); view.setUint16(22, 1, true); view.setUint32(24, rate, true);
    view.setUint32(28, 2 * rate, true); view.setUint16(32, 2, true); view.setUint16(34, 16, true);
    write(36, "data"); view.setUint32(40, 2 * n, true);
    for (let i = 0; i < n; i++) {
      view.setInt16(44 + 2 * i, Math.max(-32768, Math.min(32767, Math.round(this.samples[i] * 32768))), true);
    }
    return new Blob([view], { type: "audio/wav" });
  }
}

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300];

/** Marks of the time axis, at least 48 px from one to the next. */
function paintRuler(ruler, duration) {
  const step = STEPS.find((s) => (s / duration) * ruler.offsetWidth >= 48) ?? 600;
  const marks = [];
  for (let i = 0; i * step < duration - step * 0.3; i++) {
    const text = step >= 60 ? `${Math.floor((i * step) / 60)}:00` : String(Math.round(i * step * 10) / 10);
    marks.push(h("span", { style: `--a: ${(i * step) / duration}` }, text));
  }
  ruler.replaceChildren(...marks);
}

/** Waveform, ruler, text and playhead over one time axis; the part that was played is a second picture, cut off. */
function lanes(view, sound) {
  const { say } = view, { facts } = sound;
  const name = facts.name || say("unnamed");
  const label = say("wave", { name, seconds: sound.duration.toFixed(2) });
  const still = h("canvas", { role: "img", "aria-label": label, style: "--h: var(--vc-h-wave)" });
  const played = h("canvas", { class: "vc-played", "aria-hidden": "true", style: "--h: var(--vc-h-wave)" });
  const ruler = h("div", { class: "vc-ruler vc-lane", "aria-hidden": "true" });
  const head = h("span", { class: "vc-head-line" });
  const slider = h("div", {
    class: "vc-seek", role: "slider", tabindex: "0", "aria-label": say("position"), "aria-valuemin": "0",
    "aria-valuemax": sound.duration.toFixed(2), "aria-valuenow": "0",
  });
  const box = h("div", { class: "vc-lanes" },
    h("div", { class: "vc-lane-name", "aria-hidden": "true" }, say("axis")), ruler,
    h("div", { class: "vc-lane-name" }, say("sound")), h("div", { class: "vc-lane is-picture" }, still, played),
    ...(facts.text ? [h("div", { class: "vc-lane-name" }, say("text")), h("div", { class: "vc-lane vc-spoken" }, facts.text)] : []),
    h("div", { class: "vc-over" }, head), slider);
  const paint = () => {
    paintRuler(ruler, sound.duration);
    if (!sound.samples) return;
    paintWave(still, sound.samples, "--vc-wave", "--vc-wave-soft");
    paintWave(played, sound.samples, "--vc-accent", "--vc-accent-soft");
  };
  view.on(sound, "loaded", view.paints(box, paint));
  const seekTo = (event) => {
    const { left, width } = slider.getBoundingClientRect();
    sound.seek(((event.clientX - left) / width) * sound.duration);
  };
  view.on(slider, "pointerdown", (event) => {
    slider.setPointerCapture(event.pointerId);
    seekTo(event);
  });
  view.on(slider, "pointermove", (event) => slider.hasPointerCapture(event.pointerId) && seekTo(event));
  const show = (position) => {
    const share = sound.duration ? position / sound.duration : 0;
    box.style.setProperty("--at", share);
    slider.setAttribute("aria-valuenow", position.toFixed(2));
    slider.setAttribute("aria-valuetext", say("position.now", { now: position.toFixed(2), total: sound.duration.toFixed(2) }));
  };
  return { box, show };
}

/** Space anywhere but on a button; arrows, Home and End anywhere in the panel. */
function listenToKeys(view, sound, root) {
  const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1 };
  view.on(root, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
    if (event.key === " " && event.target.tagName === "BUTTON") return undefined; // its own press does it
    const move = moves[event.key];
    if (event.key !== " " && !move && event.key !== "Home" && event.key !== "End") return undefined;
    event.preventDefault();
    if (event.key === " ") return sound.toggle();
    if (move) return sound.seek(sound.position + move * (event.shiftKey ? 0.1 : 1));
    return sound.seek(event.key === "Home" ? 0 : sound.duration);
  });
}

function save(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000); // the browser reads it after the click
}

function keyHints(say) {
  const key = (text) => h("span", { class: "vc-key" }, text);
  return h("p", { class: "vc-quiet vc-keys" }, h("span", { class: "vc-only-reader" }, `${say("keys")}: `),
    key(say("key.space")), ` ${say("keys.play")} · `, key("←"), " ", key("→"), ` ${say("keys.second")} · `,
    key(say("key.shift")), ` ${say("keys.tenth")} · `, key("Home"), " ", key("End"));
}

function drawPlayer(view, sound) {
  const { say, model } = view, { facts } = sound;
  const seconds = h("p", { class: "vc-fact vc-num" },
    [facts.name, say("seconds", { seconds: sound.duration.toFixed(1) })].filter(Boolean).join(" · "));
  const tools = facts.generated ? [h("span", { class: "vc-tag" }, say("generated"))] : [];
  const press = h("button", { class: "vc-button is-main vc-play", type: "button" });
  const now = h("span", {}), time = h("span", { class: "vc-num vc-time", role: "timer", "aria-live": "off" }, now, " ",
    h("span", { class: "vc-quiet" }, say("of", { total: sound.duration.toFixed(2) })));
  const fetch = h("button", { class: "vc-button vc-push", type: "button" }, icon("down"), say("download"));
  const { box, show } = lanes(view, sound);
  const body = h("div", { class: "vc-body is-close" },
    h("div", { class: "vc-player-bar" }, press, time, fetch), box, keyHints(say), errorLine(view));
  const root = frame(view, "play", { fact: seconds, tools }, body);

  let next = 0;
  const tick = () => {
    cancelAnimationFrame(next); // one loop, however often the state changes
    const position = sound.position;
    now.textContent = position.toFixed(2);
    show(position);
    if (sound.playing && !view.signal.aborted) next = requestAnimationFrame(tick);
  };
  const state = () => {
    press.replaceChildren(icon(sound.playing ? "pause" : "play"), say(sound.playing ? "pause" : "play"));
    tick();
  };
  view.on(press, "click", () => { view.setFault(null); return sound.toggle(); });
  view.on(fetch, "click", async () => {
    await sound.load();
    save(sound.wav(), `${(facts.name || "clip").replace(/\.\w+$/, "").replace(/[^\w-]+/g, "_")}.wav`);
  });
  view.on(sound, "state", state);
  view.on(sound, "failed", () => view.setFault(sound.failed));
  listenToKeys(view, sound, root);
  sound.views += 1;
  view.signal.addEventListener("abort", () => --sound.views || sound.pause()); // no sound that nobody can stop
  view.el.append(root);
  state();
  if (facts.n_samples) view.guarded(() => sound.load())();
  else view.setFault(Object.assign(new Error("empty"), { words: "empty" }));
}

export default panel({ prepare: ({ model, signal }) => new Sound(model, signal), draw: drawPlayer });
