// Who sounds like whom: the heat map with its tree, and what one pair's number means.

const COLDEST = 0.4; // the quiet end of the map, where two strangers score; lower ones are drawn so too

function heatMap(view, desk) {
  const { say } = view, table = h("table", { class: "vc-heat" }), key = h("p", { class: "vc-quiet vc-row vc-heat-key" });
  let cells = [], order = [], focus = [0, 1];
  const strip = h("span", { class: "vc-heat-strip", "aria-hidden": "true" });
  key.append(h("span", {}, say("heat.low", { low: COLDEST })), strip, h("span", {}, say("heat.high")));
  const paint = view.paints(table, () => {
    const [r, g, b] = colour(table.parentElement, "--vc-surface").match(/[\d.]+/g).map(Number), dark = luminance([r, g, b]) < 0.2;
    const colours = new Uint8Array(mapColours(dark).buffer); // four to a shade
    const at = (share) => colours.slice(4 * Math.round(255 * share), 4 * Math.round(255 * share) + 3);
    strip.style.background = `linear-gradient(to right, ${[0, 0.25, 0.5, 0.75, 0.85].map((share) => `rgb(${at(share)})`).join(",")})`;
    for (const { node, cosine } of cells) {
      const rgb = at(0.85 * Math.max(0, Math.min(1, ((cosine ?? 0) - COLDEST) / (1 - COLDEST))));
      node.style.cssText = cosine === null ? "" : `background: rgb(${rgb}); color: ${luminance(rgb) > 0.18 ? "#000" : "#fff"}`;
    }
  });
  const rove = () => cells.forEach(({ node, i, j }) => { node.tabIndex = i === focus[0] && j === focus[1] ? 0 : -1; });
  const press = () => {
    const [a, b] = desk.pair ?? [];
    for (const { node, i, j } of cells) node.setAttribute("aria-pressed", String((i === a && j === b) || (i === b && j === a)));
  };
  const cellOf = (i, j) => {
    if (i === j) return h("td", {}, h("span", { class: "vc-self" }, h("span", { class: "vc-only-reader" }, say("heat.self"))));
    const cosine = desk.told.cosines[i][j];
    const node = h("button", { type: "button", tabindex: "-1", "aria-label": say("heat.cell", { one: letterOf(i), other: letterOf(j), cosine: cosine === null ? say("unknown") : cosine.toFixed(2) }) },
      cosine === null ? "–" : cosine.toFixed(2));
    node.addEventListener("click", view.guarded(() => { focus = [i, j]; rove(); desk.choose(i, j); }), { signal: view.signal });
    node.addEventListener("keydown", (event) => move(event, i, j), { signal: view.signal });
    cells.push({ node, cosine, i, j });
    return h("td", {}, node);
  };
  const move = (event, i, j) => {
    const [down, right] = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key] ?? [0, 0];
    if (!down && !right) return;
    event.preventDefault();
    let [row, column] = [order.indexOf(i) + down, order.indexOf(j) + right];
    if (row === column) [row, column] = [row + down, column + right]; // over the diagonal
    const found = cells.find((cell) => cell.i === order[row] && cell.j === order[column]);
    if (found) { focus = [found.i, found.j]; rove(); found.node.focus(); }
  };
  const show = () => {
    ({ order } = desk.told);
    cells = [];
    const n = order.length, top = Math.max(0.05, ...desk.told.tree.flat().map(([, y]) => y));
    const tree = svg("svg", { viewBox: `0 0 ${n} 1`, preserveAspectRatio: "none", role: "img", "aria-label": say("tree") },
      ...desk.told.tree.map((joint) => svg("path", { class: "vc-tree", d: joint.map(([x, y], k) => `${k ? "L" : "M"}${x + 0.5} ${1 - (0.94 * y) / top}`).join("") })));
    table.style.setProperty("--vc-n", n);
    table.replaceChildren(h("caption", { class: "vc-only-reader" }, say("heat")),
      h("thead", {}, h("tr", {}, h("td", {}), h("td", { colspan: n, class: "vc-tree-cell" }, tree)), h("tr", {}, h("td", {}), ...order.map((i) => h("th", { scope: "col" }, letterOf(i))))),
      h("tbody", {}, ...order.map((i) => h("tr", {}, h("th", { scope: "row" }, h("span", { class: "vc-cut" }, h("b", {}, letterOf(i)), " ", h("bdi", {}, desk.told.items[i]))), ...order.map((j) => cellOf(i, j))))));
    focus = desk.pair ?? [order[0], order[1]];
    rove();
    press();
    paint();
  };
  view.on(desk, "pair", press);
  const node = h("div", { class: "vc-section" }, h("div", { class: "vc-section-head" }, h("h4", {}, say("heat"))), h("div", { class: "vc-scroll" }, table), key);
  return { node, show };
}

/** A ratio in numbers that people read. */
function ratioOf(value) {
  return value >= 10 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
}

