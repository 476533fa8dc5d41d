// The parts of the recorder's panel: scales, coach, level, script, picture, room, guide.

Object.assign(ICONS, {
  mic: '<rect x="6" y="1.75" width="4" height="7.5" rx="2"/><path d="M3.5 7.75a4.5 4.5 0 0 0 9 0M8 12.25v2"/>',
  rec: '<circle fill="currentColor" stroke="none" cx="8" cy="8" r="5"/>',
  clock: '<circle cx="8" cy="8" r="5.75"/><path d="M8 4.75V8l2.25 1.5"/>',
  book: '<path d="M8 4C6.5 3 4.5 2.75 2.25 3v9.5c2.25-.25 4.25 0 5.75 1 1.5-1 3.5-1.25 5.75-1V3C11.5 2.75 9.5 3 8 4zv9.5"/>',
  bin: '<path d="M3 4.5h10M6.25 4.5V2.75h3.5V4.5M4.25 4.5l.6 9h6.3l.6-9"/>',
  undo: '<path d="M3.5 6.5h6a3.5 3.5 0 0 1 0 7H6.5M6.25 3.5l-3 3 3 3"/>',
  room: '<path d="M2.5 7.25 8 2.75l5.5 4.5v6.25h-11zM6.5 13.5v-4h3v4"/>',
  fan: '<path d="M1.5 6h7.25a1.9 1.9 0 1 0-1.9-1.9M1.5 9h11a1.9 1.9 0 1 1-1.9 1.9M1.5 12h5"/>',
  echo: '<path d="M3 6.5v3M6 4.75a5.5 5.5 0 0 1 0 6.5M9 3.25a8.5 8.5 0 0 1 0 9.5M12 1.75a11.5 11.5 0 0 1 0 12.5"/>',
  pose: '<circle cx="6" cy="4" r="2.25"/><path d="M1.75 13.5c.3-3.2 1.8-5 4.25-5s3.95 1.8 4.25 5M10 4h4M12.5 2.5 14 4l-1.5 1.5"/>',
});

const SAY_MS = 3000; // a sentence stands so long: faster ones could not be read beside the script
const share = (value, from, to) => Math.min(1, Math.max(0, (value - from) / (to - from)));
const signed = (value, digits = 0) => value.toFixed(digits).replace("-", "−");

/** Write only what changed: the figures come twenty times a second. */
function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** One number on its scale: track, wanted zone, mark. `attributes` make it a meter where no text says the same. */
function scale(from, to, attributes = { "aria-hidden": "true" }) {
  return h("span", { class: "vc-scale", style: `--from: ${from}; --to: ${to}; --at: 0`, ...attributes }, h("i", {}), h("b", {}));
}

/** A row of the coach or the room check: verdict, name, value, scale, what is wanted. */
function judged(name, wanted, from, to) {
  const value = h("b", {}), mark = h("span", { class: "vc-mark" }, icon("clock")), bar = scale(from, to);
  const why = h("span", { class: "vc-quiet" }, wanted);
  const row = h("li", {}, mark, h("span", {}, name), value, bar, why);
  return {
    row,
    show(verdict, text, at, more = wanted) {
      row.classList.toggle("is-idle", text === null);
      const shown = verdict ?? "info";
      if (row.dataset.verdict !== shown) {
        row.dataset.verdict = shown;
        mark.replaceChildren(icon(shown === "info" ? "clock" : shown));
      }
      put(value, text ?? "");
      put(why, more);
      bar.dataset.verdict = shown;
      bar.style.setProperty("--at", at ?? 0);
      bar.hidden = text === null;
    },
  };
}

/** What is wanted of each figure of the coach, in words. */
const wanted = (limits, say) => ({
  speech: say("want.speech", { best: limits.best, least: limits.run }),
  run: say("want.run", { seconds: limits.run }),
  pause: say("want.pause", { seconds: limits.pause }),
  loudness: say("want.loudness", { from: signed(limits.faint), to: signed(limits.pressed) }),
  clipped: say("want.clipped"),
  snr: say("want.snr", { db: limits.snr }),
});

/** What a take lacks that ran to its end and never became good; empty where it lacks nothing that could be judged. */
function lacking({ figures, limits }, say) {
  const judge = figures ? verdictsOf(figures, limits) : {};
  return Object.entries(wanted(limits, say)).filter(([name]) => judge[name] && judge[name] !== "pass")
    .map(([name, want]) => `${say(`coach.${name}`)}: ${want}`).join(" ");
}

