// The diagnosis: drop a recording, see findings as they are made, hear their places, mend a copy and compare.

Object.assign(ICONS, { undo: '<path d="M3.5 6.5h6a3.5 3.5 0 0 1 0 7H6.5M6.25 3.5l-3 3 3 3"/>' });

/** What the kernel is asked to do; one thing at a time. */
function ordersOf(view) {
  const { model } = view;
  const orders = {
    asked: false, // while a cell runs the kernel takes an order only afterwards: say so, and take no second one
    told: new EventTarget(),
    can: (word) => word !== "" && !model.get("working") && model.get("steps").some((step) => step.word === word),
    state: () => [Boolean(model.get("working")), model.get("steps").map((step) => step.word)],
    give(message) {
      view.setFault(null);
      if (orders.asked || model.get("working")) return;
      order(model, message);
      orders.asked = true;
      orders.told.dispatchEvent(new Event("asked"));
    },
  };
  view.follow(["working", "found", "error"], () => { orders.asked = false; });
  return orders;
}

/** The chips in the head: how many findings of each verdict. */
function verdictChips(view, stage) {
  const { say } = view;
  const chips = WORST.map((verdict) => h("span", { class: "vc-verdict is-chip", "data-verdict": verdict }));
  const show = () => WORST.forEach((verdict, i) => {
    const n = stage.findings.filter((finding) => finding.verdict === verdict).length;
    chips[i].hidden = n === 0;
    chips[i].replaceChildren(icon(verdict), `${say(`verdict.${verdict}`)} ${n}`);
  });
  for (const name of ["findings", "chosen", "deck"]) view.on(stage, name, show);
  show();
  return chips;
}

/** Play, loop and time above the picture. */
function playBar(view, stage, show) {
  const { say } = view;
  const play = h("button", { class: "vc-button vc-play", type: "button" });
  const loop = h("button", { class: "vc-button", type: "button" }, icon("loop"), say("loop"));
  const now = h("span", {}), total = h("span", { class: "vc-quiet" });
  const time = h("span", { class: "vc-num vc-time", role: "timer", "aria-live": "off" }, now, " ", total);
  let next = 0;
  const tick = () => {
    cancelAnimationFrame(next); // one loop, however often the state changes
    now.textContent = (stage.deck?.position ?? 0).toFixed(1);
    show();
    if (stage.deck?.playing && !view.signal.aborted) next = requestAnimationFrame(tick);
  };
  const state = () => {
    const { deck } = stage;
    play.replaceChildren(icon(deck?.playing ? "pause" : "play"), say(deck?.playing ? "pause" : "play"));
    loop.setAttribute("aria-pressed", String(Boolean(deck?.looping)));
    total.textContent = say("of", { total: (deck?.tape.duration ?? 0).toFixed(1) });
    tick();
  };
  view.on(play, "click", () => { view.setFault(null); return stage.deck?.toggle(); });
  view.on(loop, "click", () => stage.deck?.setLooping(!stage.deck.looping));
  for (const name of ["state", "deck", "loaded", "chosen"]) view.on(stage, name, state);
  state();
  return h("div", { class: "vc-player-bar" }, play, loop, time);
}

