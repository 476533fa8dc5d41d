// What can be heard of many sounds, one at a time or some together, and the buttons that do it.

/** A button that hears one of the sounds of a desk, and says whether it sounds. */
function hearButton(view, desk, key, label, spoken, hear = () => desk.hear([key], key)) {
  const button = h("button", { class: "vc-button is-small", type: "button" });
  const show = () => {
    const on = desk.plays(key);
    button.replaceChildren(icon(on ? "pause" : "play"), label);
    button.setAttribute("aria-label", `${label} ${view.say(on ? "pause" : "hear")} ${spoken}`);
  };
  view.on(button, "click", () => { view.setFault(null); return hear(); });
  view.on(desk, "state", show);
  show();
  return button;
}

/** What can be heard: one alone, or several that run together; the sounds of one model share it. */
class Sounding extends EventTarget {
  constructor(link) {
    super();
    Object.assign(this, { link, decks: new Map(), deck: null, keys: [] });
  }

  forget() {
    this.decks.forEach((deck) => deck.close());
    this.decks.clear();
    this.link.tapes.forEach((tape) => tape.close());
    this.link.tapes.clear();
    Object.assign(this, { deck: null, keys: [] });
  }

  tell(name) { this.dispatchEvent(new Event(name)); }
  plays(key) { return Boolean(this.deck?.playing) && this.keys[this.deck.active] === key; }
  pause() { this.deck?.pause(); }

  /** Hear one of several; a second press pauses. `facts` are those of the kernel. */
  async hear(keys, key, facts = keys.map((each) => this.link.tapes.get(each)?.facts ?? this.factsOf(each))) {
    const name = keys.join(" ");
    if (!this.decks.has(name)) {
      const deck = new Deck(facts.map((each) => this.link.add(each)));
      for (const type of ["state", "chosen"]) deck.addEventListener(type, () => this.tell("state"));
      deck.addEventListener("failed", () => { this.failed = deck.failed; this.tell("failed"); });
      this.decks.set(name, deck);
    }
    const deck = this.decks.get(name), at = keys.indexOf(key);
    if (deck !== this.deck) this.pause();
    Object.assign(this, { deck, keys });
    if (deck.playing && deck.active === at) return void deck.pause();
    deck.choose(at);
    if (!deck.playing) await deck.play();
    else this.tell("state");
  }
}
