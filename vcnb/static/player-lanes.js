// What is seen of a deck: everything over one time axis, and how a pointer moves in it.

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300];
const LIVE_SPAN = 5; // seconds; the axis of a stream doubles when it is full, so that it does not creep
const DRAG_PX = 4;
const LABEL_PX = 28; // of the longest label of the ruler: one that would be cut off is left out
const AXIS_HZ = [[200, "200 Hz"], [1000, "1 kHz"], [3000, "3"], [12000, "12"]];

/** How many seconds the axis shows. */
function spanOf(deck) {
  if (deck.whole || !deck.streaming) return deck.duration;
  let span = LIVE_SPAN;
  while (span < deck.duration) span *= 2;
  return span;
}

/** Marks of the time axis, at least 48 px from one to the next. */
function paintRuler(ruler, duration) {
  const step = STEPS.find((s) => (s / duration) * ruler.offsetWidth >= 48) ?? 600;
  const marks = [];
  for (let i = 0; (1 - (i * step) / duration) * ruler.offsetWidth >= LABEL_PX; i++) {
    const text = step >= 60 ? `${Math.floor((i * step) / 60)}:00` : String(Math.round(i * step * 10) / 10);
    marks.push(h("span", { style: `--a: ${(i * step) / duration}` }, text));
  }
  ruler.replaceChildren(...marks);
}

function waveLane(view, deck, i) {
  const { say } = view, tape = deck.tapes[i], several = deck.tapes.length > 1;
  const height = `--h: ${i ? "48px" : "var(--vc-h-wave)"}`;
  const still = h("canvas", { role: "img", style: height }), played = h("canvas", { class: "vc-played", "aria-hidden": "true", style: height });
  const name = h("div", { class: "vc-lane-name" }), row = h("div", { class: "vc-lane is-picture" }, still, played);
  const label = () => {
    const here = i === deck.active;
    name.replaceChildren(several ? deck.letterOf(i) : say("sound"));
    name.classList.toggle("vc-strong", several && here);
    played.hidden = !here;
    still.setAttribute("aria-label", say("wave", { name: tape.facts.name || say("unnamed"), seconds: tape.duration.toFixed(2) }));
  };
  const paint = () => {
    const samples = tape.samples ?? (tape.streamed && tape.have ? tape.grown.subarray(0, tape.have) : null);
    if (!samples) return paintOutline(still, tape.facts.outline, tape.duration / (spanOf(deck) || 1));
    const share = spanOf(deck) ? Math.min(1, samples.length / tape.rate / spanOf(deck)) : 1;
    paintWave(still, samples, "--vc-wave", "--vc-wave-soft", share);
    return paintWave(played, samples, "--vc-accent", "--vc-accent-soft", share);
  };
  return { nodes: [name, row], label, paint };
}

function spectrumLane(view, deck) {
  const { say } = view;
  const canvas = h("canvas", { role: "img", style: "--h: calc(var(--vc-h-spec) - 40px)" });
  const axis = h("div", { class: "vc-axis", "aria-hidden": "true" }, ...AXIS_HZ.map(([hz, text]) => h("span", { style: `--y: ${melShare(hz).toFixed(3)}` }, text)));
  const label = () => canvas.setAttribute("aria-label", say("spectrum", { name: deck.facts.name || say("unnamed") }));
  const paint = () => {
    const { samples, rate, duration } = deck.tape;
    if (samples?.length) paintSpectrogram(canvas, samples, rate, Math.min(1, duration / deck.duration));
    else sheet(canvas);
  };
  return { nodes: [axis, h("div", { class: "vc-lane is-picture" }, canvas)], label, paint };
}

/** Places that were found: each is heard by a press, and becomes the region. */
function markLanes(view, deck) {
  const { say } = view, rows = new Map();
  for (const mark of deck.marks ?? []) rows.set(mark.row, [...(rows.get(mark.row) ?? []), mark]);
  return [...rows].flatMap(([row, marks]) => {
    const buttons = marks.map(({ verdict, text, start, end }) => {
      const said = say("mark", { text: `${row ? `${row}: ` : ""}${text}`, from: start.toFixed(2), to: end.toFixed(2) });
      const button = h("button", {
        class: "vc-range", type: "button", "data-verdict": verdict, "aria-label": said, title: said, "aria-pressed": "false",
        style: `--a: ${start / deck.duration}; --b: ${end / deck.duration}`,
      }, verdict !== "info" && icon(verdict), text);
      view.on(button, "click", async () => {
        deck.setRegion(start, end);
        deck.seek(start);
        await deck.play();
      });
      view.on(deck, "state", () => button.setAttribute("aria-pressed", String(deck.region?.from === start && deck.region?.to === Math.min(end, deck.duration))));
      return button;
    });
    return [h("div", { class: "vc-lane-name" }, row || say("marks")), h("div", { class: "vc-lane is-marks" }, ...buttons)];
  });
}

