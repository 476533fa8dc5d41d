// From the microphone to 16-bit blocks: nothing in between that would change the voice.

// Only where the browser hands out no frames of a track: the audio thread collects them. Sound may get lost on this way,
// as a thread that comes late finds its queue overrun or empty; the listener marks where.
const COLLECTOR = `
const now = () => (globalThis.performance ?? Date).now();
class Collector extends AudioWorkletProcessor {
  constructor() {
    super();
    [this.block, this.n] = [new Float32Array(512), 0];
    this.port.onmessage = ({ data }) => { this.out = data; };
  }
  process([[channel]]) {
    for (let i = 0; this.out && channel && i < channel.length; i++) {
      this.block[this.n++] = channel[i];
      if (this.n < this.block.length) continue;
      this.out.postMessage({ samples: this.block.slice(), time: now() });
      this.n = 0;
    }
    return true;
  }
}
registerProcessor("vcnb-collector", Collector);`;

const PLAIN = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };
const QUEUE = 1000; // frames of 10 ms that may wait for the listener

const fault = (words, cause) => Object.assign(new Error(cause?.message ?? words), { words: `fault.${words}` });

/** Why there can be no microphone here, or null. */
function whyNone() {
  if (/vscode/.test(location.protocol) || /\bCode\/\d/.test(navigator.userAgent)) return "vscode";
  if (!globalThis.isSecureContext) return "insecure";
  return navigator.mediaDevices?.getUserMedia && (globalThis.MediaStreamTrackProcessor || globalThis.AudioWorkletNode) ? null : "unable";
}

const REFUSALS = { NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "none", OverconstrainedError: "none", NotReadableError: "taken", AbortError: "taken" };

const urlOf = (code) => URL.createObjectURL(new Blob([code], { type: "text/javascript" }));

/** An open microphone and the thread that listens to it. `onblock` gets 16-bit samples; `onlost` is told when it goes. */
class Microphone {
  static async open(device, weights, onblock, onlost) {
    const why = whyNone();
    if (why) throw fault(why);
    const microphone = new Microphone();
    try {
      const asked = { ...PLAIN, ...(device ? { deviceId: { exact: device } } : {}) };
      microphone.stream = await navigator.mediaDevices.getUserMedia({ audio: asked, video: false });
      await microphone.connect(weights, onblock, (error) => microphone.open && onlost(error));
    } catch (error) {
      microphone.close();
      throw error.words ? error : fault(REFUSALS[error.name] ?? "strange", error);
    }
    return microphone;
  }

  async connect(weights, onblock, onlost) {
    const [track] = this.stream.getAudioTracks(), url = urlOf(LISTENER); // which stands before this text: see widgets/recorder.py
    this.worker = new Worker(url);
    URL.revokeObjectURL(url);
    [this.open, this.answers] = [true, {}];
    track.addEventListener("ended", () => onlost(fault("unplugged")));
    this.worker.onerror = (error) => onlost(fault("strange", error));
    this.ears(weights);
    await new Promise((resolve) => {
      this.worker.onmessage = ({ data }) => {
        if (data.type !== "block") return void this.answers[data.type]?.(data);
        this.rate = data.rate;
        resolve();
        onblock(data);
      };
      this.connectTrack(track).catch((error) => onlost(fault("strange", error)));
    });
  }

  /** The device's own rate, either way: a browser's resampler is one more thing between a voice and its clone. */
  async connectTrack(track) {
    if (globalThis.MediaStreamTrackProcessor) {
      const { readable } = new MediaStreamTrackProcessor({ track, maxBufferSize: QUEUE });
      return this.worker.postMessage({ type: "frames", readable }, [readable]);
    }
    const context = (this.context = new AudioContext({ latencyHint: "interactive" })), url = urlOf(COLLECTOR);
    context.resume();
    try { await context.audioWorklet.addModule(url); } finally { URL.revokeObjectURL(url); }
    const { port1, port2 } = new MessageChannel();
    const collector = new AudioWorkletNode(context, "vcnb-collector", {
      numberOfInputs: 1, numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit", channelInterpretation: "speakers",
    });
    this.worker.postMessage({ type: "port", port: port1, rate: context.sampleRate }, [port1]);
    collector.port.postMessage(port2, [port2]);
    this.source = context.createMediaStreamSource(this.stream); // held: a source that nobody holds may fall silent
    return void this.source.connect(collector);
  }

  /** What the browser really does to the sound, as it says itself. */
  get facts() {
    const [track] = this.stream.getAudioTracks(), { deviceId, groupId, ...settings } = track.getSettings();
    return { microphone: track.label, settings };
  }

  ears(weights) { if (weights) this.worker.postMessage({ type: "ears", weights }); }
  keep(longest) { this.worker.postMessage({ type: "keep", longest }); }

  /** Listen to the room; resolves with what it sounds like. */
  check(seconds) {
    return new Promise((resolve) => {
      this.answers.room = ({ room }) => resolve(room);
      this.worker.postMessage({ type: "check", seconds });
    });
  }

  /** Stop keeping; resolves with the slips when the last block has come. */
  halt() {
    return new Promise((resolve) => {
      this.answers.halted = ({ slips }) => resolve(slips);
      this.worker.postMessage({ type: "halt" });
      setTimeout(resolve, 500); // a thread that died answers no more
    });
  }

  close() {
    this.open = false;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.worker?.terminate();
    this.context?.close();
  }
}
