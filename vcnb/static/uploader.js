// The uploader: a place to drop on, a row for each file under way and for each that is here.

const SECONDS_BEST = 60; // what the service takes; of anything longer the best part is worth looking for

/** Seconds as people write them. */
function clock(seconds) {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds), two = (value) => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}:${two(whole % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

function arrivedFacts(say, row) {
  const facts = [row.duration !== null && clock(row.duration), row.rate > 0 && `${row.rate / 1000} kHz`,
    row.channels > 0 && say("channels", { n: row.channels }), `${megabytes(row.size)} MB`];
  return [...facts.filter(Boolean), row.decoded && say("decoded")].filter(Boolean).join(" · ");
}

/** A row's picture, from the hundred figures that came with it. */
function paintPeaks(canvas, peaks) {
  const [pen, width, height] = sheet(canvas), step = width / peaks.length;
  pen.fillStyle = colour(canvas.parentElement, "--vc-wave");
  peaks.forEach((peak, i) => {
    const size = Math.max(1, (peak / 100) ** 0.7 * height);
    pen.fillRect(i * step, (height - size) / 2, Math.max(1, step * 0.6), size);
  });
}

/** The one sound of the panel: the kernel makes its player when a row's Hear is pressed. */
class Heard extends EventTarget {
  constructor(view) {
    super();
    this.view = view;
    this.sound = this.key = this.wanted = null;
    view.follow(["player", "heard"], (ref, key) => this.take(ref, key));
    view.signal.addEventListener("abort", () => this.sound?.pause());
  }

  async take(ref, key) {
    const { view } = this;
    this.sound?.pause();
    this.sound = this.key = null;
    this.changed();
    if (!ref || !key || !view.host) return;
    const found = (await view.host.getWidget(ref)).exports;
    if (view.model.get("player") !== ref || view.model.get("heard") !== key) return; // another came meanwhile
    [this.sound, this.key] = [found, key];
    view.on(found, "state", () => this.changed());
    view.on(found, "failed", () => view.setFault(found.failed));
    if (this.wanted === key) await this.sound.play();
    this.wanted = null;
    this.changed();
  }

  changed() { this.dispatchEvent(new Event("change")); }
  plays(key) { return this.key === key && Boolean(this.sound?.playing); }

  toggle(key) {
    if (this.key === key) return this.sound.toggle();
    this.sound?.pause();
    this.wanted = key;
    order(this.view.model, { type: "hear", key });
    return this.changed();
  }
}

/** The row of a file that is here. */
function arrivedRow(view, heard, parts, row) {
  const { say, model } = view, { key, name } = row;
  const small = (glyph, word, run, plain) => {
    const button = h("button", { class: `vc-button is-small${plain ? " is-plain" : ""}`, type: "button", "aria-label": `${say(word)} ${name}` }, icon(glyph), say(word));
    view.on(button, "click", () => { view.setFault(null); return run(); });
    return button;
  };
  if (row.removed) {
    const undo = small("again", "undo", () => order(model, { type: "undo", key }));
    return { node: h("li", { class: "vc-item vc-file" }, icon("file"), h("p", { class: "vc-quiet" }, say("removed", { name })),
      h("span", { class: "vc-progress" }), h("div", { class: "vc-actions" }, undo)), show() {} };
  }
  const hear = small("play", "hear", () => heard.toggle(key));
  hear.classList.add("vc-hear");
  const use = h("button", { class: "vc-button is-small vc-use", type: "button" });
  view.on(use, "click", () => order(model, { type: "choose", key }));
  const mini = h("canvas", { class: "vc-mini", "aria-hidden": "true" });
  const facts = h("p", { class: "vc-quiet vc-num" }, arrivedFacts(say, row));
  const long = row.long && h("p", { class: "vc-quiet" }, say("long"));
  const find = (row.long || row.duration > SECONDS_BEST) && small("cut", "find", () => parts.ask(key));
  const node = h("li", { class: "vc-item vc-file" }, icon("file"),
    h("div", {}, h("p", { class: "vc-title" }, h("span", { class: "vc-cut" }, name)), facts, long),
    h("div", { class: "vc-progress" }, row.peaks.length > 0 && mini),
    h("div", { class: "vc-actions" }, !row.long && hear, find, use, small("close", "drop.remove", () => order(model, { type: "remove", key }), true)));
  if (row.peaks.length) view.paints(mini, () => paintPeaks(mini, row.peaks));
  const show = () => {
    const chosen = model.get("chosen") === key, plays = heard.plays(key);
    node.classList.toggle("is-chosen", chosen);
    use.replaceChildren(...(chosen ? [icon("tick"), say("used")] : [say("use")]));
    use.setAttribute("aria-pressed", String(chosen));
    use.setAttribute("aria-label", `${say(chosen ? "used" : "use")} ${name}`);
    hear.replaceChildren(icon(plays ? "pause" : "play"), say(plays ? "hear.stop" : heard.wanted === key ? "hear.wait" : "hear"));
  };
  return { node, show };
}

/** What a page that was loaded anew had begun: the same file, chosen again, goes on from there. */
function brokenRow(view, { key, name, got, size }) {
  const { say, model } = view;
  const forget = h("button", { class: "vc-button is-small is-plain", type: "button", "aria-label": `${say("drop.remove")} ${name}` }, icon("close"), say("drop.remove"));
  view.on(forget, "click", () => order(model, { type: "forget", key }));
  return h("li", { class: "vc-item vc-file" }, icon("file"),
    h("div", {}, h("p", { class: "vc-title" }, h("span", { class: "vc-cut" }, name)),
      h("p", { class: "vc-quiet vc-num" }, say("drop.broken", { got: megabytes(got), size: megabytes(size) }))),
    h("div", { class: "vc-progress" }, h("span", { class: "vc-bar is-waiting", style: `--at: ${got / size}` }, h("i", {}))),
    h("div", { class: "vc-actions" }, forget));
}

function drawUploader(view, transfers) {
  const { say, model } = view, { size: limit } = model.get("limits");
  const fact = h("p", { class: "vc-fact" }), list = h("ul", { class: "vc-list", "aria-label": say("files") });
  const spoken = h("p", { class: "vc-only-reader", role: "status" });
  const body = h("div", { class: "vc-body" });
  const root = frame(view, "upload", { fact }, body);
  const heard = new Heard(view), parts = partsSection(view, heard);
  body.append(dropZone(view, transfers, root, say("formats", { limit: megabytes(limit) })), list, ...parts.nodes, spoken, errorLine(view));
  let shown = new Map(); // what stays in the list keeps its node, and so its focus

  const row = (key, state, make) => {
    const known = shown.get(key);
    return known && known.state === state ? known : { ...make(), state };
  };
  const show = () => {
    const next = new Map();
    for (const one of model.get("files")) next.set(one.key, row(one.key, JSON.stringify(one), () => arrivedRow(view, heard, parts, one)));
    for (const one of model.get("broken")) next.set(one.key, row(one.key, one.got, () => ({ node: brokenRow(view, one), show() {} })));
    for (const one of transfers.list) {
      next.set(one, row(one, one.name, () => { const made = transferRow(view, transfers, one); return { node: made.row, show: made.show }; }));
    }
    const nodes = [...next.values()].map(({ node }) => node);
    const before = document.activeElement, focused = list.contains(before);
    for (const old of [...list.children]) if (!nodes.includes(old)) old.remove();
    nodes.forEach((node, i) => { if (list.children[i] !== node) list.insertBefore(node, list.children[i] ?? null); });
    if (focused && !list.contains(before)) (list.querySelector("button") ?? root.querySelector("button"))?.focus();
    shown = next;
    list.hidden = nodes.length === 0;
    for (const each of next.values()) each.show();
    const count = (states) => transfers.list.filter(({ state }) => states.includes(state)).length;
    const here = model.get("files").filter(({ removed }) => !removed).length, refused = count(["refused", "lost"]);
    const coming = transfers.list.length - refused;
    fact.textContent = [coming && say("fact.coming", { n: coming }), here && say("fact.here", { n: here }), refused && say("fact.refused", { n: refused })]
      .filter(Boolean).join(", ") || say("fact");
  };
  view.on(transfers, "change", ({ what }) => {
    show();
    if (!what || what.state === "gone") return;
    const { state, transfer } = what, { name } = transfer;
    spoken.textContent = state === "refused" ? [name, ...whyRefused(say, transfer, limit)].join(" ") : say(`said.${state}`, { name });
  });
  view.on(heard, "change", show);
  view.follow(["files", "broken", "chosen"], show);
  view.follow(["working"], (working) => { if (!working && !model.get("heard")) heard.wanted = null; show(); });
  view.el.append(root);
}

export default panel({ prepare: ({ model, signal }) => new Transfers(model, signal), draw: drawUploader });
