// The blind test: sounds run together and one is heard; keys hear and answer; no name and no score before the end.

Object.assign(ICONS, {
  ear: '<path d="M2.5 10.5V8a5.5 5.5 0 0 1 11 0v2.5M2.5 9.5h2v4h-1a1 1 0 0 1-1-1zM13.5 9.5h-2v4h1a1 1 0 0 0 1-1z"/>',
});

/** The trial that is asked; all views of a model share it, and what sounds. */
class Trial extends EventTarget {
  constructor(model, link) {
    super();
    Object.assign(this, { model, link, told: null, deck: null, heard: new Set(), scores: [] });
    model.on("msg:custom", (message) => {
      if (message.type === "trial" && (!message.client || message.client === link.client)) this.learn(message);
    });
  }

  learn(told) {
    const same = this.told?.sounds && told.sounds && this.told.number === told.number;
    this.told = told;
    if (!same) {
      this.deck?.close();
      this.link.tapes.forEach((tape) => tape.close());
      this.link.tapes.clear();
      this.heard.clear();
      this.deck = told.sounds ? new Deck(told.sounds.map((facts) => this.link.add(facts))) : null;
      // The open reference is no answer; the others begin in the middle of the scale.
      this.scores = (told.sounds ?? []).slice(1).map(() => 50);
    }
    this.asked = false;
    this.dispatchEvent(new Event(same ? "again" : "trial"));
  }

  /** Hear one of them, where the others are; a second press on it pauses. */
  async hear(i) {
    const { deck } = this;
    if (!deck?.tapes[i]) return;
    if (deck.playing && deck.active === i) return void deck.pause();
    this.heard.add(i);
    deck.choose(i);
    if (!deck.looping) deck.setLooping(true);
    if (!deck.playing) await deck.play();
    this.dispatchEvent(new Event("heard"));
  }

  answer(answer) {
    if (this.asked) return; // one press, one answer: the next trial is on its way
    this.deck.pause();
    order(this.model, { type: "answer", trial: this.told.number, answer });
    this.asked = true;
  }

  close() { this.deck?.close(); }
}

const LAYOUT = { abx: ["A", "X", "B"], ab: ["A", "B"] };

/** What sounds now, and where. */
function placeOf(view, trial) {
  const { say } = view, { deck } = trial;
  const bar = h("span", { class: "vc-bar", role: "progressbar", "aria-label": say("place"), "aria-valuemin": 0, "aria-valuemax": 100 }, h("i", {}));
  const now = h("span", {}), end = h("span", {});
  let next = 0;
  const tick = () => {
    cancelAnimationFrame(next);
    const share = deck.duration ? deck.position / deck.duration : 0;
    bar.style.setProperty("--at", share);
    bar.setAttribute("aria-valuenow", Math.round(100 * share));
    now.textContent = say("seconds", { seconds: deck.position.toFixed(1) });
    end.textContent = say("seconds", { seconds: deck.duration.toFixed(1) });
    if (deck.playing && !view.signal.aborted && deck === trial.deck) next = requestAnimationFrame(tick);
  };
  for (const name of ["state", "loaded"]) view.on(deck, name, tick);
  tick();
  return h("div", { class: "vc-place" }, bar, h("p", { class: "vc-quiet vc-num vc-row" }, now, h("span", {}, say("together")), end));
}

/** A button that hears one sound: all look alike but for their letter. */
function follows(view, trial, buttons) {
  const { say } = view, { deck } = trial;
  const show = () => buttons.forEach(({ button, words }, i) => {
    const on = deck.playing && deck.active === i;
    button.setAttribute("aria-pressed", String(on));
    words.replaceChildren(icon(on ? "pause" : "play"), say(on ? "playing" : "hear"));
  });
  for (const name of ["state", "chosen"]) view.on(deck, name, show);
  view.on(deck, "failed", () => view.setFault(deck.failed));
  show();
}

function ears(view, trial, names) {
  const { say } = view;
  const buttons = names.map((name, i) => {
    const words = h("span", { class: "vc-quiet" });
    const button = h("button", { class: "vc-ear", type: "button" }, h("strong", {}, name), words, h("span", { class: "vc-key", "aria-hidden": "true" }, String(i + 1)));
    view.on(button, "click", () => trial.hear(i));
    return { button, words };
  });
  follows(view, trial, buttons);
  return h("div", { class: "vc-ears", role: "group", "aria-label": say("which"), style: `--n: ${names.length}` }, ...buttons.map(({ button }) => button));
}

function choices(view, trial, kind) {
  const { say } = view;
  const button = (answer, key) => {
    const made = h("button", { class: "vc-button is-big", type: "button" }, say(`${kind}.${answer}`), h("span", { class: "vc-key", "aria-hidden": "true" }, key));
    view.on(made, "click", () => trial.answer(answer));
    return made;
  };
  return h("div", { class: "vc-row-wrap" }, button("A", "←"), button("B", "→"));
}

