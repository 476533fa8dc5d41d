// Files from the browser: dropped, pasted or chosen; judged by their first bytes; sent in pieces that are acknowledged.
// Joined into every panel that takes files. The kernel's half is vcnb/widgets/arriving.py.

const SILENCE_MOST_MS = 60000; // without an answer (a busy kernel, a lost message) it is asked ever more rarely
const DECODE_LIMIT = 100e6; // bytes that the browser is asked to decode where the kernel cannot
const DECODE_RATE = 48000; // what the browser decodes to; it does not tell the file's own rate

Object.assign(ICONS, {
  cut: '<path d="M4.5 1.75v9.75h9.75M1.75 4.5h9.75v9.75"/>',
  file: '<path d="M3.5 1.75h6l3 3v9.5h-9zM9.5 1.75v3h3M6 8.5v2M8 7.5v4M10 8.5v2"/>',
});

/** Whether first bytes can be sound: "sound", "other" (known as something else), or "unsure". */
function soundOf(bytes) {
  const at = (offset, text) => [...text].every((letter, i) => bytes[offset + i] === letter.charCodeAt(0));
  if (["RIFF", "RF64", "BW64", "RIFX"].some((magic) => at(0, magic)) && at(8, "WAVE")) return "sound";
  if (["fLaC", "OggS", "\x1aE\xdf\xa3", "caff", ".snd", "ID3", "riff\x2e\x91"].some((magic) => at(0, magic))) return "sound";
  if (at(0, "FORM") && at(8, "AIF")) return "sound";
  if (["ftyp", "moov", "mdat", "free", "skip", "wide"].some((atom) => at(4, atom))) return "sound";
  if (["%PDF", "PK\x03\x04", "\x89PNG", "\xff\xd8\xff", "GIF8", "\x1f\x8b", "Rar!", "MZ", "\x7fELF"].some((magic) => at(0, magic))) return "other";
  for (let i = 0; i + 2 < Math.min(bytes.length, 4096); i++) { // a frame of MPEG sound or of AAC
    const layer = (bytes[i + 1] >> 1) & 3, rate = bytes[i + 2] >> 4;
    if (bytes[i] === 0xff && bytes[i + 1] >= 0xe0 && (layer ? rate > 0 && rate < 15 : (bytes[i + 1] & 0xf6) === 0xf0)) return "sound";
  }
  return bytes.subarray(0, 512).every((byte) => byte > 31 || (byte > 8 && byte < 14)) ? "other" : "unsure";
}

/** What the browser decoded, as 16-bit WAV of at most two channels. */
function decodedAsWav(decoded) {
  const channels = Array.from({ length: Math.min(2, decoded.numberOfChannels) }, (_, i) => decoded.getChannelData(i));
  const steps = new Int16Array(channels.length * decoded.length);
  channels.forEach((channel, c) => {
    for (let i = 0; i < channel.length; i++) steps[i * channels.length + c] = Math.max(-32768, Math.min(32767, Math.round(channel[i] * 32768)));
  });
  return wavOf([steps], { rate: decoded.sampleRate, channels: channels.length });
}

/** The files that this page sends for one model, one after the other; all its views show them. */
class Transfers extends EventTarget {
  constructor(model, signal) {
    super();
    this.model = model;
    this.client = Math.random().toString(36).slice(2);
    this.list = [];
    this.current = null;
    this.count = 0;
    model.on("msg:custom", (message) => message.client === this.client && this.receive(message));
    signal?.addEventListener("abort", () => clearTimeout(this.timer));
    try { this.tell({ type: "hello" }); } catch { /* a saved notebook without its kernel */ }
  }

  tell(message, buffers = []) { order(this.model, { ...message, client: this.client }, buffers); }
  changed(what) { this.dispatchEvent(Object.assign(new Event("change"), { what })); }

  add(files) {
    for (const file of files) {
      const { name, size, lastModified: modified } = file;
      this.list.push({ id: `${++this.count}`, file, name, size, modified, got: 0, next: 0, state: "waiting" });
    }
    this.changed();
    this.begin();
  }

  async begin() {
    if (this.current) return;
    const transfer = (this.current = this.list.find(({ state }) => state === "waiting") ?? null);
    if (transfer) await this.guarded(transfer, () => this.open(transfer));
  }

  async guarded(transfer, run) {
    try {
      await run();
    } catch (error) {
      if (error.words === "fault.kernel") this.end(transfer, "lost");
      else this.refuse(transfer, { key: "unreadable" }); // a folder, or a file that has gone or changed
    }
  }

