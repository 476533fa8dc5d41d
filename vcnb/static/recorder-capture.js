// From the microphone to 16-bit pieces: nothing in between that would change the voice, and every slip noticed.

// Runs in the audio thread. What it hands on: blocks of 16-bit samples, each with the time by the wall clock.
// A 16-bit device comes back as it was: some browsers made its upper half from 32767 steps and some from 32768. Which,
// shows in loud samples, as those of one kind then are whole numbers of steps; of finer devices none are.
const CAPTURE_WORKLET = `
const WHOLE = 0.05;
const now = () => (globalThis.performance ?? Date).now();
class Capture extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    this.block = new Float32Array(processorOptions.frames);
    [this.n, this.keeps, this.alive, this.top] = [0, false, true, 32768];
    this.port.onmessage = ({ data }) => {
      if (data === "keep") [this.n, this.keeps] = [0, true];
      if (data === "halt") { this.flush(); this.keeps = false; this.port.postMessage({ halted: true }); }
      if (data === "close") this.alive = false;
    };
  }
  flush() {
    if (!this.n) return;
    const steps = this.stepsOf(this.block.subarray(0, this.n));
    this.n = 0;
    this.port.postMessage({ steps, kept: this.keeps, wall: now() }, [steps.buffer]);
  }
  stepsOf(samples) {
    const whole = [32767, 32768].map((top) => {
      let sum = 0, n = 0;
      for (const sample of samples) if (sample > 0.25) [sum, n] = [sum + Math.abs(sample * top - Math.round(sample * top)), n + 1];
      return n ? sum / n : 1;
    });
    if (Math.min(...whole) < WHOLE) this.top = whole[0] < whole[1] ? 32767 : 32768;
    return Int16Array.from(samples, (v) => Math.max(-32768, Math.min(32767, Math.round(v * (v > 0 ? this.top : 32768)))));
  }
  process([[channel]]) {
    for (let i = 0; channel && i < channel.length; i++) {
      this.block[this.n++] = channel[i];
      if (this.n === this.block.length) this.flush();
    }
    return this.alive;
  }
}
registerProcessor("vcnb-capture", Capture);`;

const PLAIN = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };
const BLOCK_FRAMES = 2048; // 43 ms at 48 kHz: the meter and the coach move more than ten times a second
const SLIP_MS = 15; // ours: two of the browser's own 10 ms buffers; clocks of sound cards part by 6 ms a minute at most
const QUANTUM = 128; // samples that the browser fills with zeros at once where it has none
const AMID_SOUND = 30; // of 32768: quieter surroundings are a gate of the device, that silences its pauses
const SETTLED_MS = 500; // the messages of so long show by their earliest how late the sound itself is

const fault = (words, cause) => Object.assign(new Error(cause?.message ?? words), { words: `fault.${words}` });

/** Why there can be no microphone here, or null. */
function whyNone() {
  if (/vscode/.test(location.protocol) || /\bCode\/\d/.test(navigator.userAgent)) return "vscode";
  if (!globalThis.isSecureContext) return "insecure";
  return navigator.mediaDevices?.getUserMedia && globalThis.AudioWorkletNode ? null : "unable";
}

const REFUSALS = { NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "none", OverconstrainedError: "none", NotReadableError: "taken", AbortError: "taken" };

/**
 * Finds where sound was lost before it reached us. What went missing shows as sound that comes later by the wall clock
 * from there on; what the browser filled in shows as a stretch of zeros amid sound.
 */
class SlipWatch {
  constructor(rate) { [this.rate, this.n, this.windows] = [rate, 0, []]; }

  add(n_samples, wall) {
    const start = this.n / this.rate;
    this.n += n_samples;
    const late = wall - (1000 * this.n) / this.rate;
    const here = this.windows[this.windows.length - 1];
    if (!here || wall - here.since >= SETTLED_MS) this.windows.push({ since: wall, start, late });
    else here.late = Math.min(here.late, late);
  }