/** What can be mended, what was, and both to be heard at the same instant. */
function mendSection(view, stage, orders) {
  const { say, model } = view;
  const plan = h("ul", { class: "vc-list vc-plan" }), proof = h("dl", { class: "vc-figures" });
  const sides = ["before", "after"].map((word) => h("button", { class: "vc-button", type: "button", "data-word": word }));
  const join = h("span", { class: "vc-join", role: "group", "aria-label": say("sides") }, ...sides);
  const every = h("button", { class: "vc-button", type: "button" }), back = h("button", { class: "vc-button is-plain", type: "button" }, icon("undo"), say("undo.all"));
  const equal = h("p", { class: "vc-quiet" }, say("equal"));
  const busy = h("div", { class: "vc-notice", "data-verdict": "info", role: "status", hidden: true }), said = h("div", { class: "vc-notice", role: "status", hidden: true });
  const cancel = h("button", { class: "vc-button is-small", type: "button" }, icon("close"), say("cancel"));
  const section = h("div", { class: "vc-section is-mend" }, h("div", { class: "vc-section-head" }, h("h4", {}, say("mend")), h("span", { class: "vc-quiet" }, say("mend.why"))),
    busy, plan, said, proof, h("div", { class: "vc-row-wrap" }, join, every, back), equal);
  let patience = 0, drawn = "";

  const row = (glyph, name, facts, button) => h("li", { class: "vc-item vc-step" }, icon(glyph), h("div", {}, h("p", { class: "vc-strong" }, name), h("p", { class: "vc-quiet" }, facts)), button);
  const done = ({ name, change, reason, similarity }) => {
    const undo = h("button", { class: "vc-button is-small", type: "button", "aria-label": `${say("undo")}: ${say(`mend.${name}`)}` }, icon("undo"), say("undo"));
    view.on(undo, "click", () => orders.give({ type: "undo", word: name }));
    const same = similarity === null ? "" : ` ${say("same.step", { value: similarity.toFixed(3) })}`;
    return row("tick", minus(change), `${reason}${same}`, undo);
  };
  const open = ({ word, checks }) => {
    const mend = h("button", { class: "vc-button is-small", type: "button", "aria-label": `${say("apply")}: ${say(`mend.${word}`)}` }, icon("mend"), say("apply"));
    view.on(mend, "click", () => orders.give({ type: "mend", word }));
    return row("mend", say(`mend.${word}`), say("mend.against", { list: checks.map((check) => say(`check.${check}`)).join(", ") }), mend);
  };
  const figure = (word, value, unit = "") => h("div", { class: "vc-figure" }, h("dt", {}, say(word)), h("dd", {}, value, unit && " ", unit && h("small", {}, unit)));
  const show = () => {
    const working = model.get("working") ?? (orders.asked ? { kind: "wait", step: say("busy.wait.do") } : null);
    const steps = model.get("steps"), edits = model.get("edits"), shown = model.get("proof"), verdict = model.get("verdict");
    section.hidden = !model.get("player") || !(steps.length || edits.length || working || shown?.refused.length);
    const state = JSON.stringify([steps, edits]);
    if (state !== drawn) {
      const label = plan.contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
      plan.replaceChildren(...edits.map(done), ...steps.map(open));
      plan.hidden = plan.children.length === 0;
      if (label) ([...plan.querySelectorAll("button")].find((button) => button.getAttribute("aria-label") === label) ?? every).focus();
      drawn = state;
    }
    const left = model.get("found").filter((finding) => finding.verdict === "fail" || finding.verdict === "warn");
    proof.hidden = !edits.length;
    proof.replaceChildren(figure("same", shown?.similarity?.toFixed(3) ?? "–"), figure("peak", minus(shown?.peak ?? "–"), "dBFS"),
      figure("left", verdict ? String(left.length) : "–", left.length > 0 && verdict && left.map(({ check }) => say(`check.${check}`)).join(", ")));
    join.hidden = back.hidden = equal.hidden = !edits.length;
    every.hidden = steps.length === 0;
    every.replaceChildren(icon("mend"), say("mend.all", { n: steps.length }));
    every.classList.toggle("is-main", steps.length > 0);
    for (const button of [every, back, ...plan.querySelectorAll("button")]) {
      if (working) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
    }
    said.hidden = !shown?.refused.length;
    if (!said.hidden) fillNotice(said, { verdict: "unknown", what: say("refused"), remedy: shown.refused.map(sentence).join(" ") });
    waits(working);
    heard();
  };
  const waits = (working) => {
    if (!working) { clearTimeout(patience); patience = 0; busy.hidden = true; }
    else if (patience === "over") {
      busy.hidden = false;
      fillNotice(busy, { verdict: "info", waiting: true, what: say(`busy.${working.kind}`), remedy: sentence(working.step), actions: working.kind === "mend" ? [cancel] : [] });
    } else patience ||= setTimeout(() => { patience = "over"; show(); }, PATIENCE_MS);
  };
  const heard = () => sides.forEach((button, i) => {
    const active = stage.mended && stage.deck.active === i, plays = active && stage.deck.playing;
    button.setAttribute("aria-pressed", String(active));
    button.replaceChildren(icon(plays ? "pause" : "play"), say(button.dataset.word));
  });
  sides.forEach((button, i) => view.on(button, "click", async () => {
    const { deck } = stage;
    if (!stage.mended) return;
    const same = deck.active === i;
    deck.choose(i);
    if (same || !deck.playing) await deck.toggle(); // what plays goes on at the same instant, only the other one
  }));
  view.on(every, "click", () => orders.give({ type: "mend", word: null }));
  view.on(back, "click", () => orders.give({ type: "undo", word: null }));
  view.on(cancel, "click", () => order(model, { type: "cancel" }));
  for (const name of ["state", "chosen", "deck", "loaded"]) view.on(stage, name, heard);
  view.on(orders.told, "asked", show);
  view.follow(["steps", "edits", "proof", "working", "found", "verdict", "player"], show);
  return section;
}

