// The take so far as a picture: waveform and spectrogram over one ruler, drawn as they grow, each column once.

const SPAN_S = 20; // seconds on the axis, then twice and three times as many
const WAVE_EVERY_S = 0.25;
const MOST_COLUMNS = 40; // of the spectrogram in one go: some 3 ms, so that what else the page does may come between

function takePicture(view, engine) {
  const { say } = view;
  const ruler = h("div", { class: "vc-ruler vc-lane", "aria-hidden": "true" }), head = h("span", { class: "vc-head-line is-live" });
  const wave = h("canvas", { role: "img", "aria-label": say("picture"), style: "--h: 56px" });
  const spectrum = h("canvas", { role: "img", "aria-label": say("picture.spectrum"), style: "--h: 72px" });
  const hint = h("p", { class: "vc-hint" }, say("picture.empty"));
  const node = h("div", { class: "vc-lanes is-take" }, ruler, h("div", { class: "vc-lane is-picture" }, wave), h("div", { class: "vc-lane is-picture" }, spectrum), h("div", { class: "vc-over" }, head, hint));
  let drawn = null; // what stands on the canvases: of which sound, over which span, and how far
  const begin = (sound, span) => {
    const [pen, width, height] = sheet(wave), bars = waveBars(wave, pen, height, "--vc-wave", "--vc-wave-soft");
    pen.fillRect(0, height / 2 - 0.5, width, 1);
    ruler.replaceChildren(...Array.from({ length: 10 }, (_, i) => h("span", { style: `--a: ${i / 10}` }, String((i * span) / 10))));
    const [film, wide, high] = sheet(spectrum), rate = sound?.rate ?? 1, same = drawn?.sound === sound && drawn.wide === wide && drawn.plate;
    const most = Math.max(1, Math.round((wide * engine.limits.longest) / SPAN_S)); // columns of the longest take, drawn closer when it is longer
    const plate = sound && (same || new Plate(spectrum, rate, (SPAN_S * rate) / wide, most, Math.max(1, Math.round(high))));
    drawn = { sound, span, bars, width, film, wide, high, plate, n: 0, per: Math.max(1, (span * rate) / Math.round(1.5 * width)) };
  };
  const advance = (over) => {
    const { sound, bars, width, film, wide, high, plate, span, per } = drawn;
    if (!sound) return;
    const samples = sound.all.subarray(0, sound.n), to = Math.floor(sound.n / per), step = (per * width) / (span * sound.rate);
    bars(columnsOf(samples.subarray(Math.round(drawn.n * per), Math.round(to * per)), to - drawn.n), drawn.n * step, step);
    drawn.n = to;
    do plate.add(samples, false, MOST_COLUMNS); while (over && (plate.n + 2) * plate.step <= sound.n);
    film.clearRect(0, 0, wide, high);
    film.drawImage(plate.canvas, 0, 0, plate.nColumns * (SPAN_S / span), high);
  };
  let painted = -1;
  const paint = (anew) => {
    const { sound, seconds, live } = engine, span = SPAN_S * Math.max(1, Math.ceil(seconds / SPAN_S));
    const old = anew || drawn?.sound !== sound || drawn.span !== span;
    hint.hidden = Boolean(sound);
    head.hidden = !live;
    head.style.setProperty("--a", seconds / span);
    if (!old && (live ? seconds - painted < WAVE_EVERY_S : drawn.over)) return;
    if (!node.isConnected || !node.offsetWidth) return; // asked only now: an answer costs the page a layout
    painted = seconds;
    if (old) begin(sound, span);
    advance(!live);
    drawn.over = !live;
  };
  view.paints(node, () => { drawn = null; paint(true); });
  return { node, show: () => paint(false) };
}
