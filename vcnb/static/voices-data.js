// What the panel of voices knows: rows from the kernel, and how this reader wants to see them.

const PAGE = 12; // rows that are drawn; ours: a thousand would be slow, and fewer would be turned too often
const UNDO_S = 24;
const SOON_DAYS = 30; // ours: what deletes itself within a month is marked

Object.assign(ICONS, {
  list: '<path d="M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.01M2.5 8h.01M2.5 12h.01"/>',
  bin: '<path d="M3 4.5h10M6.25 4.5V2.75h3.5V4.5M4.25 4.5l.6 9h6.3l.6-9"/>',
  undo: '<path d="M3.5 6.5h6a3.5 3.5 0 0 1 0 7H6.5M6.25 3.5l-3 3 3 3"/>',
  search: '<circle cx="7" cy="7" r="4.25"/><path d="m10.25 10.25 3.5 3.5"/>',
  edit: '<path d="m3 13 .6-2.8 7-7 2.2 2.2-7 7zM9.25 4.5l2.2 2.2"/>',
  next: '<path d="M6 3.5 10.5 8 6 12.5"/>',
  back: '<path d="M10 3.5 5.5 8l4.5 4.5"/>',
  less: '<path d="M3.5 10 8 5.5l4.5 4.5"/>',
});

/** Voices in the order and choice of one reader; all views of a model share it. */
class Roll extends EventTarget {
  constructor(model, link) {
    super();
    Object.assign(this, { model, link, rows: null, quota: 0, used: 0, deleted: [], notice: null });
    Object.assign(this, { sort: ["created_at", -1], query: "", kind: "", state: "", at: 0, chosen: new Set(), anchor: null });
    model.on("msg:custom", (message) => this.receive(message));
  }

  receive(message) {
    if (message.client && message.client !== this.link.client) return;
    if (message.type === "table") {
      this.rows = message.rows.filter((row) => !row.deleted);
      this.deleted = message.rows.filter((row) => row.deleted);
      Object.assign(this, { quota: message.quota, used: message.used });
      const there = new Set(this.rows.map((row) => row.voice));
      this.chosen = new Set(message.chosen.filter((voice) => there.has(voice)));
      this.tell("table");
    }
    if (message.type === "deleted") this.note({ voices: message.voices });
    if (message.type === "restored" && this.notice?.voices.includes(message.voice)) this.note(null);
  }

  note(notice) {
    this.notice = notice;
    this.tell("notice");
  }

  set(change) {
    Object.assign(this, { at: 0 }, change);
    this.tell("change");
  }

  order(by) {
    const [now, way] = this.sort;
    this.set({ sort: [by, by === now ? -way : ["name", "kind", "language"].includes(by) ? 1 : -1] });
  }

  /** The rows that are wanted, sorted; what has no value comes last. */
  get shown() {
    const words = this.query.toLowerCase().split(/\s+/).filter(Boolean), [by, way] = this.sort;
    const text = (row) => [row.name, row.label, row.note, row.voice, row.language].join(" ").toLowerCase();
    const states = { soon: (row) => row.days_left !== null && row.days_left <= SOON_DAYS, unused: (row) => row.last_used_at === null, source: (row) => row.clip !== null };
    const value = (row) => (by === "name" ? row.label || row.name : row[by]);
    const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);
    return (this.rows ?? [])
      .filter((row) => (!this.kind || row.kind === this.kind) && (!this.state || states[this.state](row)) && words.every((word) => text(row).includes(word)))
      .sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        return x === null || y === null ? (x === null) - (y === null) : way * compare(x, y) || compare(a.voice, b.voice);
      });
  }

  choose(voices, on) {
    for (const voice of voices) this.chosen[on ? "add" : "delete"](voice);
    this.tell("chosen");
    order(this.model, { type: "choose", voices: [...this.chosen] });
  }

  named(voice) {
    const row = [...(this.rows ?? []), ...this.deleted].find((each) => each.voice === voice);
    return row ? row.label || row.name : voice;
  }

  tell(name) { this.dispatchEvent(new Event(name)); }
}

/** Plays one sound of the library at a time; the kernel reads it when it is first wanted. */
class Ear extends EventTarget {
  constructor(model, link) {
    super();
    Object.assign(this, { model, link, decks: new Map(), key: null, voice: null });
    model.on("msg:custom", (message) => {
      if (message.type === "facts" && message.client === link.client) this.take(message.facts);
    });
  }

  get playing() { return this.decks.get(this.key)?.playing ? this.key : null; }

  async toggle(voice, what, take) {
    const key = `${what} ${take ?? voice}`;
    if (this.key !== key) this.decks.get(this.key)?.pause();
    Object.assign(this, { key, voice });
    const deck = this.decks.get(key);
    if (deck) await deck.toggle();
    else this.link.send({ type: "hear", voice, what, take, key });
  }

  async take(facts) {
    if (this.decks.has(facts.key)) return;
    const deck = new Deck([this.link.add(facts)]);
    this.decks.set(facts.key, deck);
    deck.addEventListener("state", () => this.dispatchEvent(new Event("state")));
    await deck.load();
    if (this.key === facts.key) await deck.play();
  }

  stop() {
    this.decks.get(this.key)?.pause();
    this.key = null;
  }

  close() { for (const deck of this.decks.values()) deck.close(); }
}