/** The six figures of the coach; each appears when it can be judged. */
function coachList(view, engine) {
  const { say } = view, { limits } = engine, s = (value) => say("seconds", { seconds: value.toFixed(1) });
  const lufs = (value) => say("lufs", { value: signed(value, 1) });
  const wants = wanted(limits, say), row = (name, from, to) => judged(say(`coach.${name}`), wants[name], from, to);
  const rows = {
    speech: row("speech", limits.best / 20, 1),
    run: row("run", limits.run / 10, 1),
    pause: row("pause", 0, limits.pause / 4),
    loudness: row("loudness", share(limits.faint, -50, 0), share(limits.pressed, -50, 0)),
    clipped: row("clipped", 0, 0.04),
    snr: row("snr", limits.snr / 60, 1),
  };
  const show = () => {
    const figures = engine.figures ?? {}, judge = engine.figures ? verdictsOf(figures, limits) : {};
    const known = (name) => engine.figures && judge[name] !== null;
    rows.speech.show(judge.speech, known("speech") ? s(figures.speech) : null, figures.speech / 20);
    rows.run.show(judge.run, known("run") ? s(figures.run) : null, figures.run / 10);
    rows.pause.show(judge.pause, known("pause") ? s(figures.pause) : null, figures.pause / 4);
    rows.loudness.show(judge.loudness, known("loudness") ? lufs(figures.loudness) : null, share(figures.loudness, -50, 0));
    const peak = figures.peak === null || figures.peak === undefined ? undefined : say("peak", { db: signed(figures.peak, 1) });
    rows.clipped.show(judge.clipped, known("clipped") ? (figures.clipped ? say("places", { n: figures.clipped }) : say("none")) : null, figures.clipped / 25, peak);
    rows.snr.show(judge.snr, known("snr") ? say("db", { value: signed(figures.snr) }) : null, figures.snr / 60);
  };
  return { node: h("ul", { class: "vc-coach" }, ...Object.values(rows).map(({ row }) => row)), show };
}

/** The one sentence above the script: what to do now. */
function advice(engine, say) {
  const { figures, limits, wire } = engine;
  if (!figures) return ["info", say("say.begin")];
  const judge = verdictsOf(figures, limits), bad = (name) => judge[name] === "warn" || judge[name] === "fail";
  if (bad("clipped")) return ["warn", say("say.clipped")];
  if (figures.seconds > 2 && bad("loudness")) return ["warn", say(figures.loudness < limits.faint ? "say.faint" : "say.pressed")];
  if (figures.seconds > 4 && figures.speech === 0) return ["warn", say("say.silent")];
  if (bad("snr")) return ["warn", say("say.noisy")];
  if (bad("pause")) return ["warn", say("say.pause")];
  if (judge.ready) return ["pass", say(engine.stops ? "say.ready.stops" : "say.ready")];
  if (figures.speech === null) return ["info", say(wire.weights || figures.seconds < 2 ? "say.begin" : "say.deaf")];
  const left = Math.ceil(Math.max(limits.best - figures.speech, limits.run - figures.run));
  return figures.speech < 1 ? ["info", say("say.begin")] : ["pass", say("say.good", { n: Math.max(1, left) })];
}

/** Level meter with peak hold: 48 cells from −60 to 0 dBFS. */
function levelMeter(view, engine) {
  const { say } = view;
  const track = h("span", { class: "vc-level-track", role: "meter", "aria-label": say("level"), "aria-valuemin": "-60", "aria-valuemax": "0", "aria-valuenow": "-60" }, h("i", {}), h("b", {}));
  const node = h("div", { class: "vc-level" }, track, h("span", { class: "vc-level-zones", "aria-hidden": "true" },
    h("span", {}, say("zone.quiet")), h("span", {}, say("zone.good")), h("span", {}, say("zone.hot"))));
  const show = () => {
    const { rms, peak } = engine.levels ?? { rms: -60, peak: -60 };
    track.style.setProperty("--at", share(rms, -60, 0));
    track.style.setProperty("--peak", share(peak, -60, 0));
    track.setAttribute("aria-valuenow", rms.toFixed(0));
    const zone = rms < -35 ? "zone.quiet" : rms < -10 ? "zone.good" : "zone.hot";
    track.setAttribute("aria-valuetext", engine.levels ? say("level.now", { zone: say(zone), rms: signed(rms), peak: signed(peak) }) : say("level.off"));
  };
  return { node, show };
}

function pick(view, label, options, value, changed) {
  const select = h("select", { "aria-label": label }, ...options.map(([key, text]) => h("option", { value: key }, text)));
  select.value = value;
  view.on(select, "change", () => changed(select.value));
  return { select, node: h("span", { class: "vc-pick" }, select, icon("more")) };
}