function pairCard(view, desk) {
  const { say } = view, title = h("h4", {}), hears = h("div", { class: "vc-hears" }), figures = h("dl", { class: "vc-figures" });
  const says = h("p", {}), curves = lineChart(view, 128), same = h("span", {}), different = h("span", {}), meaning = h("p", { class: "vc-quiet" });
  const box = h("div", { class: "vc-section vc-pair" }, h("div", { class: "vc-section-head", role: "status" }, title), hears, figures, says,
    h("figure", { class: "vc-section" }, curves.node, h("figcaption", { class: "vc-quiet vc-curves" }, h("span", {}, swatch(0), same), h("span", {}, swatch(1), different))), meaning);
  const pitch = lineChart(view, 150), lines = h("span", { class: "vc-quiet vc-curves" });
  const melody = h("div", { class: "vc-section" }, h("div", { class: "vc-section-head" }, h("h4", {}, say("pitch")), lines), pitch.node);
  let held = null;
  const figure = (name, value, small, first) => h("div", { class: `vc-figure${first ? " is-first" : ""}` }, h("dt", {}, say(name)), h("dd", {}, value, " ", h("small", {}, small)));
  const show = () => {
    box.hidden = melody.hidden = !desk.pair;
    if (!desk.pair) return;
    held?.abort();
    held = new AbortController();
    const signal = AbortSignal.any([view.signal, held.signal]);
    const part = { ...view, signal, on: (target, type, run) => target.addEventListener(type, view.guarded(run), { signal }) };
    const { told, pair } = desk, [i, j] = pair, found = desk.pairOf(i, j), letters = pair.map(letterOf);
    const known = found.cosine !== null, keys = pair.map(String);
    title.textContent = known ? say("pair", { one: letters[0], other: letters[1], words: found.words }) : say("pair.unknown", { one: letters[0], other: letters[1] });
    hears.replaceChildren(...pair.flatMap((at, k) => [hearButton(part, desk, keys[k], letters[k], told.items[at], () => desk.hear(keys, keys[k])),
      h("span", { class: "vc-cut vc-pair-name" }, h("bdi", {}, told.items[at]), told.sounds[at].generated ? ` · ${say("generated")}` : "")]));
    for (const node of [figures, says, curves.node.parentElement, meaning]) node.hidden = !known;
    if (!known) says.hidden = false;
    says.textContent = known ? "" : say("pair.unknown.do");
    if (known) numbers(found, told);
    melodyOf(told, pair);
  };
  const numbers = (found, told) => {
    const less = found.likelihood_ratio < 1, turned = less ? [1 / found.likelihood_ratio, 1 / found.high, 1 / found.low] : [found.likelihood_ratio, found.low, found.high];
    const [least, most] = told.calibration.limits, limit = less ? 1 / least : most;
    const [plain, low, high] = turned.map(ratioOf), ratio = turned[0] > 0.999 * limit ? say("ratio.beyond", { ratio: plain }) : plain;
    figures.replaceChildren(figure("cosine", found.cosine.toFixed(2), "", true), figure("ratio", ratio, say("ratio.to", { low, high })));
    says.textContent = say(less ? "ratio.two" : "ratio.one", { ratio });
    same.textContent = say("curve.same", { percent: percent(found.same_percent) });
    different.textContent = say("curve.different", { percent: percent(found.different_percent) });
    const { cosine, same: ones, different: twos } = told.curves, height = Math.max(...ones, ...twos);
    curves.show({ label: say("curves", { cosine: found.cosine.toFixed(2) }), x: { from: 0.3, to: 1, ticks: [0.4, 0.6, 0.8, 1].map((v) => [v, v.toFixed(1)]) }, y: { from: 0, to: height, ticks: [] },
      lines: [{ xs: cosine, ys: ones, s: 0 }, { xs: cosine, ys: twos, s: 1 }], mark: { x: Math.max(0.3, found.cosine), text: say("this.pair", { cosine: found.cosine.toFixed(2) }) } });
    meaning.textContent = `${say("calibrated", { n_pairs: told.calibration.n_pairs.toLocaleString("en"), n_speakers: told.calibration.n_speakers.toLocaleString("en") })} ${told.meaning}`;
  };
  const melodyOf = (told, pair) => {
    lines.replaceChildren(...pair.map((at, k) => h("span", {}, swatch(k), letterOf(at))));
    pitch.show(pitchSpec(view, told, pair.map((at, k) => [at, k])));
  };
  view.on(desk, "pair", show);
  return { node: box, melody, show };
}

const percent = (value) => (value > 0 && value < 1 ? value.toFixed(1) : String(Math.round(value)));

/** Pitch of some, on the time of the first recording. */
function pitchSpec(view, told, chosen) {
  const { say } = view, { duration, contours } = told.pitch, xs = contours[0].map((_, i) => (i / (contours[0].length - 1)) * duration);
  const heights = chosen.flatMap(([at]) => contours[at].filter((v) => v !== null)).sort((a, b) => a - b);
  const most = Math.max(3, Math.min(18, Math.ceil(Math.max(-(heights[Math.floor(heights.length * 0.01)] ?? 0), heights[Math.floor(heights.length * 0.99)] ?? 0))));
  const step = duration > 20 ? 5 : duration > 8 ? 2 : duration > 3 ? 1 : 0.5, times = Array.from({ length: Math.floor(duration / step) + 1 }, (_, i) => i * step);
  const within = (v) => (v === null || Math.abs(v) > most ? null : v);
  return { label: say("pitch.label", { names: chosen.map(([at]) => letterOf(at)).join(", "), first: letterOf(0) }), x: { from: 0, to: duration, ticks: times.map((v) => [v, `${+v.toFixed(1)} s`]) },
    y: { from: -most, to: most, ticks: [-most, 0, most].map((v) => [v, v > 0 ? `+${v} st` : v < 0 ? `−${-v} st` : "0"]) }, lines: chosen.map(([at, s]) => ({ xs, ys: contours[at].map(within), s })) };
}
