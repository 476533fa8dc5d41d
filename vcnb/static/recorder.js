// The recorder's panel: one press records, and what stands around it never moves.

const UNDO_MS = 24000; // as long as any undo here

/** Record and Stop, the time, and the length on its scale. */
function transport(view, engine) {
  const { say } = view, { limits } = engine;
  const press = h("button", { class: "vc-button is-record", type: "button", "aria-keyshortcuts": "Space" });
  const time = h("span", {}), timer = h("p", { class: "vc-timer", role: "timer", "aria-live": "off" }, time, " ", h("small", {}, say("s")));
  const length = scale(limits.best / limits.longest, limits.best_to / limits.longest, {
    role: "meter", "aria-label": say("length"), "aria-valuemin": "0", "aria-valuemax": String(limits.longest), "aria-valuenow": "0",
  });
  const ticks = [["0", 0], [say("length.best", { from: limits.best, to: limits.best_to }), limits.best / limits.longest], [say("length.most", { n: limits.longest }), 1]];
  const node = h("div", { class: "vc-transport" }, press, timer, h("div", { class: "vc-length" }, length,
    h("span", { class: "vc-ticks", "aria-hidden": "true" }, ...ticks.map(([text, at]) => h("span", { style: `--a: ${at}` }, text)))));
  view.on(press, "click", () => (engine.state === "idle" ? engine.record() : engine.stop()));
  let drawn = "";
  const show = () => {
    const { state } = engine, idle = state === "idle", word = idle ? "record" : engine.live ? "stop" : "cancel";
    if (drawn !== word) press.replaceChildren(icon(idle ? "rec" : engine.live ? "stop" : "close"), say(word), h("span", { class: "vc-key", "aria-hidden": "true" }, say("key.space")));
    drawn = word;
    const { seconds } = engine, good = seconds >= limits.best;
    put(time, state === "countdown" ? String(engine.counting) : seconds.toFixed(1));
    timer.classList.toggle("is-good", good && state !== "countdown");
    length.style.setProperty("--at", seconds / limits.longest);
    length.dataset.verdict = good ? "pass" : "info";
    length.setAttribute("aria-valuenow", seconds.toFixed(1));
    length.setAttribute("aria-valuetext", say("length.now", { seconds: seconds.toFixed(1), from: limits.best, to: limits.best_to, most: limits.longest }));
  };
  return { node, press, show };
}

/** One take: hear, picture, what is known, keep, retake, discard. */
function takeRow(view, engine, row, chosen) {
  const { say, model } = view, { name } = row, heard = engine.heard?.id === row.id;
  const act = (key, symbol, plain, run) => {
    const button = h("button", { class: `vc-button is-small${plain ? " is-plain" : ""}`, type: "button", "aria-label": `${say(key)} ${name}`, "data-act": `${key} ${row.id}` }, icon(symbol), say(key));
    view.on(button, "click", run);
    return button;
  };
  const keep = act("keep", "tick", false, () => order(model, { type: "choose", take: row.id }));
  keep.setAttribute("aria-pressed", String(chosen));
  const idle = engine.state === "idle";
  const retake = act("retake", "again", false, () => idle && (order(model, { type: "discard", take: row.id }), engine.record()));
  if (!idle) retake.setAttribute("aria-disabled", "true");
  const mini = h("span", { class: "vc-bars", "aria-hidden": "true" }, ...row.bars.map((bar) => h("i", { style: `--bar: ${bar / 100}` })));
  const facts = [say("seconds", { seconds: row.seconds.toFixed(1) }), `${row.rate / 1000} kHz`].join(" · ");
  const verdict = row.verdict && h("span", { class: "vc-verdict", "data-verdict": row.verdict }, icon(row.verdict), say(`verdict.${row.verdict}`));
  const slips = row.slips.length > 0 && h("span", {}, ` ${say("slips", { n: row.slips.length, where: row.slips.map(([start]) => start.toFixed(1)).join(", ") })}`);
  const ended = say(`ended.${row.ended}`), why = row.verdict ? row.why : say("judging");
  return h("li", { class: `vc-item vc-take${chosen ? " is-chosen" : ""}` }, act(heard ? "hear.stop" : "hear", heard ? "pause" : "play", false, () => engine.hear(row.id)),
    h("span", { class: "vc-mini-cell" }, mini),
    h("div", {}, h("p", { class: "vc-title" }, name, h("span", { class: "vc-num vc-quiet" }, facts)),
      h("p", { class: "vc-quiet" }, verdict, " ", why, slips, ended && ` ${ended}`)),
    h("div", { class: "vc-actions" }, keep, retake, act("discard", "bin", true, () => order(model, { type: "discard", take: row.id }))));
}

