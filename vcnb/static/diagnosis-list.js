// Findings as a list: what needs the eye first, each with its measure on its scale, its place and its remedy.

const WORST = ["fail", "warn", "unknown", "pass"];
const FIRST = 5; // to do; the rest is behind a button

function verdictMark(say, verdict) {
  return h("span", { class: "vc-verdict" }, icon(verdict), say(`verdict.${verdict}`));
}

/** What would pass, in words, and who wants it. */
function wantedOf(say, { required, required_by: by }) {
  const [, sign, rest] = required.match(/^(>=|<=|<) (.*)$/) ?? [null, "", required];
  const n = required.split(", ").length;
  if (n > 4) return say("wanted", { what: say("wanted.one", { n }), who: say(`by.${by}`) });
  const word = { ">=": "wanted.least", "<=": "wanted.most", "<": "wanted.under" }[sign];
  return say("wanted", { what: word ? say(word, { what: measured(rest) }) : measured(rest), who: say(`by.${by}`) });
}

function measureOf(say, finding) {
  const scale = scaleOf(finding), value = valueOf(say, finding);
  return h("div", { class: "vc-measure" }, h("p", {}, h("b", {}, value || "–"), h("span", { class: "vc-quiet" }, wantedOf(say, finding))),
    scale && h("span", { class: "vc-scale", "aria-hidden": "true", style: `--at: ${scale.at}; --from: ${scale.from}; --to: ${scale.to}` }, h("i", {}), h("b", {})));
}

function findingRow(view, stage, orders, finding) {
  const { say } = view, { check, verdict, message, advice, remedy, segments } = finding, name = say(`check.${check}`);
  const act = h("div", { class: "vc-do" });
  if (segments.length && stage.deck) {
    const [[from, to]] = segments, text = say("place", { from: minus(from.toFixed(1)), to: to.toFixed(1) });
    const hear = h("button", { class: "vc-button is-small is-plain", type: "button", "aria-label": say("place.said", { text, name, n: segments.length }) },
      icon("play"), text, segments.length > 1 && ` ${say("place.more", { n: segments.length - 1 })}`);
    view.on(hear, "click", () => stage.hear(finding, segments[0]));
    act.append(hear);
  }
  if (stage.side === "found" && orders.can(remedy)) {
    const mend = h("button", { class: "vc-button is-small", type: "button", "aria-label": `${say(`mend.${remedy}`)}: ${name}` }, icon("mend"), say(`mend.${remedy}`));
    view.on(mend, "click", () => orders.give({ type: "mend", word: remedy }));
    act.append(mend);
  }
  return h("li", { class: "vc-finding", "data-verdict": verdict, "data-check": check }, verdictMark(say, verdict),
    h("div", { class: "vc-why" }, h("p", { class: "vc-strong" }, name), h("p", {}, minus(message)), advice && h("p", { class: "vc-quiet" }, sentence(advice))),
    measureOf(say, finding), act);
}

/** What passed, as one line of facts. */
function passedLine(say, passed) {
  return h("ul", { class: "vc-passed", "aria-label": say("passed", { n: passed.length }), hidden: passed.length === 0 }, ...passed.map((finding) =>
    h("li", {}, icon("tick"), h("b", {}, say(`check.${finding.check}`)), ` ${valueOf(say, finding)}`)));
}

/** The list, with its switch between what is to do and all. */
function findingsList(view, stage, orders) {
  const { say, model } = view, title = h("h4", {});
  const join = (word) => h("button", { class: "vc-button is-small", type: "button", "data-word": word });
  const todo = join("todo"), all = join("all"), more = h("button", { class: "vc-button is-small is-plain vc-more", type: "button" });
  const list = h("ul", { class: "vc-list" }), passedPlace = h("div", {});
  const section = h("div", { class: "vc-section is-findings" },
    h("div", { class: "vc-section-head" }, title, h("span", { class: "vc-join", role: "group", "aria-label": say("shown") }, todo, all)), list, more, passedPlace);
  let every = false, long = false, drawn = "";
  const show = () => {
    const findings = [...stage.findings].sort((a, b) => WORST.indexOf(a.verdict) - WORST.indexOf(b.verdict));
    const open = findings.filter(({ verdict }) => verdict !== "pass"), shown = every ? findings : long ? open : open.slice(0, FIRST);
    const judged = Boolean(model.get("verdict")), { total = 0 } = model.get("facts") ?? {};
    const counted = open.filter(({ verdict }) => verdict !== "unknown").length;
    title.textContent = judged || stage.side === "before" ? say(counted ? "title.found" : "title.none", { n: counted }) : say("title.judging", { n: findings.length, total });
    todo.replaceChildren(say("todo", { n: open.length }));
    all.replaceChildren(say("all", { n: findings.length }));
    todo.setAttribute("aria-pressed", String(!every));
    all.setAttribute("aria-pressed", String(every));
    more.hidden = every || long || open.length <= FIRST;
    more.replaceChildren(say("more", { n: open.length - FIRST }), icon("more"));
    const state = JSON.stringify([shown, stage.side, orders.state(), Boolean(stage.deck)]);
    if (state !== drawn) { // rows that stay keep their focus
      const label = list.contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
      list.replaceChildren(...shown.map((finding) => findingRow(view, stage, orders, finding)));
      list.hidden = shown.length === 0;
      if (label) ([...list.querySelectorAll("button")].find((button) => button.getAttribute("aria-label") === label) ?? todo).focus();
      drawn = state;
    }
    passedPlace.replaceChildren(passedLine(say, every ? [] : findings.filter(({ verdict }) => verdict === "pass")));
    opened();
  };
  const opened = () => {
    for (const row of list.children) row.classList.toggle("is-open", row.dataset.check === stage.open);
  };
  view.on(todo, "click", () => { every = false; show(); });
  view.on(all, "click", () => { every = true; show(); });
  view.on(more, "click", () => { long = true; show(); (list.children[FIRST]?.querySelector("button") ?? todo).focus(); });
  for (const name of ["findings", "deck", "chosen"]) view.on(stage, name, show);
  view.on(stage, "opened", opened);
  view.follow(["verdict", "steps", "working", "facts"], show);
  return section;
}
