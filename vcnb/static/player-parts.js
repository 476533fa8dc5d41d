// The parts of a player: its bar, the figures of a stream, what goes on in words. Synthesis shows them too.

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];
const METER_MS = 500; // the full scale of the buffer's meter
const LIVE_MS = 40; // between two looks while sound arrives: drawing every frame took the page 15 to 40 % of its time

function save([blob, name]) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000); // the browser reads it after the click
}

function keyHints(view, deck) {
  const { say } = view, several = deck.tapes.length > 1;
  const hint = (keys, text) => h("span", { class: "vc-one-line" }, ...keys.flatMap((key) => [h("span", { class: "vc-key" }, key), " "]), text);
  const hints = [hint([say("key.space")], say("keys.play")), ...(several ? [hint(deck.tapes.map((_, i) => deck.letterOf(i)), say("keys.switch"))] : []),
    hint(["←", "→"], say("keys.second")), hint([say("key.shift")], say("keys.tenth")), hint(["I", "O"], say("keys.ends")), hint(["L"], say("keys.loop"))];
  return h("p", { class: "vc-quiet vc-keys" }, several && h("span", {}, `${say("balanced")} `), h("span", { class: "vc-only-reader" }, `${say("keys")}: `),
    ...hints.flatMap((each, i) => (i ? [" · ", each] : [each])));
}

function pick(view, label, options, chosen) {
  const select = h("select", { "aria-label": label }, ...options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
  return [select, h("span", { class: "vc-pick" }, select, icon("more"))];
}

/** A button that cannot act now stays where it is, and says so. */
function allow(button, may) {
  button.toggleAttribute("aria-disabled", !may);
  if (!may) button.setAttribute("aria-disabled", "true");
}

/** Which of several is heard. */
function chooser(view, deck) {
  const { say } = view;
  const buttons = deck.tapes.map((tape, i) => {
    const button = h("button", { class: "vc-button", type: "button" }, deck.letterOf(i), h("span", { class: "vc-cut vc-only-wide" }, tape.facts.name));
    view.on(button, "click", () => deck.choose(i));
    return button;
  });
  const show = () => buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === deck.active)));
  view.on(deck, "chosen", show);
  show();
  return h("span", { class: "vc-join", role: "group", "aria-label": say("which") }, ...buttons);
}

/** The bar: play, time, stop, which, loop, speed, download. Without `stop` a stream is stopped elsewhere in the panel. */
function playerBar(view, deck, stop) {
  const { say } = view;
  const press = h("button", { class: `vc-button vc-play${stop ? " is-main" : ""}`, type: "button" });
  const now = h("span", {}), total = h("span", { class: "vc-quiet" });
  const time = h("span", { class: "vc-num vc-time", role: "timer", "aria-live": "off" }, now, " ", total);
  const halt = h("button", { class: "vc-button", type: "button", hidden: true }, icon("stop"), say("stop"));
  const loop = h("button", { class: "vc-button vc-num", type: "button" });
  const [speed, speedBox] = pick(view, say("speed"), SPEEDS.map((value) => [String(value), say("speed.times", { value })]), "1");
  const [kind, kindBox] = pick(view, say("format"), [["wav", "WAV"], ["flac", "FLAC"]], "wav");
  const fetch = h("button", { class: "vc-button", type: "button" }, icon("down"), say("download"));
  const state = () => {
    const busy = deck.playing, { region, streaming } = deck;
    press.replaceChildren(icon(busy ? "pause" : "play"), say(busy ? "pause" : "play"));
    halt.hidden = !(stop && streaming && deck.tape.live);
    loop.setAttribute("aria-pressed", String(deck.looping));
    loop.replaceChildren(icon("loop"), region ? say("loop.region", { from: region.from.toFixed(1), to: region.to.toFixed(1) }) : say("loop"));
    for (const button of [loop, fetch]) allow(button, deck.whole || !deck.stream);
    speed.disabled = streaming;
    total.textContent = say("of", { total: deck.duration.toFixed(2) });
  };
  view.on(press, "click", () => { view.setFault(null); return deck.toggle(); });
  view.on(halt, "click", () => { deck.stop(); stop(); });
  view.on(loop, "click", () => deck.whole && deck.setLooping(!deck.looping));
  view.on(speed, "change", () => deck.setSpeed(Number(speed.value)));
  view.on(fetch, "click", async () => {
    if (deck.stream && !deck.whole) return;
    await deck.tape.load();
    save(deck.tape.file(kind.value));
  });
  for (const name of ["state", "loaded", "learnt", "grown"]) view.on(deck, name, state);
  const several = deck.tapes.length > 1 ? [chooser(view, deck)] : [];
  const bar = h("div", { class: "vc-player-bar" }, press, time, halt, ...several, loop, speedBox, h("span", { class: "vc-row vc-push" }, fetch, kindBox));
  state();
  return { bar, show: (position) => { now.textContent = position.toFixed(2); } };
}