/** What to read, and above it what the coach says. */
function scriptBox(view, engine) {
  const { say, model } = view, { scripts } = model.get("setup"), names = new Intl.DisplayNames([model.get("_words")._language], { type: "language" });
  const languages = [...new Set(scripts.map(([code]) => code))].map((code) => [code, names.of(code)]);
  const scenarios = [...new Set(scripts.map(([, scenario]) => scenario))].map((scenario) => [scenario, say(`scenario.${scenario}`)]);
  const choose = (patch) => { Object.assign(engine, patch); engine.changed(); };
  const language = pick(view, say("script.language"), languages, engine.language, (value) => choose({ language: value }));
  const scenario = pick(view, say("script.scenario"), scenarios, engine.scenario, (value) => choose({ scenario: value }));
  const text = h("blockquote", {}), said = h("p", { class: "vc-coach-say is-away", role: "status" });
  const head = h("div", { class: "vc-section-head" }, h("h4", {}, say("script")), h("span", { class: "vc-quiet" }, say("script.long")),
    h("span", { class: "vc-row-wrap" }, language.node, scenario.node));
  let saidAt = 0, saidText = "", saidLive = false;
  const show = () => {
    const live = engine.live || engine.state === "countdown";
    head.classList.toggle("is-away", live); // both in one place, so that the text to read stays where it is
    said.classList.toggle("is-away", !live);
    [language.select.value, scenario.select.value] = [engine.language, engine.scenario];
    put(text, scripts.find(([code, each]) => code === engine.language && each === engine.scenario)[2]);
    text.lang = engine.language;
    if (!live) return void ([saidText, saidLive] = ["", false]);
    const [verdict, words] = engine.live ? advice(engine, say) : ["info", say("counting", { n: Math.max(1, engine.counting) })];
    if (words === saidText || (engine.live && saidLive && performance.now() - saidAt < SAY_MS)) return; // not the countdown's last word
    [saidAt, saidText, saidLive] = [performance.now(), words, engine.live];
    said.dataset.verdict = verdict;
    said.replaceChildren(icon(verdict === "info" ? "clock" : verdict), words);
  };
  return { node: h("div", { class: "vc-script" }, head, said, text), show };
}

/** Three seconds of silence, and what they told. */
function roomCheck(view, engine) {
  const { say } = view, { limits } = engine;
  const noise = judged(say("room.noise"), "", 0, share(limits.room, -90, 0)), hum = judged(say("room.hum"), "", 0, share(limits.hum, -90, 0));
  const press = h("button", { class: "vc-button is-small", type: "button" }), said = h("p", { class: "vc-quiet", role: "status" });
  const list = h("ul", { class: "vc-coach" }, noise.row, hum.row);
  view.on(press, "click", () => (engine.state === "room" ? engine.withdraw() : engine.check()));
  const show = () => {
    const { room, state } = engine, checking = state === "room";
    press.replaceChildren(icon(checking ? "close" : room ? "again" : "room"), checking ? say("cancel") : say(room ? "room.again" : "room.check"));
    press.toggleAttribute("aria-disabled", false);
    if (!checking && state !== "idle") press.setAttribute("aria-disabled", "true");
    list.hidden = !room || checking || room.spoken > 0.3;
    if (checking) return void put(said, say("room.hush", { n: Math.ceil(engine.counting) }));
    if (!room) return void put(said, say("room.why"));
    if (room.spoken > 0.3) return void put(said, say("room.spoken"));
    const db = (value) => say("dbfs", { value: signed(value) }), near = (value, good, care) => (value <= good ? "pass" : value <= care ? "warn" : "fail");
    const quiet = room.noise === null ? -90 : room.noise, verdict = near(quiet, limits.room, limits.room_too_loud);
    noise.show(verdict, room.noise === null ? say("room.digital") : db(quiet), share(quiet, -90, 0), say(`room.noise.${verdict}`));
    const hums = room.hum !== null, heard = hums ? near(room.hum, limits.hum, limits.room) : "pass";
    hum.show(heard, hums ? say("room.hum.at", { hz: room.mains, value: signed(room.hum) }) : say("none"), hums ? share(room.hum, -90, 0) : 0, say(heard === "pass" ? "room.hum.pass" : "room.hum.warn"));
    put(said, say("room.at", { time: room.at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) }));
  };
  return { node: h("div", { class: "vc-section" }, h("div", { class: "vc-section-head" }, h("h4", {}, say("room")), press), list, said), show };
}

/** The recording guide: its six points at a glance, and the whole of it, by its headings, behind a button. */
function guideList({ say, model, uid, on }) {
  const points = [["mic", "device"], ["room", "small"], ["fan", "quiet"], ["echo", "soft"], ["book", "whole"], ["pose", "near"]];
  const short = h("ul", { class: "vc-guide" }, ...points.map(([name, key]) => h("li", {}, icon(name), h("div", {}, h("b", {}, say(`guide.${key}`)), h("span", {}, say(`guide.${key}.do`))))));
  const { guide } = model.get("setup"), topics = [...new Set(guide.map(([topic]) => topic))];
  const whole = h("div", { class: "vc-guide is-whole", id: `${uid}guide`, hidden: true }, ...topics.map((topic) => h("div", {}, h("b", {}, say(`topic.${topic}`)),
    h("ul", {}, ...guide.filter(([each]) => each === topic).map(([, text]) => h("li", {}, text))))));
  const open = h("button", { class: "vc-button is-small is-plain", type: "button", "aria-expanded": "false", "aria-controls": whole.id }, icon("book"), say("guide.open"));
  on(open, "click", () => {
    [whole.hidden, short.hidden] = [!whole.hidden, whole.hidden];
    open.setAttribute("aria-expanded", String(!whole.hidden));
  });
  return h("div", { class: "vc-section" }, h("div", { class: "vc-section-head" }, h("h4", {}, say("guide")), open), short, whole);
}
