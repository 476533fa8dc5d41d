// What all views of one recorder share: the microphone, the take under way, its coach, and what is heard.

const WARM_S = 0.5; // ours: the first 30 to 50 ms of an opened microphone are a ramp, and are never kept
const ROOM_S = 3;
const HOLD_MS = 1500; // how long the meter holds a peak
// A stop by itself waits for the end of a sentence; who reads fluently past the best length is stopped at any breath.
const PAUSE_TO_STOP_S = 0.6, BREATH_TO_STOP_S = 0.3;

const level = (steps) => {
  let sum = 0, peak = 0;
  for (const step of steps) [sum, peak] = [sum + step * step, Math.max(peak, Math.abs(step))];
  const dbfs = (value) => Math.max(-60, 20 * Math.log10(value / 32768 + 1e-9));
  return { rms: dbfs(Math.sqrt(sum / steps.length)), peak: dbfs(peak) };
};

class Engine extends EventTarget {
  constructor(model, signal) {
    super();
    const { language, scenario, stops } = model.get("setup");
    Object.assign(this, { model, state: "idle", fault: null, note: null, take: null, room: null, devices: [], device: "", views: 0, language, scenario, stops });
    [this.levels, this.counting, this.figures, this.sound, this.heard] = [null, 0, null, null, null];
    this.wire = new Wire(model);
    this.wire.addEventListener("change", () => this.changed());
    this.wire.addEventListener("weights", () => this.microphone?.ears(this.wire.weights));
    this.wire.addEventListener("take", ({ take }) => {
      take.addEventListener("change", () => this.changed("progress"));
      this.changed();
    });
    const media = navigator.mediaDevices;
    media?.addEventListener?.("devicechange", () => this.lookForDevices(), { signal });
    document.addEventListener("visibilitychange", () => this.watchTab(), { signal });
    signal?.addEventListener("abort", () => this.close());
    this.lookForDevices();
  }

  get limits() { return this.model.get("setup").limits; }
  get seconds() { return this.sound ? this.sound.n / this.sound.rate : 0; }
  get live() { return this.state === "recording"; }
  changed(name = "change") { this.dispatchEvent(new Event(name)); }
  become(state) {
    this.state = state;
    this.changed();
  }

  async lookForDevices() {
    const all = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
    this.devices = all.filter(({ kind, deviceId }) => kind === "audioinput" && deviceId);
    if (this.devices.length && this.fault?.words === "fault.none") this.fault = null; // it was plugged in
    this.changed();
  }

  /** Open the microphone and wait until its sound is even. */
  async open(onblock) {
    this.hush();
    [this.fault, this.note, this.seen] = [null, null, new Set(this.wire.takes.keys())];
    this.become("asking");
    const turn = (this.turn = {}); // an answer to a question that was withdrawn must not start anything
    let warm = 0, ready;
    const even = new Promise((resolve) => { ready = resolve; });
    const take = (block) => {
      this.meter(block.steps);
      if ((warm += block.steps.length) >= WARM_S * block.rate) ready();
      if (block.kept) onblock(block);
    };
    const { weights } = this.wire;
    try {
      const opened = await Microphone.open(this.device, weights, take, (error) => this.unplugged(error));
      if (turn !== this.turn) return void opened.close();
      this.microphone = opened;
      if (weights !== this.wire.weights) opened.ears(this.wire.weights); // they came meanwhile
    } catch (error) {
      if (turn !== this.turn) return undefined;
      if (error.words === "fault.none" && this.device) this.device = ""; // the chosen one is gone: the next press takes another
      return void this.fail(error);
    }
    this.lookForDevices(); // they have names only now
    await even;
    return turn === this.turn && turn;
  }

  async record() {
    if (this.state !== "idle") return;
    const turn = await this.open((block) => this.keep(block));
    if (!turn) return;
    for (this.counting = this.model.get("setup").countdown; this.counting > 0; this.counting--) {
      this.become("countdown");
      await new Promise((resolve) => setTimeout(resolve, 1000));
      if (turn !== this.turn) return;
    }
    const { microphone, language, scenario } = this, { rate } = microphone, { longest } = this.limits;
    // What is seen of the take: its samples, and the coach's figures of them.
    this.sound = { rate, all: new Float32Array(longest * rate), n: 0 };
    [this.figures, this.waiting, this.n_waiting, this.away] = [null, [], 0, 0];
    this.left = document.hidden ? performance.now() : 0; // who left during the countdown is away from the first sample
    this.take = this.wire.begin({ rate, language, scenario, slips: [], recorded_at: new Date().toISOString(), ...microphone.facts });
    microphone.keep(longest);
    this.become("recording");
  }

  /** A block of the take: to the picture and to the wire, with what the listener says of it. */
  keep({ steps, slips, figures }) {
    if (!this.live) return;
    const { sound } = this;
    for (const step of steps) sound.all[sound.n++] = step / 32768;
    this.waiting.push(steps);
    this.n_waiting += steps.length;
    if (slips) this.take.note({ slips });
    if (this.n_waiting >= PIECE_S * sound.rate) this.post();
    if (sound.n === sound.all.length) return void this.stop("limit");
    if (!figures) return;
    this.figures = figures;
    if (this.stops && isOver(figures, this.limits)) return void this.stop("ready");
    this.changed("tick");
  }

  post() {
    const all = new Int16Array(this.n_waiting);
    let at = 0;
    for (const steps of this.waiting) [at] = [at + steps.length, all.set(steps, at)];
    [this.waiting, this.n_waiting] = [[], 0];
    if (all.length) this.take.add(all.buffer);
  }