  async open(transfer) {
    const { size: limit, head: length } = this.model.get("limits");
    if (transfer.size > limit) return this.refuse(transfer, { key: "large" });
    if (!transfer.size) return this.refuse(transfer, { key: "empty" });
    const head = await transfer.file.slice(0, length).arrayBuffer();
    const kind = soundOf(new Uint8Array(head)), { id, name, size, modified } = transfer;
    if (!this.list.includes(transfer)) return undefined; // cancelled meanwhile
    if (kind === "other") return this.refuse(transfer, { key: "other" });
    if (kind === "unsure" && !transfer.decoded) return this.decode(transfer);
    transfer.state = "sending";
    transfer.started = performance.now();
    this.tell({ type: "begin", id, name, size, modified, decoded: Boolean(transfer.decoded) }, [head]);
    this.listen(transfer);
    return this.changed();
  }

  receive(message) {
    const transfer = this.list.find(({ id }) => id === message.id);
    if (!transfer) return;
    if (message.type === "go") this.guarded(transfer, () => this.go(transfer, message));
    else if (message.type === "decode") this.guarded(transfer, () => this.decode(transfer, message));
    else if (message.type === "refused") this.refuse(transfer, message);
    else if (message.type === "arrived") this.end(transfer, "arrived");
  }

  go(transfer, { got, again }) {
    if (got > transfer.got || transfer.quiet) this.listen(transfer);
    if (again || !transfer.next) transfer.next = got; // from where the kernel stands: after a loss, or taken up again
    transfer.first ??= got;
    transfer.got = Math.max(transfer.got, got);
    transfer.quiet = false;
    if (transfer.got >= transfer.size && transfer.state === "sending") transfer.state = "reading";
    this.changed();
    return this.pump(transfer);
  }

  /** Keep a window of pieces under way; only one loop a transfer. */
  async pump(transfer) {
    if (transfer.pumping) return;
    transfer.pumping = true;
    const { piece, window } = this.model.get("limits");
    try {
      while (transfer.state === "sending" && transfer.next < transfer.size && transfer.next - transfer.got < window * piece) {
        const offset = transfer.next;
        transfer.next = Math.min(offset + piece, transfer.size);
        const bytes = await transfer.file.slice(offset, transfer.next).arrayBuffer();
        if (transfer.state === "sending") this.tell({ type: "piece", id: transfer.id, offset }, [bytes]);
      }
    } finally {
      transfer.pumping = false;
    }
  }

  listen(transfer, patience = this.model.get("limits").silence) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      transfer.quiet = true;
      this.changed();
      this.listen(transfer, Math.min(2 * patience, SILENCE_MOST_MS));
      this.guarded(transfer, () => this.tell({ type: "where", id: transfer.id }));
    }, patience);
  }

  /** Where the kernel cannot decode, perhaps the browser can. */
  async decode(transfer, said = { key: "other" }) {
    if (transfer.decoded || transfer.size > DECODE_LIMIT) return this.refuse(transfer, said);
    transfer.state = "decoding";
    clearTimeout(this.timer);
    this.changed();
    let decoded;
    try {
      const bytes = await transfer.file.arrayBuffer();
      decoded = await new OfflineAudioContext(1, 1, DECODE_RATE).decodeAudioData(bytes);
    } catch {
      return this.refuse(transfer, said);
    }
    const file = decodedAsWav(decoded), name = `${transfer.name.replace(/\.\w+$/, "")}.wav`;
    Object.assign(transfer, { file, size: file.size, decoded: true, name, got: 0, next: 0 });
    return this.list.includes(transfer) ? this.open(transfer) : undefined;
  }

  refuse(transfer, said) {
    transfer.said = said;
    this.end(transfer, "refused");
  }

  end(transfer, state) {
    transfer.state = state;
    if (state === "arrived" || state === "gone") this.list = this.list.filter((other) => other !== transfer);
    if (transfer === this.current) {
      clearTimeout(this.timer);
      this.current = null;
    }
    this.changed({ state, transfer });
    this.begin();
  }

  /** Stop it, or take what was refused off the list. */
  remove(transfer) {
    if (["sending", "reading"].includes(transfer.state)) {
      try { this.tell({ type: "drop", id: transfer.id }); } catch { /* then there is nothing to stop either */ }
    }
    this.end(transfer, "gone");
  }
}

const megabytes = (size) => (size / 1e6).toFixed(size < 9.95e6 ? 1 : 0);

