// The other views of a comparison: map, spectra, pitch, and the table of measures.

const NAMED = 12; // ours: more names than that cover one another
const APART = 36; // pixels between the middles of two points

/** Push points apart that would cover one another, up and down: a hidden one cannot be pressed. */
function apart(placed, reach, height) {
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < placed.length; i++) {
      for (let j = 0; j < i; j++) {
        const [dx, dy] = [placed[i][0] - placed[j][0], placed[i][1] - placed[j][1]];
        if (Math.abs(dx) >= reach || Math.abs(dy) >= APART) continue;
        const step = ((APART - Math.abs(dy)) / 2) * (dy < 0 ? -1 : 1);
        placed[i][1] = Math.max(18, Math.min(height - 18, placed[i][1] + step));
        placed[j][1] = Math.max(18, Math.min(height - 18, placed[j][1] - step));
      }
    }
  }
}

/** Voices as points that can be pressed; one scale for both directions, so that near is alike. */
function voiceMap(view, desk) {
  const { say } = view, field = h("div", { class: "vc-map", role: "group", "aria-label": say("map") }), note = h("p", { class: "vc-quiet" });
  let dots = [];
  const paint = view.paints(field, () => {
    if (!dots.length) return;
    const [xs, ys] = [0, 1].map((axis) => dots.map(({ point }) => point[axis]));
    const middle = [xs, ys].map((all) => (Math.min(...all) + Math.max(...all)) / 2);
    const span = [xs, ys].map((all) => Math.max(0.05, Math.max(...all) - Math.min(...all)));
    const scale = Math.min((field.clientWidth - 216) / span[0], (field.clientHeight - 72) / span[1]);
    const bare = dots.length > NAMED, placed = dots.map(({ point }) => [(field.clientWidth - 140) / 2 + scale * (point[0] - middle[0]), field.clientHeight / 2 - scale * (point[1] - middle[1])]);
    apart(placed, bare ? APART : 170, field.clientHeight);
    field.classList.toggle("is-bare", bare);
    dots.forEach(({ node }, i) => { node.style.cssText = `left: ${placed[i][0] - 16}px; top: ${placed[i][1] - 16}px`; });
  });
  const show = () => {
    const { items, map: { points, kept } } = desk.told;
    dots = points.map((point, i) => ({ point, i })).filter(({ point }) => point[0] !== null).map(({ point, i }) => {
      const name = h("span", { class: "vc-cut" }, h("bdi", {}, items[i]));
      const node = h("button", { class: "vc-dot", type: "button", "data-s": i % STYLES, "aria-label": `${letterOf(i)} ${items[i]}, ${say("hear")}` }, h("span", { class: "vc-dot-mark" }, letterOf(i)), name);
      node.addEventListener("click", view.guarded(() => desk.hear([String(i)], String(i))), { signal: view.signal });
      return { node, point, i };
    });
    field.replaceChildren(...dots.map(({ node }) => node));
    const left = items.length - dots.length;
    note.textContent = [say("map.note", { percent: Math.round(100 * kept) }), left ? say("map.left", { n: left }) : ""].filter(Boolean).join(" ");
    sounds();
    paint();
  };
  const sounds = () => dots.forEach(({ node, i }) => node.setAttribute("aria-pressed", String(desk.plays(String(i)))));
  view.on(desk, "state", sounds);
  return { node: h("div", { class: "vc-section" }, h("div", { class: "vc-section-head" }, h("h4", {}, say("map"))), field, note), show };
}

const chosenOf = (desk) => desk.told.items.map((_, i) => [i, i]).filter(([i]) => desk.shown.has(i));

/** A view of lines with a legend that chooses them. */
function linesView(view, desk, title, height, specOf, note) {
  const chart = lineChart(view, height), lines = legend(view, desk);
  const draw = () => desk.told && chart.show(specOf(view, desk.told, chosenOf(desk)));
  view.on(desk, "shown", draw);
  return { node: h("div", { class: "vc-section" }, h("div", { class: "vc-section-head" }, h("h4", {}, view.say(title))), lines.node, chart.node, h("p", { class: "vc-quiet" }, view.say(note))), show() { lines.fill(); draw(); } };
}

function spectrumSpec(view, told, chosen) {
  const { hertz, levels } = told.spectrum, known = chosen.flatMap(([at]) => levels[at].filter((v) => v !== null));
  const low = Math.max(-70, Math.floor(Math.min(-20, ...known) / 10) * 10), ticks = [];
  for (let v = 0; v >= low; v -= 20) ticks.push([v, v ? `−${-v} dB` : "0 dB"]);
  return { label: view.say("spectra.label", { names: chosen.map(([at]) => letterOf(at)).join(", ") }), x: { log: true, from: hertz[0], to: hertz.at(-1), ticks: [[100, "100"], [300, "300"], [1000, "1000"], [3000, "3000"], [10000, "10,000 Hz"]] },
    y: { from: low, to: 0, ticks }, lines: chosen.map(([at, s]) => ({ xs: hertz, ys: levels[at].map((v) => (v === null || v < low ? null : v)), s })) };
}

/** A number as a table shows it: three digits that count. */
function shortly(value) {
  if (value === null) return "–";
  const text = Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
  return text.replace("-", "−");
}

/** What the sentinel says of a take, in a sign and in words. */
function verdictOf(found, say) {
  if (!found) return h("span", { class: "vc-quiet" }, say("recorded"));
  const [verdict, words] = found;
  return h("span", { class: "vc-why" }, h("span", { class: "vc-verdict", "data-verdict": verdict }, icon(verdict), say(`verdict.${verdict}`)),
    verdict === "pass" ? "" : h("span", { class: "vc-quiet" }, words));
}

function measuresTable(view, desk) {
  const { say } = view, holder = h("div", {});
  let table = null, made = "";
  const liked = (row) => (desk.pair ? (desk.pair[0] === row.i ? 1 : desk.told.cosines[row.i][desk.pair[0]]) : null);
  const columns = () => [
    { by: "clip", title: () => say("column.clip"), value: (row) => row.i, cell: (row, part) => h("span", { class: "vc-row" }, hearButton(part, desk, String(row.i), letterOf(row.i), row.name),
      h("span", { class: "vc-cut vc-clip-name" }, h("bdi", {}, row.name)), row.generated ? h("span", { class: "vc-tag" }, say("generated")) : "") },
    ...(desk.pair ? [{ by: "like", way: -1, kind: "is-right", title: () => say("column.like", { letter: letterOf(desk.pair[0]) }), value: liked, cell: (row) => (row.i === desk.pair[0] ? "–" : shortly(liked(row))) }] : []),
    ...(desk.told.verdicts.some(Boolean) ? [{ by: "verdict", title: () => say("column.verdict"), value: (row) => ["fail", "unknown", "pass"].indexOf(row.verdict?.[0]), cell: (row) => verdictOf(row.verdict, say) }] : []),
    ...desk.told.measures.map(({ name, title }, k) => ({ by: name, kind: "is-right", title: () => title, value: (row) => row.values[k], cell: (row) => shortly(row.values[k]) })),
  ];
  const show = () => {
    const { told } = desk, now = JSON.stringify([told.measures, Boolean(desk.pair)]);
    if (now !== made) {
      made = now;
      table = sortedTable(view, { caption: say("table"), columns: columns(), sort: ["clip", 1] });
      holder.replaceChildren(table.node);
    }
    table.set(told.items.map((name, i) => ({ i, name, values: told.values[i], verdict: told.verdicts[i], generated: told.sounds[i].generated })));
  };
  view.on(desk, "pair", () => table?.draw());
  return { node: holder, show };
}