  async stop(why = "stopped") {
    if (!this.live) return this.withdraw();
    const { microphone, take } = this;
    if (this.stopping) return undefined;
    this.stopping = true;
    const slips = await microphone.halt(); // the last block is kept, as the state still says recording
    this.post();
    take.end({ ended: why, ...(slips && { slips }) });
    this.shut();
    this.countAway(); // who comes back after the take has missed nothing more of it
    if (why === "ready" || why === "limit") this.note = { words: `note.${why}`, values: {} };
    [this.stopping, this.last] = [false, take];
    this.become("idle");
    if (this.views === 0) this.retire();
    return take;
  }

  /** Take back a question, a countdown or a room check: nothing is kept. */
  withdraw() {
    if (this.state === "idle") return;
    this.shut();
    this.become("idle");
  }

  shut() {
    this.turn = null;
    this.microphone?.close();
    [this.microphone, this.levels, this.counting] = [null, null, 0];
  }

  async check() {
    if (this.state !== "idle") return;
    const turn = await this.open(({ steps }) => {
      this.counting = Math.max(0, this.counting - steps.length / this.microphone.rate);
      this.changed("tick");
    });
    if (!turn) return;
    this.counting = ROOM_S;
    this.become("room");
    const room = await this.microphone.check(ROOM_S);
    if (turn !== this.turn) return;
    this.room = { ...room, at: new Date() };
    this.withdraw();
  }

  meter(steps) {
    const now = performance.now(), { rms, peak } = level(steps), before = this.levels;
    const holds = before && now - before.since < HOLD_MS && before.peak > peak;
    this.levels = { rms, peak: holds ? before.peak : peak, since: holds ? before.since : now };
    if (!this.live) this.changed("tick");
  }

  fail(error) {
    this.shut();
    this.fault = error;
    this.become("idle");
  }

  async unplugged(error) {
    if (this.live) await this.stop("unplugged");
    this.fail(error);
  }

  watchTab() {
    if (document.hidden) this.left = this.live ? performance.now() : 0;
    else if (this.countAway()) this.changed();
  }

  /** Add the time since the tab was left to that of the take, and say it; true where it was left. */
  countAway() {
    if (!this.left) return false;
    this.away += performance.now() - this.left;
    this.left = 0;
    this.note = { words: "note.hidden", values: { seconds: Math.max(1, this.away / 1000).toFixed(0) } };
    return true;
  }

  async hear(id) {
    const other = this.heard?.id !== id;
    this.hush();
    if (!other) return;
    const page = (globalThis[Symbol.for("vcnb.sound")] ??= { contexts: new Map(), sounding: null });
    const context = (this.context ??= new AudioContext());
    if (context.state === "suspended") context.resume();
    const heard = (this.heard = { id, pause: () => this.heard === heard && this.hush() });
    this.changed();
    const samples = await this.wire.samplesOf(id);
    if (this.heard !== heard) return;
    page.sounding?.pause(); // two voices at once are noise
    page.sounding = heard;
    const { rate } = this.model.get("rows").find((row) => row.id === id) ?? this.wire.takes.get(id).facts;
    const buffer = context.createBuffer(1, Math.max(1, samples.length), rate);
    buffer.copyToChannel(samples, 0);
    heard.node = Object.assign(context.createBufferSource(), { buffer, onended: () => heard.pause() });
    heard.node.connect(context.destination);
    heard.node.start();
    this.changed();
  }

  hush() {
    const { heard } = this, page = globalThis[Symbol.for("vcnb.sound")];
    this.heard = null;
    if (page?.sounding === heard) page.sounding = null;
    heard?.node?.stop();
    if (heard) this.changed();
  }

  /** The last view has gone: nobody could stop the microphone any more, and a dead kernel's takes are another's. */
  retire() {
    this.hush();
    if (this.live) this.stop("closed");
    else this.withdraw();
    if (this.wire.lost && !this.live) this.wire.close();
  }

  close() {
    this.retire();
    this.context?.close();
    this.wire.close();
  }
}

/** Whether the take is good enough and the speaker pauses. */
function isOver(figures, limits) {
  return verdictsOf(figures, limits).ready && figures.still >= (figures.seconds > limits.best_to ? BREATH_TO_STOP_S : PAUSE_TO_STOP_S);
}

/** What the coach thinks of each figure: the wanted zone comes from the kernel's checks. */
function verdictsOf(figures, limits) {
  const { speech, run, pause, loudness, clipped, snr, seconds } = figures, near = (value, good, care) => (good ? "pass" : care ? "warn" : "fail");
  const verdicts = {
    speech: speech === null ? null : speech >= limits.best ? "pass" : "info",
    run: run === null ? null : run >= limits.run ? "pass" : "info",
    pause: pause === null ? null : near(pause, pause <= limits.pause - limits.unsure, pause <= limits.pause + limits.unsure),
    loudness: loudness === null || seconds < 1 ? null : near(loudness, loudness >= limits.faint && loudness <= limits.pressed, loudness >= limits.too_faint && loudness <= limits.too_pressed),
    clipped: clipped === null ? null : near(clipped, clipped < limits.places, true),
    snr: snr === null ? null : near(snr, snr >= limits.snr, snr >= limits.too_noisy),
  };
  return { ...verdicts, ready: Object.values(verdicts).every((verdict) => verdict === "pass") };
}
