// Findings over the sound: ruler, level and spectrogram of what is heard now, and a lane of ranges for each finding.

const APART_PX = 28; // places nearer than this are one range: each is at least 24 px wide, to be hit
const MOST_LANES = 8;

/** What is looked at: the deck of the player, which of its sounds, and the finding that is open. */
class Stage extends EventTarget {
  constructor(view) {
    super();
    this.view = view;
    this.deck = null;
    this.open = null;
    view.follow(["player"], (ref) => this.take(ref));
    view.follow(["found", "before"], () => this.tell("findings"));
    view.signal.addEventListener("abort", () => this.deck?.pause());
  }

  get mended() { return (this.deck?.tapes.length ?? 1) > 1; }
  get side() { return this.mended && this.deck.active === 0 ? "before" : "found"; }
  get findings() { return this.view.model.get(this.side); }
  tell(name) { this.dispatchEvent(new Event(name)); }

  async take(ref) {
    const { view } = this;
    this.deck?.pause();
    const found = ref && view.host ? (await view.host.getWidget(ref)).exports : null;
    if (view.model.get("player") !== ref || view.signal.aborted) return; // another clip came meanwhile
    this.deck = found;
    this.tell("deck");
    if (!found) return;
    for (const name of ["state", "chosen", "loaded"]) view.on(found, name, () => found === this.deck && this.tell(name));
    view.on(found, "failed", () => view.setFault(found.failed));
    if (this.mended && !found.shown) found.choose(1); // the mended one, once, and not again in a second view
    found.shown = true;
    await found.load();
  }

  /** Open a finding and hear one of its places. */
  async hear(finding, [from, to]) {
    this.open = finding.check;
    this.tell("opened");
    this.deck.setRegion(from, to);
    this.deck.seek(from);
    await this.deck.play();
  }
}

const minus = (text) => String(text).replace(/-(?=[\d.])/g, "−");

/** A value or a requirement as people write it: bytes as MB, thousands of hertz as kHz. */
function measured(text) {
  return minus(text).replace(/([\d.]+) bytes/g, (_, n) => `${megabytes(Number(n))} MB`)
    .replace(/([\d.]+) Hz/g, (all, n) => (Number(n) >= 1000 ? `${Math.round(Number(n) / 100) / 10} kHz` : all));
}

/** A value as people say it: no more figures than matter, and "none" for none of a kind. */
function valueOf(say, { check, value, unit, verdict }) {
  if (check === "format" && value) return String(value).split("/")[0].toUpperCase();
  if (check === "channels" && value) return say("channels", { n: value });
  if (typeof value !== "number") return value ?? (verdict === "pass" ? say("none") : "");
  if (value === 0 && unit !== "s") return say("none");
  const round = unit === "cosine" ? 2 : Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : 1;
  const shown = Number(value.toFixed(round)) || value;
  return measured(`${shown} ${unit === "cosine" ? "" : unit}`.trim()).replace(/^1 (place|hole)s$/, "1 $1");
}

/** Where a value stands on the scale of what is wanted, in shares; null where there is no such scale. */
function scaleOf({ value, required }) {
  const number = "(−?-?[\\d.]+)", [, sign, one, other] = required.match(new RegExp(`^(>=|<=|<)? ?${number}(?: to ${number})?(?: |$)`)) ?? [];
  if (typeof value !== "number" || one === undefined || (!sign && other === undefined)) return null;
  const a = Number(one), b = Number(other ?? one), reach = other === undefined ? Math.abs(a) : b - a;
  const low = a - reach, high = b + reach, share = (x) => Math.max(0, Math.min(1, (x - low) / (high - low)));
  const zone = sign === ">=" ? [share(a), 1] : sign ? [0, share(a)] : [share(a), share(b)];
  return { at: share(value), from: zone[0], to: zone[1] };
}

/** Join places that a screen could not keep apart. */
function grouped(segments, apart) {
  const groups = [];
  for (const [from, to] of segments) {
    const last = groups.at(-1);
    if (last && from - Math.max(last.to, last.from + apart) < 0) {
      last.to = Math.max(last.to, to);
      last.n += 1;
    } else groups.push({ from, to, n: 1 });
  }
  return groups;
}

function rangesOf(view, stage, finding, width) {
  const { say } = view, { check, verdict, segments } = finding, { duration } = stage.deck.tape;
  return grouped(segments, (APART_PX / Math.max(width, 1)) * stage.deck.duration).map(({ from, to, n }) => {
    const text = n > 1 ? say("places", { n }) : valueOf(say, finding);
    const said = say("range", { text, check: say(`check.${check}`), verdict: say(`verdict.${verdict}`), from: from.toFixed(1), to: to.toFixed(1) });
    const button = h("button", { class: "vc-range", type: "button", "data-verdict": verdict, "data-check": check, "aria-label": said, title: said,
      style: `--a: ${from / stage.deck.duration}; --b: ${Math.min(to, duration) / stage.deck.duration}` }, icon(verdict), text);
    view.on(button, "click", () => stage.hear(finding, [from, to]));
    return button;
  });
}

