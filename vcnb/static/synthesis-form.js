// The form of Synthesis: text, voice, how the sound arrives, language; what it costs, before it is pressed.

const REST_MS = 250; // what is typed is counted, priced and kept when the typing rests

/** What all views share: voices, takes, the draft, and the deck that is heard. Nothing of it is a trait. */
class Desk extends EventTarget {
  constructor(model, signal) {
    super();
    Object.assign(this, { model, link: new Link(model, signal), voices: null, takes: new Map(), decks: new Map(), deck: null });
    Object.assign(this, { free: true, spent: 0, price: null, sent: [], asked: false, chosen: new Set() });
    this.draft = { text: "", voice: "", transport: "", language: "" };
    const messages = { snapshot: this.open, take: this.learn, dropped: this.drop, estimate: this.priced, use: ({ voice, text }) => this.choose(voice, text) };
    model.on("msg:custom", (message) => {
      if (message.client && message.client !== this.link.client) return;
      messages[message.type]?.call(this, message);
    });
    for (const name of ["working", "error"]) model.on(`change:${name}`, () => this.worked());
    signal?.addEventListener("abort", () => this.decks.forEach((deck) => deck.close()));
    this.link.hello();
  }

  get voice() { return this.voices?.find((voice) => voice.voice === this.draft.voice) ?? null; }
  get live() { return this.voice?.ways[0] === "realtime"; }
  get busy() { return this.asked || ["speak", "line"].includes(this.model.get("working")?.kind); }
  get lineOpen() { return this.model.get("working")?.kind === "line" && !this.finishing; }

  /** What would be sent now: sentences of one line are parted by a space, which is counted too. */
  get wording() { return this.lineOpen && this.sent.length && this.draft.text ? ` ${this.draft.text}` : this.draft.text; }

  tell(name) { this.dispatchEvent(new Event(name)); }

  open({ voices, takes, draft, free, spent }) {
    Object.assign(this, { voices, free, spent });
    if (!this.opened) Object.assign(this.draft, draft);
    this.opened = true;
    for (const take of takes) this.keep(take);
    if (voices && !this.voice) this.choose(voices[0]?.voice ?? "");
    if (!this.deck && takes.length) this.show([takes.at(-1).key]);
    this.tell("change");
    this.estimate();
  }

  keep(take) {
    const known = this.takes.get(take.key);
    this.takes.set(take.key, { ...known, ...take });
    const tape = this.link.add(take);
    Object.assign(tape.facts, { name: take.name, lufs: take.lufs, outline: take.outline, tags: take.tags });
    return !known;
  }

  learn({ take, spent }) {
    this.spent = spent;
    if (this.keep(take)) this.show([take.key]);
    this.tell("change");
  }

  drop({ key }) {
    this.takes.delete(key);
    this.chosen.delete(key);
    if (this.deck?.tapes.some((tape) => tape.key === key)) this.show(this.takes.size ? [[...this.takes.keys()].at(-1)] : []);
    this.tell("change");
  }

  /** Put one take before the reader, or several at one instant. */
  show(keys) {
    const id = keys.join(" ");
    if (keys.length && !this.decks.has(id)) this.decks.set(id, new Deck(keys.map((key) => this.link.tapes.get(key))));
    this.deck = keys.length ? this.decks.get(id) : null;
    this.tell("deck");
  }

  put(patch) {
    Object.assign(this.draft, patch);
    this.price = null;
    this.tell("change");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      try { order(this.model, { type: "draft", draft: this.draft }); } catch { /* said when the button is pressed */ }
      this.estimate();
    }, REST_MS);
  }

  choose(voice, text = "") {
    const found = this.voices.find((each) => each.voice === voice);
    this.put({ voice, text: this.draft.text || text, transport: found?.ways.includes(this.draft.transport) ? this.draft.transport : found?.ways[0] ?? "" });
  }

  estimate() {
    const { wording: text, draft: { voice } } = this;
    if (!voice || !text.trim()) return this.priced({ text, characters: 0, cost: 0 });
    try { this.link.send({ type: "estimate", text, voice }); } catch { /* said when the button is pressed */ }
    return undefined;
  }

  priced({ text, characters, cost }) {
    if (text === this.wording) this.price = { characters, cost };
    this.tell("change");
  }

  /** Speak the draft; in a live line send what is typed, and go on typing. */
  speak() {
    const { wording: text } = this;
    order(this.model, { type: this.live ? "say" : "speak", ...this.draft, text });
    if (!this.lineOpen) { this.asked = true; this.sent = []; this.finishing = false; }
    if (this.live) { this.sent.push(text.trim()); this.put({ text: "" }); }
    this.tell("change");
  }

  finish() {
    this.finishing = true;
    order(this.model, { type: "finish" });
    this.tell("change");
  }

  cancel() {
    this.decks.forEach((deck) => deck.streaming && deck.tape.live && deck.stop());
    order(this.model, { type: "cancel" });
  }

  worked() {
    this.asked = false;
    if (!this.model.get("working")) this.finishing = false;
    this.tell("change");
  }
}

const dollars = (value) => `$${value.toFixed(4)}`;

function textField(view, desk) {
  const { say, uid } = view;
  const sent = h("p", { class: "vc-committed vc-quiet" }), input = h("textarea", { class: "vc-input", id: `${uid}text`, rows: "3", "aria-describedby": `${uid}cost` });
  const count = h("span", {}), price = h("span", {});
  const cost = h("p", { class: "vc-quiet vc-row-wrap vc-num vc-apart", id: `${uid}cost` }, count, price);
  view.on(input, "input", () => desk.put({ text: input.value }));
  const show = () => {
    if (input.value !== desk.draft.text) input.value = desk.draft.text;
    sent.hidden = desk.sent.length === 0;
    sent.replaceChildren(icon("tick"), desk.sent.join(" "));
    const { price: known } = desk;
    count.textContent = known ? say("count", { n: known.characters }) : say("counting");
    price.textContent = !known ? "" : desk.free ? say("price.free") : dollars(known.cost);
  };
  return { node: h("div", { class: "vc-field" }, h("label", { for: `${uid}text` }, say("words")), sent, input, cost), input, show };
}

