// The best parts of a long recording: found on request, seen on its time line, each to be heard and taken.

const LEAST_SHARE = 0.06; // of the time line: 24 px where the panel is narrow
const MINUTES = [10, 30, 60, 120, 300, 600, 1200, 1800, 3600];

/** Marks of a time axis that may be hours long. */
function paintMinutes(ruler, duration) {
  const step = MINUTES.find((each) => (each / duration) * ruler.offsetWidth >= 48) ?? 7200;
  ruler.replaceChildren(...Array.from({ length: Math.ceil(duration / step) }, (_, i) =>
    h("span", { style: `--a: ${(i * step) / duration}` }, step < 60 ? String(i * step) : String((i * step) / 60))));
}

function paintLevels(canvas, { levels, windows, duration }) {
  const [pen, width, height] = sheet(canvas), step = width / levels.length;
  const [plain, best] = [colour(canvas.parentElement, "--vc-wave-soft"), colour(canvas.parentElement, "--vc-wave")];
  levels.forEach((level, i) => {
    const at = (i / levels.length) * duration, size = Math.max(1, (level / 100) * (height - 4));
    pen.fillStyle = windows.some(({ start, end }) => at < end && at + duration / levels.length > start) ? best : plain;
    pen.fillRect(i * step, height - size, Math.max(1, step * 0.8), size);
  });
}

/** Put ranges into as many lanes as they need not to cover each other; each is at least so wide, to be hit. */
function withoutOverlap(windows, least) {
  const lanes = [];
  windows.forEach(({ start, end }, i) => {
    const stop = Math.max(end, start + least);
    const free = lanes.find((lane) => lane.every((other) => stop <= other.start || start >= other.stop));
    if (free) free.push({ i, start, stop });
    else lanes.push([{ i, start, stop }]);
  });
  return lanes.map((lane) => lane.map(({ i }) => i));
}

/** What a part is, in one line. */
function partFacts(say, { start, end, score }) {
  return say("part.facts", { from: clock(start), to: clock(end), seconds: (end - start).toFixed(1), score: score.toFixed(2).replace("-", "−") });
}

function partRow(view, heard, part, i) {
  const { say, model } = view, key = `part:${i}`, name = say("part", { n: i + 1 });
  const hear = h("button", { class: "vc-button is-small vc-hear", type: "button", "aria-label": say("part.hear", { n: i + 1 }) });
  const use = h("button", { class: "vc-button is-small", type: "button", "aria-label": say("part.use", { n: i + 1 }) }, icon("cut"), say("use.part"));
  const mini = h("canvas", { class: "vc-mini", "aria-hidden": "true" });
  view.on(hear, "click", () => heard.toggle(key));
  view.on(use, "click", () => order(model, { type: "use", part: i }));
  view.paints(mini, () => paintPeaks(mini, part.peaks));
  const why = part.against.length ? part.against.join(" ") : say("part.clean", { db: part.snr_db });
  const node = h("li", { class: "vc-item vc-take" }, hear, h("span", { class: "vc-mini-cell" }, mini),
    h("div", {}, h("p", { class: "vc-title" }, name, h("span", { class: "vc-num vc-quiet" }, partFacts(say, part))),
      h("p", { class: "vc-quiet" }, h("span", { class: "vc-verdict is-small", "data-verdict": part.verdict }, icon(part.verdict), say(`verdict.${part.verdict}`)), ` ${why}`)),
    h("div", { class: "vc-actions" }, use));
  const show = () => {
    const plays = heard.plays(key);
    hear.replaceChildren(icon(plays ? "pause" : "play"), say(plays ? "hear.stop" : heard.wanted === key ? "hear.wait" : "hear"));
  };
  return { node, show };
}

/** The search as it goes on, and what it found. */
function partsSection(view, heard) {
  const { say, model } = view;
  const section = h("div", { class: "vc-section", hidden: true }), busy = h("div", { class: "vc-notice", role: "status", hidden: true });
  const bar = h("span", { class: "vc-bar", role: "progressbar", "aria-label": say("finding"), "aria-valuemin": "0", "aria-valuemax": "100", hidden: true }, h("i", {}));
  const cancel = h("button", { class: "vc-button is-small", type: "button" }, icon("close"), say("cancel"));
  view.on(cancel, "click", () => order(model, { type: "cancel" }));
  let rows = [], said = "", asked = false;
  const found = (parts) => {
    section.hidden = !parts;
    rows = [];
    if (!parts) return section.replaceChildren();
    const { windows, duration, name } = parts;
    const ruler = h("div", { class: "vc-ruler vc-lane", "aria-hidden": "true" });
    const canvas = h("canvas", { role: "img", style: "--h: 56px", "aria-label": say("parts.picture", { name, time: clock(duration), n: windows.length }) });
    const ranges = windows.map((part, i) => {
      const text = String(i + 1);
      const button = h("button", { class: "vc-range", type: "button", "data-verdict": part.verdict, "aria-label": `${text}: ${say("part.hear", { n: text })}, ${partFacts(say, part)}`,
        style: `--a: ${part.start / duration}; --b: ${part.end / duration}` }, text);
      view.on(button, "click", () => heard.toggle(`part:${i}`));
      return button;
    });
    const lanes = h("div", { class: "vc-lanes" }, h("div", { class: "vc-lane-name", "aria-hidden": "true" }, say(duration < 120 ? "axis.s" : "axis.min")), ruler,
      h("div", { class: "vc-lane-name" }, say("level")), h("div", { class: "vc-lane is-picture" }, canvas),
      ...withoutOverlap(windows, duration * LEAST_SHARE).flatMap((lane, n) => [h("div", { class: "vc-lane-name" }, n ? "" : say("found")),
        h("div", { class: "vc-lane is-marks" }, ...lane.map((i) => ranges[i]))]));
    rows = windows.map((part, i) => partRow(view, heard, part, i));
    section.replaceChildren(h("div", { class: "vc-section-head" }, h("h4", {}, say("parts", { name })), h("span", { class: "vc-quiet" }, say("parts.why", { time: clock(duration) }))),
      lanes, h("ul", { class: "vc-list", "aria-label": say("parts", { name }) }, ...rows.map(({ node }) => node)));
    view.paints(lanes, () => { paintMinutes(ruler, duration); paintLevels(canvas, parts); });
    return show();
  };
  const show = () => rows.forEach((row) => row.show());
  const ask = (key) => {
    if (asked || model.get("working")) return;
    order(model, { type: "find", key });
    asked = true; // while a cell runs the kernel takes it only afterwards
    setTimeout(() => asked && works({ kind: "find", step: say("busy.wait") }), PATIENCE_MS);
  };
  const works = (working) => {
    const finding = working?.kind === "find";
    busy.hidden = bar.hidden = !finding;
    if (!finding) { said = ""; return; }
    if (said !== working.step || !busy.firstChild) {
      fillNotice(busy, { verdict: "info", waiting: true, what: say("finding"), remedy: sentence(working.step), actions: [cancel] });
      said = working.step;
    }
    bar.style.setProperty("--at", working.share ?? 0);
    bar.setAttribute("aria-valuenow", Math.round(100 * (working.share ?? 0)));
  };
  view.on(heard, "change", show);
  view.follow(["parts"], found);
  view.follow(["working", "error"], (working) => { asked = false; works(working); });
  return { nodes: [busy, bar, section], ask };
}
