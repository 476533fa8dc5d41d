// The takes of Synthesis: each with its figures, to hear, to compare and to take home.

/** What is known of how a take was heard and made. */
function takeFacts(view, desk, take) {
  const { say } = view, tape = desk.link.tapes.get(take.key);
  const stream = [...desk.decks.values()].find((deck) => deck.stream?.tape === tape)?.stream;
  const heard = stream?.firstSound ? stream.figures : take.heard;
  if (take.live) return say("take.live");
  const ms = (seconds) => Math.round(1000 * seconds);
  const gaps = heard && (heard.underruns ? say("take.gaps", { n: heard.underruns, ms: ms(heard.gap) }) : say("take.whole"));
  return [
    heard?.first_sound ? say("take.first", { ms: ms(heard.first_sound) }) : take.first_audio_delay && say("take.piece", { ms: ms(take.first_audio_delay) }),
    gaps, take.rtf && say("take.speed", { times: (1 / take.rtf).toFixed(1) }), !take.take && say("take.stopped"),
  ].filter(Boolean).join(" ");
}

function takeRow(view, desk, key, number) {
  const { say, uid } = view, tape = desk.link.tapes.get(key);
  const mini = h("canvas", { class: "vc-mini", "aria-hidden": "true" });
  const hear = h("button", { class: "vc-button is-small vc-hear", type: "button" }), fetch = h("button", { class: "vc-button is-small", type: "button", "aria-label": say("take.download", { n: number }) }, icon("down"), say("download"));
  const box = h("input", { type: "checkbox", id: `${uid}c${key}` });
  const compare = h("label", { class: "vc-choice vc-compare", for: `${uid}c${key}` }, box, h("span", {}, say("take.compare"), h("span", { class: "vc-only-reader" }, ` ${say("take", { n: number })}`)));
  const title = h("p", { class: "vc-title" }), facts = h("p", { class: "vc-quiet vc-num" }), words = h("p", { class: "vc-quiet vc-cut" });
  const row = h("li", { class: "vc-item vc-take" }, hear, h("span", { class: "vc-mini-cell" }, mini), h("div", { class: "vc-grow" }, title, facts, words), h("div", { class: "vc-actions" }, compare, fetch));
  const here = () => desk.deck?.tapes.length === 1 && desk.deck.tape === tape;
  const paint = view.paints(mini, () => { if (tape.samples) paintMini(mini, tape.samples); else paintOutline(mini, tape.facts.outline, 1, "--vc-wave"); });
  view.on(tape, "loaded", paint);
  view.on(hear, "click", async () => {
    if (!here()) desk.show([key]);
    await desk.deck.toggle();
  });
  view.on(fetch, "click", async () => {
    if (tape.live) return;
    await tape.load();
    save(tape.file("wav"));
  });
  view.on(box, "change", () => { desk.chosen[box.checked ? "add" : "delete"](key); desk.tell("change"); });
  const show = () => {
    const take = desk.takes.get(key);
    const playing = here() && desk.deck.playing;
    hear.replaceChildren(icon(playing ? "pause" : "play"), say(playing ? "pause" : "hear"));
    hear.setAttribute("aria-label", `${say(playing ? "pause" : "hear")} ${say("take", { n: number })}`);
    const known = [take.live ? null : say("seconds", { seconds: (take.n_samples / take.rate).toFixed(1) }), `${take.name}, ${say(`way.${take.transport}`).toLowerCase()}`,
      take.cost ? dollars(take.cost) : null, take.earlier ? say("take.earlier") : null].filter(Boolean);
    title.replaceChildren(say("take", { n: number }), " ", h("span", { class: "vc-num vc-quiet" }, known.join(" · ")));
    facts.textContent = takeFacts(view, desk, take);
    words.textContent = take.text;
    box.checked = desk.chosen.has(key);
    allow(fetch, !take.live);
    row.classList.toggle("is-chosen", Boolean(desk.deck?.tapes.includes(tape)));
  };
  return { row, show };
}

function takesList(view, desk) {
  const { say } = view, list = h("ul", { class: "vc-list" }), rows = new Map();
  const compare = h("button", { class: "vc-button is-small is-plain", type: "button" }, icon("compare"), say("compare"));
  const empty = h("div", { class: "vc-empty" }, icon("speak"), h("p", { class: "vc-strong" }, say("takes.none")), h("p", { class: "vc-quiet" }, say("takes.none.do")));
  view.on(compare, "click", async () => {
    if (desk.chosen.size < 2) return;
    desk.show([...desk.takes.keys()].filter((key) => desk.chosen.has(key)).slice(0, 8));
    await desk.deck.play();
  });
  const show = () => {
    const keys = [...desk.takes.keys()];
    for (const key of rows.keys()) if (!desk.takes.has(key)) { rows.get(key).row.remove(); rows.delete(key); }
    keys.forEach((key, i) => {
      if (rows.has(key)) return;
      rows.set(key, takeRow(view, desk, key, i + 1));
      list.prepend(rows.get(key).row); // the newest on top
    });
    rows.forEach((row) => row.show());
    list.hidden = keys.length === 0;
    empty.hidden = keys.length > 0;
    allow(compare, desk.chosen.size >= 2);
    compare.hidden = keys.length < 2;
  };
  const head = h("div", { class: "vc-section-head" }, h("h4", {}, say("takes")), compare);
  return { node: h("div", { class: "vc-section" }, head, list, empty), show };
}