/** The takes that arrived, the ones on their way, and the one that may come back. */
function takeList(view, engine) {
  const { say, model } = view;
  const list = h("ul", { class: "vc-list" }), empty = h("p", { class: "vc-quiet" }, say("takes.none"));
  const undo = h("div", { class: "vc-notice is-flat", role: "status", hidden: true });
  const earlier = h("button", { class: "vc-button is-small is-plain", type: "button" });
  view.on(earlier, "click", () => order(model, { type: "earlier" }));
  const show = view.guarded(() => {
    const rows = [...model.get("rows")].reverse(), chosen = model.get("chosen");
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    const coming = [...engine.wire.takes.values()].filter((take) => take.ended && !take.safe && !rows.some((row) => row.id === take.id));
    list.replaceChildren(...coming.map((take) => h("li", { class: "vc-item" }, h("p", { class: "vc-row" }, h("span", { class: "vc-spin", "aria-hidden": "true" }),
      say("take.coming", { got: take.seconds_arrived.toFixed(1), all: take.seconds.toFixed(1) })))), ...rows.map((row) => takeRow(view, engine, row, row.id === chosen)));
    list.hidden = !list.children.length;
    empty.hidden = !list.hidden;
    if (focused) list.querySelector(`[data-act="${focused}"]`)?.focus({ preventScroll: true });
    const n = model.get("n_earlier");
    earlier.hidden = !n;
    earlier.replaceChildren(icon("undo"), say("takes.earlier", { n }));
  });
  let timer = 0;
  view.follow(["discarded"], (gone) => {
    clearTimeout(timer);
    undo.hidden = !gone;
    if (!gone) return;
    const back = h("button", { class: "vc-button is-small", type: "button" }, icon("undo"), say("undo"));
    view.on(back, "click", () => order(model, { type: "restore" }));
    fillNotice(undo, { verdict: "info", what: say("discarded", { name: gone.name }), remedy: say("discarded.do"), actions: [back] });
    undo.querySelector(".vc-icon")?.replaceWith(icon("undo"));
    const forget = () => { // not while somebody stands on it
      if (undo.contains(document.activeElement)) timer = setTimeout(forget, UNDO_MS);
      else try { order(model, { type: "forget" }); } catch { /* the next kernel finds it among the earlier takes */ }
    };
    timer = setTimeout(forget, UNDO_MS);
  });
  view.follow(["rows", "chosen", "n_earlier"], show);
  const node = h("div", { class: "vc-section" }, h("div", { class: "vc-section-head" }, h("h4", {}, say("takes")), earlier), undo, list, empty,
    h("p", { class: "vc-quiet" }, icon("lock"), " ", say("takes.kept")));
  return { node, show };
}

// Without a microphone an upload is the way out.
const DEAF = new Set(["denied", "none", "taken", "insecure", "vscode", "unable", "unplugged", "strange"].map((word) => `fault.${word}`));

/** What is wrong, or worth knowing: reason and way out. */
function notices(view, engine) {
  const { say, model } = view, alert = h("div", { class: "vc-notice", role: "alert", hidden: true }), info = h("div", { class: "vc-notice", role: "status", hidden: true });
  const saveIt = h("button", { class: "vc-button is-small", type: "button" }, icon("down"), say("save"));
  const upload = h("button", { class: "vc-button is-small", type: "button" }, icon("upload"), say("upload"));
  view.on(upload, "click", () => order(model, { type: "upload" }));
  view.on(saveIt, "click", () => {
    for (const take of engine.wire.takes.values()) if (!take.safe && take.ended) saveWav(take);
  });
  const show = () => {
    const error = engine.fault ?? view.fault ?? model.get("error"), { wire, note } = engine;
    const unsafe = [...wire.takes.values()].some((take) => !take.safe && take.ended);
    const said = error ? saidOf(error, say) : wire.lost ? { what: say("fault.gone"), remedy: say(unsafe ? "fault.gone.do" : "fault.gone.empty") } : null;
    const elsewhere = DEAF.has(engine.fault?.words) && view.host && !model.get("uploader");
    const key = said ? JSON.stringify([said, unsafe, elsewhere]) : "";
    alert.hidden = !said;
    if (said && alert.dataset.key !== key) fillNotice(alert, { ...said, actions: wire.lost && unsafe ? [saveIt] : elsewhere ? [upload] : [] });
    alert.dataset.key = key;
    const brought = [...wire.takes.values()].find((take) => take.facts.brought_back && !engine.seen?.has(take.id));
    const missing = note?.words === "note.limit" && lacking(engine, say);
    const told = wire.unkept && unsafe ? ["note.unkept", {}] : missing ? ["note.short", { missing }] : note ? [note.words, note.values] : brought ? ["note.brought", { seconds: brought.seconds.toFixed(1) }] : null;
    const text = told ? say(...told) : "";
    info.hidden = !told;
    if (told && info.dataset.key !== text) fillNotice(info, { verdict: "info", what: text, remedy: say(`${told[0]}.do`, told[1]) });
    if (told && info.dataset.key !== text) info.querySelector(".vc-icon")?.replaceWith(icon("clock"));
    info.dataset.key = text;
  };
  view.onFault(show);
  view.follow(["error", "uploader"], show);
  return { nodes: [alert, uploadBox(view), info], show };
}