  /** All slips of a take: when it started and ended to be noticed, and how much was lost, in seconds. */
  end(steps) {
    const { windows, rate } = this, slips = [];
    // A block may come late and the next in time again: late for good is only what stays so to the end.
    for (let i = windows.length - 2; i >= 0; i--) windows[i].late = Math.min(windows[i].late, windows[i + 1].late);
    for (let i = 1; i < windows.length; i++) {
      const lost = windows[i].late - windows[i - 1].late;
      if (lost > SLIP_MS) slips.push({ start: windows[i - 1].start, end: windows[i].start, lost: lost / 1000 });
    }
    const loud = (from, to) => {
      let peak = 0;
      for (let i = Math.max(0, from); i < Math.min(to, steps.length); i++) peak = Math.max(peak, Math.abs(steps[i]));
      return peak > AMID_SOUND;
    };
    for (let i = 0, zeros = 0; i <= steps.length; i++) {
      if (steps[i] === 0) { zeros++; continue; }
      const near = Math.round(0.005 * rate);
      if (zeros >= QUANTUM && i < steps.length && loud(i - zeros - near, i - zeros) && loud(i, i + near)) {
        slips.push({ start: (i - zeros) / rate, end: i / rate, lost: zeros / rate });
      }
      zeros = 0;
    }
    return slips.sort((a, b) => a.start - b.start);
  }
}

/** An open microphone. `onblock` gets 16-bit samples; `onlost` is told when the device goes. */
class Microphone {
  static async open(device, onblock, onlost) {
    const why = whyNone();
    if (why) throw fault(why);
    const microphone = new Microphone();
    try {
      const asked = { ...PLAIN, ...(device ? { deviceId: { exact: device } } : {}) };
      microphone.stream = await navigator.mediaDevices.getUserMedia({ audio: asked, video: false });
      // The device's own rate: a browser's resampler is one more thing between a voice and its clone.
      microphone.context = new AudioContext({ latencyHint: "interactive" });
      await microphone.connect(onblock);
    } catch (error) {
      microphone.close();
      throw error.words ? error : fault(REFUSALS[error.name] ?? "strange", error);
    }
    const [track] = microphone.stream.getAudioTracks();
    track.addEventListener("ended", () => microphone.open && onlost(fault("unplugged")));
    return microphone;
  }

  async connect(onblock) {
    const { context } = this, url = URL.createObjectURL(new Blob([CAPTURE_WORKLET], { type: "text/javascript" }));
    context.resume();
    try { await context.audioWorklet.addModule(url); } finally { URL.revokeObjectURL(url); }
    this.source = context.createMediaStreamSource(this.stream);
    this.node = new AudioWorkletNode(context, "vcnb-capture", {
      numberOfInputs: 1, numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit", channelInterpretation: "speakers",
      processorOptions: { frames: BLOCK_FRAMES },
    });
    this.node.port.onmessage = ({ data }) => (data.halted ? this.halted?.() : onblock(data));
    this.source.connect(this.node);
    this.open = true;
  }

  get rate() { return this.context.sampleRate; }

  /** What the browser really does to the sound, as it says itself. */
  get facts() {
    const [track] = this.stream.getAudioTracks(), { deviceId, groupId, ...settings } = track.getSettings();
    return { microphone: track.label, settings };
  }

  keep() { this.node.port.postMessage("keep"); }

  /** Stop keeping; resolves when the last block has come. */
  halt() {
    return new Promise((resolve) => {
      this.halted = resolve;
      this.node.port.postMessage("halt");
      setTimeout(resolve, 500); // an audio thread that died answers no more
    });
  }

  close() {
    this.open = false;
    this.node?.port.postMessage("close");
    this.source?.disconnect();
    this.stream?.getTracks().forEach((track) => track.stop());
    if (this.context && this.context.state !== "closed") this.context.close();
  }
}