/** The picture: everything over one time axis. */
function findingLanes(view, stage) {
  const { say } = view;
  const ruler = h("div", { class: "vc-ruler vc-lane", "aria-hidden": "true" });
  const still = h("canvas", { role: "img", style: "--h: var(--vc-h-wave)" });
  const played = h("canvas", { class: "vc-played", "aria-hidden": "true", style: "--h: var(--vc-h-wave)" });
  const picture = h("canvas", { role: "img", style: "--h: var(--vc-h-spec)" });
  const axis = h("div", { class: "vc-axis", "aria-hidden": "true" }, ...AXIS_HZ.map(([hz, text]) => h("span", { style: `--y: ${melShare(hz).toFixed(3)}` }, text)));
  const slider = h("div", { class: "vc-seek", role: "slider", tabindex: "0", "aria-label": say("position"), "aria-valuemin": "0" });
  const edge = h("span", { class: "vc-edge is-open", "data-verdict": "info", hidden: true }), edges = h("div", {});
  const over = h("div", { class: "vc-over" }, edges, edge, h("span", { class: "vc-head-line" }));
  const pictures = [h("div", { class: "vc-lane-name", "aria-hidden": "true" }, say("axis")), ruler,
    h("div", { class: "vc-lane-name" }, say("level")), h("div", { class: "vc-lane is-picture" }, still, played),
    axis, h("div", { class: "vc-lane is-picture" }, picture)];
  const box = h("div", { class: "vc-lanes is-findings" }, ...pictures, over, slider);
  let painted = null, listening = null;

  const marks = () => {
    const { deck, findings } = stage;
    if (!deck?.duration) return;
    const shown = findings.filter(({ segments, verdict }) => segments.length && verdict !== "pass").slice(0, MOST_LANES);
    const focused = box.contains(document.activeElement) ? document.activeElement.dataset.check : null;
    const rows = shown.flatMap((finding) => [h("div", { class: "vc-lane-name" }, say(`check.${finding.check}`)),
      h("div", { class: "vc-lane is-marks" }, ...rangesOf(view, stage, finding, still.offsetWidth))]);
    box.replaceChildren(...pictures, ...rows, over, slider);
    edges.replaceChildren(...shown.flatMap(({ check, verdict, segments }) => segments.slice(0, 12).map(([from, to]) =>
      h("span", { class: "vc-edge", "data-verdict": verdict, "data-check": check, style: `--a: ${from / deck.duration}; --b: ${to / deck.duration}` }))));
    if (focused) box.querySelector(`button[data-check="${focused}"]`)?.focus();
    opened();
  };
  const opened = () => {
    for (const node of box.querySelectorAll("[data-check]")) {
      const open = node.dataset.check === stage.open;
      if (node.tagName === "BUTTON") node.setAttribute("aria-pressed", String(open));
      else node.classList.toggle("is-open", open);
    }
  };
  const paint = () => {
    const { deck } = stage;
    paintRuler(ruler, deck?.duration || 1);
    marks();
    if (!deck?.samples) return;
    const { samples, rate, duration } = deck.tape, share = Math.min(1, duration / deck.duration);
    paintWave(still, samples, "--vc-wave", "--vc-wave-soft", share);
    paintWave(played, samples, "--vc-accent", "--vc-accent-soft", share);
    paintSpectrogram(picture, samples, rate, share);
    painted = samples;
  };
  const repaint = view.paints(box, paint);
  const named = () => {
    const { deck } = stage, name = view.model.get("facts")?.name ?? "";
    const list = stage.findings.filter(({ segments, verdict }) => segments.length && verdict !== "pass").map(({ check }) => say(`check.${check}`)).join(", ");
    still.setAttribute("aria-label", say("wave", { name, seconds: (deck?.tape.duration ?? 0).toFixed(2) }));
    picture.setAttribute("aria-label", say("picture", { name, list: list || say("picture.none") }));
  };
  const renew = () => {
    named();
    if (stage.deck?.samples && stage.deck.samples !== painted) repaint();
    else marks();
  };
  for (const name of ["findings", "loaded", "chosen", "state"]) view.on(stage, name, name === "state" ? () => show() : renew);
  view.on(stage, "opened", opened);
  view.on(stage, "deck", () => {
    if (stage.deck && listening !== stage.deck) {
      listening = stage.deck;
      listenToPointer(view, stage.deck, slider, edge);
    }
    renew();
  });
  const show = () => {
    const { deck } = stage;
    if (!deck?.duration) return;
    const { position, duration, region } = deck;
    box.style.setProperty("--at", position / duration);
    slider.setAttribute("aria-valuemax", duration.toFixed(2));
    slider.setAttribute("aria-valuenow", position.toFixed(2));
    slider.setAttribute("aria-valuetext", say("position.now", { now: position.toFixed(2), total: duration.toFixed(2) }));
    showEdge(edge, stage.open ? 0 : (region?.from ?? 0) / duration, stage.open ? 0 : (region?.to ?? 0) / duration);
  };
  return { box, show };
}