/** The sliders of MUSHRA, and the open reference. */
function ratings(view, trial) {
  const { say, uid } = view;
  const [reference, ...others] = trial.told.sounds.map((_, i) => {
    const name = i ? say("sound", { n: i }) : say("reference"), words = h("span", { class: "vc-row" });
    const button = h("button", { class: "vc-button", type: "button" }, h("span", { class: "vc-key", "aria-hidden": "true" }, i ? String(i) : "0"), i ? null : name, words);
    button.setAttribute("aria-label", `${say("hear")} ${name}`);
    view.on(button, "click", () => trial.hear(i));
    return { button, words, name };
  });
  follows(view, trial, [reference, ...others]);
  const next = h("button", { class: "vc-button is-big", type: "button" }, say("next"));
  const left = h("span", { class: "vc-quiet", role: "status" });
  const missing = () => others.map((_, i) => i + 1).filter((i) => !trial.heard.has(i));
  const may = () => {
    allow(next, missing().length === 0);
    left.textContent = missing().length ? say("unheard", { n: missing().length, list: missing().join(", ") }) : "";
  };
  view.on(trial, "heard", may);
  view.on(next, "click", () => missing().length === 0 && trial.answer(trial.scores));
  may();
  const rows = others.map(({ button, name }, i) => {
    const value = h("output", { class: "vc-num", for: `${uid}s${i}` });
    const input = h("input", { type: "range", id: `${uid}s${i}`, min: 0, max: 100, step: 1, "aria-label": say("score", { name }) });
    const show = () => {
      value.textContent = trial.scores[i];
      input.setAttribute("aria-valuetext", say("score.of", { score: trial.scores[i], word: say(`band.${Math.min(4, Math.floor(trial.scores[i] / 20))}`) }));
    };
    input.value = trial.scores[i];
    view.on(input, "input", () => { trial.scores[i] = Number(input.value); trial.dispatchEvent(new Event("scored")); });
    view.on(trial, "scored", () => { input.value = trial.scores[i]; show(); });
    show();
    return h("div", { class: "vc-rating" }, button, input, value);
  });
  const bands = h("p", { class: "vc-quiet vc-bands", "aria-hidden": "true" }, h("span", {}, ...[0, 1, 2, 3, 4].map((i) => h("span", {}, say(`band.${i}`)))));
  return [reference.button, h("div", { class: "vc-ratings", role: "group", "aria-label": say("scores") }, ...rows), bands, h("div", { class: "vc-row-wrap" }, next, left)];
}

/** A table; the first column heads its row. */
function tableOf(caption, heads, rows) {
  const right = (i) => (i ? "is-right" : null);
  return h("div", { class: "vc-wide", role: "region", "aria-label": caption, tabindex: "0" }, h("table", { class: "vc-results" }, h("caption", { class: "vc-only-reader" }, caption),
    h("thead", {}, h("tr", {}, ...heads.map((head, i) => h("th", { scope: "col", class: right(i) }, head)))),
    h("tbody", {}, ...rows.map(([first, ...rest]) => h("tr", {}, h("th", { scope: "row" }, h("bdi", {}, first)), ...rest.map((cell) => h("td", { class: "is-right" }, cell)))))));
}

/** What the answers prove: a sentence each, then the numbers. */
function resultsOf(view, told) {
  const { say } = view, { kind, results: { rows, ranking, seed } } = told;
  const percent = (share) => `${Math.round(100 * share)}`, score = (value) => value.toFixed(0);
  const between = (row) => say("between", { low: percent(row.low), high: percent(row.high) });
  const name = (item) => ({ reference: say("hidden"), anchor: say("anchor") })[item] ?? item;
  if (!rows.length) return [h("div", { class: "vc-empty" }, icon("ear"), h("p", { class: "vc-strong" }, say("none")), h("p", { class: "vc-quiet" }, say("none.do")))];
  if (kind === "mushra") {
    const heads = ["column.sound", "column.n", "column.score", "column.interval"].map((key) => say(key));
    const hidden = rows.find((row) => row.item === "reference");
    const wide = say(told.number < 2 ? "mushra.one" : "mushra.fixed", { n: told.number });
    return [h("p", { class: "vc-ask" }, say("mushra.best", { item: name(rows[0].item), score: score(rows[0].score) })),
      hidden.score < 90 ? h("p", { class: "vc-quiet" }, say("mushra.hidden", { score: score(hidden.score) })) : null,
      tableOf(say("results"), heads, rows.map((row) => [name(row.item), row.n, score(row.score), say("to", { low: score(row.low), high: score(row.high) })])),
      h("p", { class: "vc-quiet" }, `${wide} ${say("seed", { seed })}`)];
  }
  const verdict = (row) => (row.low > 0.5 ? "yes" : row.high < 0.5 ? "no" : "open");
  const finding = (row) => h("li", {}, h("b", {}, say(`${kind}.${verdict(row)}`, row)), " ",
    say(`${kind}.found`, { yes: Math.round(row.share * row.n), n: row.n, share: percent(row.share), item: row.item, between: between(row) }));
  const heads = ["column.pair", "column.n", `column.${kind}`, "column.interval", "column.p"].map((key) => say(key));
  return [h("ul", { class: "vc-findings" }, ...rows.map(finding)),
    tableOf(say("results"), heads, rows.map((row) => [say("pair", row), row.n, `${percent(row.share)} %`, between(row), row.p_value < 0.001 ? "< 0.001" : row.p_value.toFixed(3)])),
    ranking.length ? tableOf(say("ranking"), ["column.voice", "column.rank", "column.chance", "column.interval"].map((key) => say(key)),
      ranking.map((row) => [row.voice, row.rank, `${percent(row.share)} %`, between(row)])) : null,
    ranking.length ? h("p", { class: "vc-quiet" }, say("ranking.fixed")) : null,
    h("p", { class: "vc-quiet" }, `${say("anytime")} ${say("seed", { seed })}`)];
}