/** A click goes there; a drag chooses a region. */
function listenToPointer(view, deck, slider, edge) {
  let from = null, dragged = false;
  const at = (event) => {
    const { left, width } = slider.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - left) / width)) * deck.duration;
  };
  view.on(slider, "pointerdown", (event) => {
    slider.setPointerCapture(event.pointerId);
    [from, dragged] = [event, false];
  });
  view.on(slider, "pointermove", (event) => {
    if (!from || !deck.whole) return;
    dragged ||= Math.abs(event.clientX - from.clientX) > DRAG_PX;
    if (dragged) showEdge(edge, Math.min(at(from), at(event)) / deck.duration, Math.max(at(from), at(event)) / deck.duration);
  });
  view.on(slider, "pointerup", (event) => {
    if (!from) return;
    const [a, b] = [at(from), at(event)], { region } = deck;
    from = null;
    if (dragged) {
      deck.setRegion(a, b);
      if (deck.region) deck.seek(deck.region.from);
      return;
    }
    if (region && (b < region.from || b > region.to)) deck.setRegion(0, 0);
    deck.seek(b);
  });
  view.on(slider, "pointercancel", () => { from = null; });
}

function showEdge(edge, a, b) {
  edge.hidden = !(b > a);
  edge.style.setProperty("--a", a);
  edge.style.setProperty("--b", b);
}

/** Ruler, waveforms, spectrogram, marks and text; the part that was played is a second picture, cut off. */
function lanes(view, deck, { spectrum = true } = {}) {
  const { say } = view;
  const ruler = h("div", { class: "vc-ruler vc-lane", "aria-hidden": "true" });
  const head = h("span", { class: "vc-head-line" }), edge = h("span", { class: "vc-edge is-open", "data-verdict": "info", hidden: true });
  const slider = h("div", { class: "vc-seek", role: "slider", tabindex: "0", "aria-label": say("position"), "aria-valuemin": "0" });
  const waves = deck.tapes.map((_, i) => waveLane(view, deck, i)), [first, ...others] = waves;
  const rows = [first, ...(spectrum ? [spectrumLane(view, deck)] : []), ...others];
  const box = h("div", { class: "vc-lanes" });
  const build = () => {
    const { text } = deck.tape;
    box.replaceChildren(h("div", { class: "vc-lane-name", "aria-hidden": "true" }, say("axis")), ruler, ...rows.flatMap((row) => row.nodes),
      ...(deck.whole ? markLanes(view, deck) : []),
      ...(deck.tapes.some((tape) => tape.text) ? [h("div", { class: "vc-lane-name" }, say("text")), h("div", { class: "vc-lane vc-spoken" }, text || "–")] : []),
      h("div", { class: "vc-over" }, edge, head), slider);
    for (const row of rows) row.label();
  };
  const paint = () => {
    paintRuler(ruler, spanOf(deck) || 1);
    for (const row of rows) row.paint();
  };
  const repaint = view.paints(box, paint);
  const renew = () => { build(); repaint(); show(); };
  for (const name of ["loaded", "learnt", "marks", "chosen"]) view.on(deck, name, renew);
  view.on(deck, "grown", () => !deck.whole && deck.streaming && repaint());
  const show = () => {
    const { position, duration, region } = deck, span = spanOf(deck) || 1;
    box.style.setProperty("--at", position / span);
    slider.setAttribute("aria-valuemax", duration.toFixed(2));
    slider.setAttribute("aria-valuenow", position.toFixed(2));
    slider.setAttribute("aria-valuetext", say("position.now", { now: position.toFixed(2), total: duration.toFixed(2) }));
    showEdge(edge, (region?.from ?? 0) / span, (region?.to ?? 0) / span);
  };
  listenToPointer(view, deck, slider, edge);
  build();
  return { box, show };
}

/** Space, arrows, Home and End, the letters of the clips, L for the loop, I and O for its ends: anywhere in the panel. */
function listenToKeys(view, deck, root) {
  const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1 };
  const region = () => deck.region ?? { from: 0, to: deck.duration };
  const keys = {
    Home: () => deck.seek(0),
    End: () => deck.seek(deck.duration),
    l: () => deck.setLooping(!deck.looping),
    i: () => deck.setRegion(deck.position, region().to > deck.position ? region().to : deck.duration),
    o: () => deck.setRegion(region().from < deck.position ? region().from : 0, deck.position),
    Backspace: () => deck.setRegion(0, 0),
  };
  view.on(root, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
    if (/^(SELECT|INPUT|TEXTAREA)$/.test(event.target.tagName)) return undefined;
    if (event.key === " " && event.target.tagName === "BUTTON") return undefined; // its own press does it
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key, move = moves[key];
    const letter = deck.tapes.length > 1 ? deck.tapes.findIndex((_, i) => deck.letterOf(i).toLowerCase() === key) : -1;
    if (key !== " " && !move && letter < 0 && !keys[key]) return undefined;
    event.preventDefault();
    if (key === " ") return deck.toggle();
    if (letter >= 0) return deck.choose(letter);
    if (move) return deck.seek(deck.position + move * (event.shiftKey ? 0.1 : 1));
    return keys[key]();
  });
}