/** The other way in, once it was wished for: what arrives there becomes a take. */
function uploadBox(view) {
  const node = h("div", { hidden: true });
  let pressed = false;
  view.on(view.el, "click", () => { pressed = true; });
  view.follow(["uploader"], async (ref) => {
    if (!ref || !view.host) return;
    const inner = h("div", {});
    node.replaceChildren(inner);
    node.hidden = false;
    const panel = await view.host.getWidget(ref);
    await panel.render({ el: inner, signal: view.signal });
    if (pressed) inner.querySelector("button")?.focus(); // the button that led here is gone
  });
  return node;
}

/** A take as a file, made here, for when there is no kernel to give it to. */
function saveWav({ pieces, facts: { rate }, id }) {
  const link = h("a", { href: URL.createObjectURL(wavOf(pieces, { rate })), download: `take-${id}.wav` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function drawRecorder(view, engine) {
  const { say } = view;
  const state = h("p", { class: "vc-fact", role: "status" }), facts = h("span", { class: "vc-quiet vc-num" });
  const device = pick(view, say("microphone"), [], "", (value) => { engine.device = value; });
  const stops = h("input", { type: "checkbox" });
  view.on(stops, "change", () => { engine.stops = stops.checked; engine.changed(); });
  const bar = transport(view, engine), level = levelMeter(view, engine), script = scriptBox(view, engine), picture = takePicture(view, engine);
  const room = roomCheck(view, engine), coach = coachList(view, engine), takes = takeList(view, engine), notice = notices(view, engine);
  const body = h("div", { class: "vc-body" }, ...notice.nodes, h("div", { class: "vc-two" },
    h("div", { class: "vc-section is-wide" }, bar.node, level.node, h("label", { class: "vc-choice" }, stops, h("span", {}, say("stops"))), script.node, picture.node),
    h("div", { class: "vc-section is-side" }, room.node, h("div", { class: "vc-section" }, h("div", { class: "vc-section-head" }, h("h4", {}, say("coach")), h("span", { class: "vc-quiet" }, say("coach.what"))), coach.node))),
  takes.node, guideList(view));
  const root = frame(view, "mic", { fact: state, tools: [device.node, facts] }, body);

  const tick = () => { for (const part of [bar, level, script, picture, coach]) part.show(); progress(); };
  const progress = () => {
    const { microphone, take, live } = engine;
    facts.hidden = !microphone;
    put(facts, !microphone ? "" : [microphone.facts.microphone || say("microphone"), `${microphone.rate / 1000} kHz`,
      say(untouched(microphone.facts.settings) ? "plain" : "touched"), live && say("arrived", { got: take.seconds_arrived.toFixed(1), all: take.seconds.toFixed(1) })].filter(Boolean).join(" · "));
  };
  const show = () => {
    const n = view.model.get("rows").length;
    const text = { idle: n ? say("ready", { n }) : say("ready.first"), asking: say("asking"), countdown: say("soon"), room: say("room.now"), recording: say("recording", { n: n + 1 }) }[engine.state];
    if (state.dataset.text !== text) state.replaceChildren(...(engine.live ? [h("i", {})] : []), text);
    state.dataset.text = text;
    state.className = engine.live ? "vc-live is-recording" : "vc-fact";
    device.node.hidden = engine.state !== "idle";
    const options = [["", say("microphone.default")], ...engine.devices.filter(({ deviceId }) => deviceId !== "default").map(({ deviceId, label }, i) => [deviceId, label || say("microphone.n", { n: i + 1 })])];
    if (device.select.dataset.options !== JSON.stringify(options)) device.select.replaceChildren(...options.map(([key, name]) => h("option", { value: key }, name)));
    device.select.dataset.options = JSON.stringify(options);
    device.select.value = engine.device;
    stops.checked = engine.stops;
    for (const part of [room, takes, notice]) part.show();
    tick();
  };
  view.on(engine, "change", show);
  view.on(engine, "tick", () => { tick(); if (engine.state === "room") room.show(); });
  view.on(engine, "progress", () => { progress(); if (!engine.live) show(); });
  view.follow(["rows"], show);
  // Space records and stops wherever it has no other meaning.
  view.on(root, "keydown", (event) => {
    if (event.key !== " " || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("button, select, input, a")) return;
    if (event.target.closest(".vcnb") !== view.el) return; // the uploader within has keys of its own
    event.preventDefault();
    bar.press.click();
  });
  root.tabIndex = -1;
  engine.views += 1;
  view.signal.addEventListener("abort", () => { if (--engine.views === 0) engine.retire(); });
  view.el.append(root);
  show();
}

const untouched = (settings) => ["echoCancellation", "noiseSuppression", "autoGainControl"].every((name) => !settings[name]);

export default panel({ prepare: ({ model, signal }) => new Engine(model, signal), draw: drawRecorder });