function asking(view, trial) {
  const { say } = view, { kind, number, planned } = trial.told;
  const steps = Array.from({ length: planned }, (_, i) => h("i", { class: i < number ? "is-done" : i === number ? "is-now" : null }));
  const parts = kind === "mushra" ? ratings(view, trial) : [ears(view, trial, LAYOUT[kind]), choices(view, trial, kind)];
  const [first, ...rest] = parts, middle = kind === "mushra" ? [first, ...rest.slice(0, 2), placeOf(view, trial), ...rest.slice(2)] : [first, placeOf(view, trial), ...rest];
  return h("div", { class: "vc-blind" }, h("span", { class: "vc-trials", role: "img", "aria-label": say("answered", { number, planned }) }, ...steps),
    h("p", { class: "vc-ask" }, say(`${kind}.ask`)), ...middle);
}

/** Digits hear; arrows answer; but a slider keeps its arrows. */
function listen(view, trial, root) {
  view.on(root, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !trial.deck) return undefined;
    const { kind } = trial.told, digit = "0123456789".indexOf(event.key);
    const answer = { ArrowLeft: "A", ArrowRight: "B" }[event.key];
    if (digit >= 0 && event.key.length === 1) {
      event.preventDefault();
      return trial.hear(kind === "mushra" ? digit : digit - 1);
    }
    if (answer && kind !== "mushra" && !event.repeat) {
      event.preventDefault();
      trial.answer(answer);
    }
    return undefined;
  });
}

function busyLine(view) {
  const line = h("div", { class: "vc-notice", role: "status", hidden: true });
  let patient = 0;
  view.follow(["working"], (working) => {
    clearTimeout(patient);
    line.hidden = true;
    if (working) patient = setTimeout(() => { line.hidden = false; fillNotice(line, { verdict: "info", waiting: true, what: view.say(`busy.${working.kind}`) }); }, PATIENCE_MS);
  });
  return line;
}

function drawListening(view, { trial }) {
  const { say, model } = view, fact = h("p", { class: "vc-fact" }), count = h("span", { class: "vc-quiet vc-num", role: "status" });
  const stop = h("button", { class: "vc-button is-plain", type: "button" }, icon("close"), say("stop"));
  const more = h("button", { class: "vc-button", type: "button", hidden: true }, say("more"));
  const stage = h("div", { class: "vc-section" }), foot = h("p", { class: "vc-say vc-quiet" });
  view.on(stop, "click", () => { trial.close(); order(model, { type: "stop" }); });
  view.on(more, "click", () => order(model, { type: "more" }));
  const body = h("div", { class: "vc-body" }, busyLine(view), errorLine(view), stage);
  const root = frame(view, "ear", { fact, tools: [count, stop] }, body, h("footer", { class: "vc-foot" }, foot, more));
  root.tabIndex = -1; // keys go on working when a button that had the focus is gone
  let held = null;
  const show = () => {
    const { told } = trial;
    stop.hidden = !told?.sounds;
    if (!told) return;
    const had = root.contains(view.el.ownerDocument.activeElement);
    held?.abort();
    held = new AbortController();
    const signal = AbortSignal.any([view.signal, held.signal]); // the listeners of a trial go with it
    const part = { ...view, signal, on: (target, type, run) => target.addEventListener(type, view.guarded(run), { signal }) };
    fact.textContent = say(`${told.kind}.name`);
    count.textContent = told.sounds ? say("trial", { number: told.number + 1, planned: told.planned }) : say("over", { n: told.number });
    stage.replaceChildren(...(told.sounds ? [asking(part, trial)] : resultsOf(part, told).filter(Boolean)));
    foot.textContent = say(told.sounds ? (told.kind === "mushra" ? "blind.mushra" : "blind") : "kept");
    more.hidden = Boolean(told.sounds) || told.kind === "mushra";
    if (had) root.focus({ preventScroll: true });
    trial.deck?.load();
  };
  view.on(trial, "trial", show);
  view.signal.addEventListener("abort", () => { held?.abort(); trial.deck?.pause(); });
  listen(view, trial, root);
  view.el.append(root);
  show();
}

function prepareListening({ model, signal }) {
  const link = new Link(model, signal), trial = new Trial(model, link);
  signal?.addEventListener("abort", () => trial.close());
  link.hello();
  return { trial };
}

export default panel({ prepare: prepareListening, draw: drawListening });