/** How a stream is heard: first sound, buffer, gaps, speed of the synthesis, what arrived. */
function figuresRow(view, deck) {
  const { say } = view, { stream } = deck;
  const figure = (key, first = false) => {
    const value = h("dd", {}, "–");
    return [value, h("div", { class: `vc-figure${first ? " is-first" : ""}` }, h("dt", {}, say(key)), value)];
  };
  const [first, firstBox] = figure("figure.first", true), [gaps, gapsBox] = figure("figure.gaps");
  const [speed, speedBox] = figure("figure.speed"), [arrived, arrivedBox] = figure("figure.arrived");
  const ahead = h("span", {}), meter = h("span", { class: "vc-scale", role: "meter", "aria-label": say("figure.buffer"), "aria-valuemin": "0", "aria-valuemax": String(METER_MS) }, h("i", {}), h("b", {}));
  const bufferBox = h("div", { class: "vc-figure" }, h("dt", {}, say("figure.buffer")), h("dd", { class: "vc-row" }, ahead, meter));
  const small = (value, text) => [value, " ", h("small", {}, text)];
  const show = () => {
    const { figures, tape } = stream, ms = Math.round(1000 * Math.max(0, stream.ahead)), wanted = Math.round(1000 * stream.wanted);
    if (figures.first_sound !== null) first.replaceChildren(...small(Math.round(1000 * figures.first_sound), "ms"));
    gaps.replaceChildren(...(figures.underruns ? small(figures.underruns, say("figure.silence", { ms: Math.round(1000 * figures.gap) })) : ["0"]));
    if (tape.since) speed.replaceChildren(...small(`${(tape.speed ?? tape.have / tape.rate / tape.since).toFixed(1)}×`, say("figure.real")));
    if (tape.have) arrived.replaceChildren(...small((tape.have / tape.rate).toFixed(1), "s"));
    const over = stream.state === "ended" || !tape.live;
    ahead.replaceChildren(...small(over ? "–" : ms, over ? "" : say("figure.wanted", { ms: wanted })));
    meter.hidden = over;
    meter.dataset.verdict = ms >= 60 ? "pass" : "warn";
    meter.style.cssText = `--at: ${Math.min(1, ms / METER_MS)}; --from: ${wanted / METER_MS}; --to: 1`;
    meter.setAttribute("aria-valuenow", String(Math.min(METER_MS, ms)));
    meter.setAttribute("aria-valuetext", say("figure.ahead", { ms }));
  };
  for (const name of ["figures", "state", "learnt", "grown"]) view.on(deck, name, show);
  show();
  return { node: h("dl", { class: "vc-figures" }, firstBox, bufferBox, gapsBox, speedBox, arrivedBox), show };
}

/** What goes on with a stream, in words. */
function streamLine(view, deck) {
  const { say } = view, line = h("p", { class: "vc-quiet", role: "status" });
  const show = () => {
    const { state } = deck.stream;
    const word = state === "ended" ? "" : state === "playing" && !deck.tape.live ? "" : state;
    const text = word ? say(`stream.${word}`) : "";
    if (line.textContent !== text) line.textContent = text;
  };
  for (const name of ["state", "learnt", "loaded"]) view.on(deck, name, show);
  show();
  return line;
}

/** All of a player but its frame; Synthesis shows one too. */
function playerParts(view, deck, { stop = null, spectrum = true, hints = true }) {
  const bar = playerBar(view, deck, stop), picture = lanes(view, deck, { spectrum });
  const figures = deck.stream ? figuresRow(view, deck) : null, live = deck.stream ? streamLine(view, deck) : null;
  let next = 0, timer = 0, shown = 0;
  const tick = (time = 0) => {
    cancelAnimationFrame(next); // one loop, however often the state changes
    clearTimeout(timer);
    bar.show(deck.position);
    picture.show();
    if (figures && time - shown > 200) { figures.show(); shown = time; }
    if (!deck.playing || view.signal.aborted) return;
    const again = () => { next = requestAnimationFrame(tick); };
    if (deck.streaming) timer = setTimeout(again, LIVE_MS);
    else again();
  };
  for (const name of ["state", "loaded", "learnt"]) view.on(deck, name, () => tick());
  view.on(deck, "failed", () => view.setFault(deck.failed));
  deck.attend();
  view.signal.addEventListener("abort", () => --deck.views || deck.pause()); // no sound that nobody can stop
  tick();
  return [bar.bar, figures?.node, picture.box, live, hints && keyHints(view, deck)].filter(Boolean);
}
