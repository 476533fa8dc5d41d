// What the panel of a comparison knows, and how lines and shades are drawn.

Object.assign(ICONS, {
  ear: '<path d="M2.5 10.5V8a5.5 5.5 0 0 1 11 0v2.5M2.5 9.5h2v4h-1a1 1 0 0 1-1-1zM13.5 9.5h-2v4h1a1 1 0 0 0 1-1z"/>',
});

const STYLES = 8; // of lines; then they begin anew
const SHOWN = 4; // lines that are drawn at first
const letterOf = (i) => (i < 26 ? "" : String.fromCharCode(64 + Math.floor(i / 26))) + String.fromCharCode(65 + (i % 26));

/** The numbers of the kernel and what this reader looks at; all views of a model share it. */
class Desk extends Sounding {
  constructor(model, link) {
    super(link);
    Object.assign(this, { model, told: null, waiting: null, pair: null, view: "similarity", shown: new Set() });
    model.on("msg:custom", (message, buffers) => {
      if (message.client && message.client !== link.client) return;
      if (message.type === "drawn") this.learn(message);
      if (message.type === "waiting") { this.forget(); Object.assign(this, { told: null, waiting: message.n_clips }); this.tell("told"); }
      if (message.type === "report") save([new Blob([bytesOf(buffers[0])], { type: "text/html" }), "comparison.html"]);
    });
  }

  learn(told) {
    const again = this.told && JSON.stringify(this.told.sounds.map(({ id }) => id)) === JSON.stringify(told.sounds.map(({ id }) => id));
    this.told = told;
    if (!again) {
      this.forget();
      this.shown = new Set(told.items.slice(0, SHOWN).map((_, i) => i));
      this.pair = this.mostAlike();
    }
    this.tell("told");
  }

  factsOf(key) { return this.told.sounds[Number(key)]; }

  /** Of each two in one list, as the kernel sends them. */
  pairOf(i, j) {
    const [a, b] = i < j ? [i, j] : [j, i], n = this.told.items.length;
    return this.told.pairs[a * n - (a * (a + 1)) / 2 + (b - a - 1)];
  }

  mostAlike() {
    let best = null;
    this.told.cosines.forEach((row, i) => row.forEach((cosine, j) => {
      if (i < j && cosine !== null && (!best || cosine > best[0])) best = [cosine, i, j];
    }));
    return best ? [best[1], best[2]] : this.told.items.length > 1 ? [0, 1] : null;
  }

  choose(i, j) { this.pair = [i, j]; this.tell("pair"); }
  look(name) { this.view = name; this.tell("view"); }
  toggle(i) { this.shown[this.shown.has(i) ? "delete" : "add"](i); this.tell("shown"); }
}

function svg(tag, props = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(props)) if (value !== null && value !== undefined) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** A short line in the style of one of the lines. */
const swatch = (i) => svg("svg", { viewBox: "0 0 24 8", class: "vc-swatch", "aria-hidden": "true", "data-s": i % STYLES }, svg("path", { d: "M0 4h24", class: "vc-line" }));

/** Lines over axes, drawn anew at each width; `show` takes { label, x, y, lines, mark }. */
function lineChart(view, height) {
  const box = h("div", { class: "vc-chart", role: "img", style: `height: ${height}px` });
  let spec = null;
  const paint = view.paints(box, () => {
    if (!spec) return;
    const width = box.clientWidth, { x, y, lines, mark, band } = spec;
    const left = y.ticks.length ? 44 : 4, right = 8, top = mark ? 20 : 8, bottom = height - 20;
    const scale = x.log ? Math.log : (v) => v;
    const atX = (v) => left + ((scale(v) - scale(x.from)) / (scale(x.to) - scale(x.from))) * (width - left - right);
    const atY = (v) => bottom - ((v - y.from) / (y.to - y.from)) * (bottom - top);
    const path = ({ xs, ys }) => {
      let pen = "M";
      return ys.map((v, i) => {
        if (v === null) { pen = "M"; return ""; }
        const step = `${pen}${atX(xs[i]).toFixed(1)} ${atY(v).toFixed(1)}`;
        pen = "L";
        return step;
      }).join("");
    };
    const few = width < 480 ? x.ticks.filter((_, i) => i % 2 === 0) : x.ticks;
    box.replaceChildren(svg("svg", { width, height, "aria-hidden": "true" },
      ...(band ? [svg("rect", { class: "vc-band", x: atX(band[0]), y: top, width: Math.max(2, atX(band[1]) - atX(band[0])), height: bottom - top })] : []),
      ...y.ticks.flatMap(([v, text]) => [svg("path", { class: "vc-rule", d: `M${left} ${atY(v)}H${width - right}` }), svg("text", { class: "vc-tick", x: left - 6, y: atY(v) + 4, "text-anchor": "end" }, text)]),
      svg("path", { class: "vc-base", d: `M${left} ${bottom}H${width - right}` }),
      ...few.map(([v, text]) => svg("text", { class: "vc-tick", x: atX(v), y: height - 5, "text-anchor": atX(v) > width - 30 ? "end" : atX(v) < left + 10 ? "start" : "middle" }, text)),
      ...lines.map((line) => svg("path", { class: "vc-line", "data-s": line.s % STYLES, d: path(line) })),
      ...(mark ? [svg("path", { class: "vc-mark", d: `M${atX(mark.x)} ${top}V${bottom}` }), svg("text", { class: "vc-mark-text", x: atX(mark.x), y: 14, "text-anchor": atX(mark.x) > width / 2 ? "end" : "start" }, mark.text)] : [])));
  });
  return { node: box, show(next) { spec = next; box.setAttribute("aria-label", spec.label); paint(); } };
}

/** Which lines are drawn: a button each, in the style of its line. */
function legend(view, desk) {
  const { say } = view, box = h("div", { class: "vc-row-wrap vc-legend", role: "group", "aria-label": say("lines") });
  const show = () => {
    [...box.children].forEach((button, i) => button.setAttribute("aria-pressed", String(desk.shown.has(i))));
  };
  view.on(desk, "shown", show);
  return { node: box, fill() {
    box.replaceChildren(...desk.told.items.map((name, i) => {
      const button = h("button", { class: "vc-button is-small", type: "button" }, swatch(i), h("span", { class: "vc-cut" }, `${letterOf(i)} `, h("bdi", {}, name)));
      button.addEventListener("click", view.guarded(() => desk.toggle(i)), { signal: view.signal });
      return button;
    }));
    show();
  } };
}