function voiceField(view, desk) {
  const { say, uid } = view;
  const select = h("select", { id: `${uid}voice`, "aria-describedby": `${uid}model` });
  const model = h("span", { class: "vc-mono vc-break" });
  const look = h("button", { class: "vc-button is-small is-plain", type: "button" }, icon("again"), say("look"));
  view.on(select, "change", () => desk.choose(select.value));
  view.on(look, "click", () => order(view.model, { type: "look" }));
  let shown = null;
  const show = () => {
    if (shown !== desk.voices) {
      shown = desk.voices;
      select.replaceChildren(...(shown ?? []).map(({ voice, name, ways }) => h("option", { value: voice }, say(`voice.${ways[0]}`, { name }))));
    }
    select.value = desk.draft.voice;
    select.disabled = desk.busy || !shown?.length;
    model.textContent = desk.voice?.model ?? "";
  };
  const about = h("p", { class: "vc-quiet", id: `${uid}model` }, say("model"), " ", model);
  const head = h("div", { class: "vc-section-head" }, h("label", { class: "vc-strong", for: `${uid}voice` }, say("voice")), look);
  return { node: h("div", { class: "vc-field" }, head, h("span", { class: "vc-pick" }, select, icon("more")), about), show };
}

/** How the sound arrives: only what the voice's model can; the rest stays, and says what it needs. */
function wayField(view, desk) {
  const { say } = view, ways = ["realtime", "sse", "http"];
  const buttons = ways.map((way) => h("button", { class: "vc-button", type: "button" }, say(`way.${way}`)));
  const why = h("p", { class: "vc-quiet" });
  buttons.forEach((button, i) => view.on(button, "click", () => !desk.busy && desk.voice?.ways.includes(ways[i]) && desk.put({ transport: ways[i] })));
  const show = () => {
    buttons.forEach((button, i) => {
      button.setAttribute("aria-pressed", String(desk.draft.transport === ways[i]));
      allow(button, Boolean(desk.voice?.ways.includes(ways[i])) && !desk.busy);
    });
    why.textContent = desk.voice ? say(desk.live ? "why.realtime" : "why.http") : "";
  };
  return { node: h("fieldset", { class: "vc-group" }, h("legend", {}, say("ways")), h("span", { class: "vc-join" }, ...buttons), why), show };
}

function speechLanguage(view, desk) {
  const { say, uid, model } = view, names = new Intl.DisplayNames([model.get("_words")._language], { type: "language" });
  const options = model.get("languages").map((code) => h("option", { value: code }, say("language.one", { name: names.of(code), code })));
  const select = h("select", { id: `${uid}lang` }, h("option", { value: "" }, say("language.auto")), ...options);
  view.on(select, "change", () => desk.put({ language: select.value }));
  const show = () => { select.value = desk.draft.language; select.disabled = desk.busy; };
  return { node: h("div", { class: "vc-field" }, h("label", { for: `${uid}lang` }, say("language")), h("span", { class: "vc-pick" }, select, icon("more"))), show };
}

/** The one button that spends, with its price; what ends and what stops; and why it cannot be pressed. */
function pressRow(view, desk, text) {
  const { say, model } = view;
  const press = h("button", { class: "vc-button is-big", type: "button" }), finish = h("button", { class: "vc-button is-big", type: "button" }, icon("check"), say("finish"));
  const stop = h("button", { class: "vc-button is-big", type: "button" }, icon("stop"), say("stop")), line = h("p", { class: "vc-quiet", role: "status" });
  const key = (name) => h("span", { class: "vc-key" }, name);
  const hints = h("p", { class: "vc-quiet" }, key(say("key.ctrl")), " ", key("Enter"), ` ${say("keys.send")} · `, key("Esc"), ` ${say("keys.stop")}`);
  const lacks = () => [!desk.voice && "need.voice", !desk.draft.text.trim() && "need.text"].filter(Boolean);
  const may = () => lacks().length === 0 && (!desk.busy || (desk.lineOpen && desk.live));
  const show = () => {
    const price = desk.price && !desk.free && desk.price.cost ? `, ${dollars(desk.price.cost)}` : "";
    press.replaceChildren(icon("speak"), `${say(desk.live ? "send" : "speak")}${price}`);
    press.classList.toggle("is-main", may());
    allow(press, may());
    finish.hidden = !desk.lineOpen;
    allow(stop, desk.busy);
    const step = model.get("working")?.step ?? "";
    const waiting = desk.asked ? say("asked") : desk.voices === null ? step || say("looking") : desk.lineOpen ? say("line.open") : "";
    const text_ = waiting || (desk.busy ? "" : lacks().length ? say("need", { list: lacks().map((word) => say(word)).join(", ") }) : "");
    if (line.textContent !== text_) line.textContent = text_;
  };
  const speak = () => {
    view.setFault(null);
    if (may()) desk.speak();
    else if (!desk.draft.text.trim()) text.focus();
  };
  view.on(press, "click", speak);
  view.on(finish, "click", () => desk.finish());
  view.on(stop, "click", () => desk.busy && desk.cancel());
  return { nodes: [h("div", { class: "vc-row-wrap" }, press, finish, stop), hints, line], show, speak };
}