/** The foot: what to do next in one sentence, and the way to another file. */
function footOf(view, stage, choose) {
  const { say, model } = view, line = h("p", { class: "vc-say", role: "status" });
  const other = h("button", { class: "vc-button", type: "button" }, icon("file"), say("other"));
  const foot = h("footer", { class: "vc-foot" }, line, other);
  view.on(other, "click", choose);
  const show = () => {
    const verdict = model.get("verdict"), facts = model.get("facts"), n = (name) => model.get("found").filter((finding) => finding.verdict === name).length;
    foot.hidden = !facts;
    if (!facts) return;
    const mendable = model.get("steps").flatMap(({ checks }) => checks);
    const hopeless = verdict === "fail" && model.get("found").some((finding) => finding.verdict === "fail" && !mendable.includes(finding.check));
    const key = !verdict ? "judging" : !model.get("player") ? "unreadable" : hopeless ? "hopeless" : verdict;
    const text = say(`foot.${key}`, { n: n(verdict === "fail" ? "fail" : "warn") || n("unknown") });
    if (line.textContent !== text) line.replaceChildren(verdict ? icon(verdict) : "", text);
    if (verdict) line.dataset.verdict = verdict;
    else delete line.dataset.verdict;
  };
  view.follow(["verdict", "facts", "found", "player", "steps"], show);
  return foot;
}

function drawDiagnosis(view, transfers) {
  const { say, model } = view, orders = ordersOf(view);
  const fact = h("p", { class: "vc-fact vc-num" }), coming = h("ul", { class: "vc-list", "aria-label": say("coming"), hidden: true });
  const stage = new Stage(view), lanes = findingLanes(view, stage), body = h("div", { class: "vc-body" });
  const root = frame(view, "check", { fact, tools: verdictChips(view, stage) }, body);
  const zone = dropZone(view, transfers, root, say("formats"));
  const picture = h("div", { class: "vc-section is-picture" }, playBar(view, stage, lanes.show), lanes.box);
  const whole = h("div", { class: "vc-diagnosis" }, picture, findingsList(view, stage, orders), mendSection(view, stage, orders));
  body.append(zone, coming, whole, errorLine(view));
  root.append(footOf(view, stage, () => zone.querySelector("input").click()));
  let rows = new Map();
  const show = () => {
    const facts = model.get("facts");
    zone.hidden = Boolean(facts);
    whole.hidden = !facts;
    picture.hidden = !model.get("player");
    whole.classList.toggle("has-picture", !picture.hidden);
    fact.textContent = !facts ? say("fact") : [facts.name, facts.duration && say("seconds", { seconds: facts.duration.toFixed(1) }),
      facts.rate && `${facts.rate / 1000} kHz`, facts.channels && say("channels", { n: facts.channels }), facts.depth && say("depth", { n: facts.depth })].filter(Boolean).join(" · ");
  };
  const files = () => {
    rows = new Map(transfers.list.map((one) => [one, rows.get(one) ?? transferRow(view, transfers, one)]));
    const nodes = [...rows.values()].map(({ row }) => row);
    if (nodes.length !== coming.children.length || nodes.some((node, i) => node !== coming.children[i])) coming.replaceChildren(...nodes);
    for (const each of rows.values()) each.show();
    coming.hidden = nodes.length === 0;
  };
  view.on(transfers, "change", files);
  view.follow(["facts", "player"], show);
  view.on(root, "keydown", (event) => event.key === "Escape" && (stage.open = null, stage.deck?.setRegion(0, 0), stage.tell("opened"), lanes.show()));
  view.on(stage, "deck", () => {
    if (stage.deck && !stage.deck.keyed?.has(view)) {
      (stage.deck.keyed ??= new Set()).add(view);
      listenToKeys(view, stage.deck, root);
    }
  });
  view.el.append(root);
}

export default panel({ prepare: ({ model, signal }) => new Transfers(model, signal), draw: drawDiagnosis });