/** Why a file was refused, in the panel's words or in the kernel's. */
function whyRefused(say, { said, size }, limit) {
  if (said.key) return [say(`drop.${said.key}`, { size: megabytes(size) }), say(`drop.${said.key}.do`, { limit: megabytes(limit) })];
  return [said.what, sentence(said.remedy)];
}

/** What a file under way is doing. */
function transferFacts(say, transfer) {
  const { state, got, size, quiet } = transfer, share = say("drop.share", { got: megabytes(got), size: megabytes(size) });
  if (state === "sending" && quiet) return say("drop.quiet", { share });
  if (state !== "sending") return say(`drop.${state}`, { size: megabytes(size), share });
  const seconds = (performance.now() - transfer.started) / 1000, rate = (got - (transfer.first ?? 0)) / seconds;
  if (seconds < 1 || !rate) return share;
  return say("drop.rate", { share, rate: megabytes(rate), left: Math.ceil((size - got) / rate) });
}

/** The place to drop on; the whole panel takes files, this place says so. */
function dropZone(view, transfers, root, note) {
  const { say } = view;
  const input = h("input", { type: "file", multiple: true, accept: "audio/*,video/mp4,video/webm,.caf,.flac,.ogg,.opus,.aiff,.m4a", hidden: true });
  const choose = h("button", { class: "vc-button", type: "button" }, icon("file"), say("drop.choose"));
  const zone = h("div", { class: "vc-drop" }, h("p", {}, h("span", { class: "vc-strong" }, say("drop.here")), " ", say("drop.or")), choose,
    h("p", { class: "vc-quiet" }, note), input);
  view.on(choose, "click", () => input.click());
  view.on(input, "change", () => {
    transfers.add([...input.files]);
    input.value = "";
  });
  let depth = 0; // enter and leave come for every node on the way
  const over = (change) => {
    depth = Math.max(0, change === null ? 0 : depth + change);
    zone.classList.toggle("is-over", depth > 0);
  };
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  const take = (event) => { // JupyterLab listens for drops too
    event.preventDefault();
    event.stopPropagation();
  };
  view.on(root, "dragenter", (event) => holdsFiles(event) && (take(event), over(1)));
  view.on(root, "dragover", (event) => {
    if (!holdsFiles(event)) return;
    take(event);
    event.dataTransfer.dropEffect = "copy";
  });
  view.on(root, "dragleave", (event) => holdsFiles(event) && over(-1));
  view.on(root, "drop", (event) => {
    if (!holdsFiles(event)) return;
    take(event);
    over(null);
    transfers.add([...event.dataTransfer.files]);
  });
  view.on(root, "paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    take(event);
    transfers.add(files);
  });
  return zone;
}

/** The row of a file under way: what it does, how far it is, and the button that stops it. */
function transferRow(view, transfers, transfer) {
  const { say } = view, { name } = transfer;
  const facts = h("p", { class: "vc-quiet vc-num" });
  const bar = h("span", { class: "vc-bar", role: "progressbar", "aria-label": say("drop.progress", { name }), "aria-valuemin": "0", "aria-valuemax": "100" }, h("i", {}));
  const stop = h("button", { class: "vc-button is-small", type: "button" });
  view.on(stop, "click", () => transfers.remove(transfer));
  const row = h("li", { class: "vc-item vc-file" }, icon("file"), h("div", {}, h("p", { class: "vc-title" }, h("span", { class: "vc-cut" }, name)), facts),
    h("div", { class: "vc-progress" }, bar), h("div", { class: "vc-actions" }, stop));
  let shown = null;
  const show = () => {
    const { state } = transfer, over = state === "refused" || state === "lost";
    bar.hidden = over;
    bar.classList.toggle("is-waiting", Boolean(transfer.quiet) || state === "waiting");
    bar.style.setProperty("--at", transfer.got / transfer.size || 0);
    bar.setAttribute("aria-valuenow", Math.round((100 * transfer.got) / transfer.size) || 0);
    if (state === "refused") {
      const [what, remedy] = whyRefused(say, transfer, view.model.get("limits").size);
      facts.replaceChildren(h("span", { class: "vc-verdict is-small", "data-verdict": "fail" }, icon("fail"), say("drop.fail")), ` ${what} `, h("span", {}, remedy));
    } else facts.textContent = transferFacts(say, transfer);
    if (shown !== over) {
      stop.replaceChildren(icon("close"), say(over ? "drop.remove" : "cancel"));
      stop.classList.toggle("is-plain", over);
      stop.setAttribute("aria-label", `${say(over ? "drop.remove" : "cancel")} ${name}`);
      shown = over;
    }
  };
  show();
  return { row, show };
}
