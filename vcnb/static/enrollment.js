// The enrollment panel: a form that says what is still missing and what it costs, and one button that pays.

const DRAFT_MS = 300; // what is typed goes to the kernel when the typing rests, so that a reload keeps it

/** What is typed so far: one for all views, handed back by the kernel after a reload. It is never a trait. */
class Draft extends EventTarget {
  constructor(model) {
    super();
    this.model = model;
    this.client = Math.random().toString(36).slice(2);
    const models = model.get("offer").models.filter((each) => each.chosen).map((each) => each.name);
    this.values = { name: "", models, language: "", transcript: "", who: "", consent: "" };
    model.on("msg:custom", (message) => {
      if (message.type !== "snapshot" || message.client !== this.client) return;
      Object.assign(this.values, message.draft);
      this.dispatchEvent(new Event("change"));
    });
    this.suggest();
    model.on("change:clip_facts", () => this.suggest());
    try { order(model, { type: "hello", client: this.client }); } catch { /* a saved notebook without its kernel */ }
  }

  /** Fill in what the clip itself tells, where nobody wrote anything; consent is never filled in. */
  suggest() {
    const { file = "", ...told } = this.model.get("clip_facts")?.suggested ?? {};
    told.name = fitting(file.replace(/(.)\.[^.]*$/, "$1"), this.model.get("offer").name_length);
    for (const [field, value] of Object.entries(told)) {
      if (["", this.suggested?.[field]].includes(this.values[field])) this.values[field] = value;
    }
    this.suggested = told;
    this.dispatchEvent(new Event("change"));
  }

  put(patch) {
    Object.assign(this.values, patch);
    this.dispatchEvent(new Event("change"));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      try { order(this.model, { type: "draft", draft: this.values }); } catch { /* said when the button is pressed */ }
    }, DRAFT_MS);
  }
}

const dollars = (value) => value.toFixed(2);

/** The chip in the head: what the check found. */
function checkChip(view) {
  const { say } = view, chip = h("span", { class: "vc-verdict is-chip", role: "status" });
  view.follow(["clip_facts", "check"], (clip, check) => {
    chip.hidden = !clip;
    if (!clip) return;
    chip.dataset.verdict = check?.verdict ?? "unknown";
    const counts = Object.entries(check?.counts ?? {}).map(([name, n]) => say(`count.${name}`, { n })).join(", ");
    const text = check ? say("checked", { name: clip.name, counts }) : say("checking", { name: clip.name });
    chip.replaceChildren(icon(chip.dataset.verdict), h("span", { class: "vc-cut" }, text));
  });
  return chip;
}

/** What the check found, worst first, behind its button. */
function findingsList(view) {
  const { say, uid } = view, order = ["fail", "warn", "unknown", "pass"];
  const list = h("ul", { class: "vc-list", id: `${uid}found`, hidden: true });
  const see = h("button", { class: "vc-button is-small is-plain", type: "button", "aria-expanded": "false", "aria-controls": `${uid}found` },
    icon("check"), say("see"));
  view.on(see, "click", () => {
    list.hidden = !list.hidden;
    see.setAttribute("aria-expanded", String(!list.hidden));
  });
  view.follow(["check"], (check) => {
    const found = [...(check?.findings ?? [])].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
    list.replaceChildren(...found.map(({ verdict, message, advice }) => h("li", { class: "vc-item vc-found", "data-verdict": verdict },
      h("span", { class: "vc-verdict" }, icon(verdict), say(`verdict.${verdict}`)), h("p", {}, message, " ", h("span", { class: "vc-quiet" }, sentence(advice))))));
    see.hidden = found.length === 0;
    if (!found.length) list.hidden = true;
  });
  return [see, list];
}

/** The clip: hear it, see it, know what would be sent; below it why the service would refuse it. */
function clipRow(view) {
  const { say, model, host } = view;
  const hear = h("button", { class: "vc-button is-small vc-hear", type: "button" });
  const mini = h("canvas", { class: "vc-mini", "aria-hidden": "true" });
  const [see, findings] = findingsList(view);
  const title = h("p", { class: "vc-title" }), size = h("p", { class: "vc-quiet vc-num" });
  const row = h("div", { class: "vc-item vc-take vc-list" }, hear, h("span", { class: "vc-mini-cell" }, mini), h("div", {}, title, size),
    h("div", { class: "vc-actions" }, see));
  const empty = h("div", { class: "vc-empty" }, icon("enroll"), h("p", { class: "vc-strong" }, say("no.clip")), h("p", { class: "vc-quiet vc-mono" }, say("no.clip.do")));
  let sound = null;
  const state = () => hear.replaceChildren(icon(sound?.playing ? "pause" : "play"), say(sound?.playing ? "hear.stop" : "hear"));
  const paint = view.paints(mini, () => sound?.samples && paintMini(mini, sound.samples));
  view.on(hear, "click", () => sound?.toggle());
  view.signal.addEventListener("abort", () => sound?.pause());
  view.follow(["player"], async (ref) => {
    sound?.pause();
    const found = ref && host ? (await host.getWidget(ref)).exports : null;
    if (model.get("player") !== ref) return; // another clip came meanwhile
    sound = found;
    state();
    hear.hidden = !sound;
    if (!sound) return;
    view.on(sound, "state", state);
    view.on(sound, "failed", () => view.setFault(sound.failed));
    await sound.load();
    paint();
  });
  view.follow(["clip_facts"], (clip) => {
    row.hidden = !clip;
    empty.hidden = Boolean(clip);
    if (!clip) return;
    const facts = [say("seconds", { seconds: clip.duration.toFixed(1) }), clip.format, `${clip.rate / 1000} kHz`, say("channels", { n: clip.channels })];
    title.replaceChildren(clip.name, " ", h("span", { class: "vc-num vc-quiet" }, facts.join(" · ")));
    hear.setAttribute("aria-label", `${say("hear")} ${clip.name}`);
    size.textContent = say("sent", { size: clip.size_mb.toFixed(2), limit: clip.limit_mb });
  });
  const unfit = h("div", { class: "vc-notice", role: "alert", hidden: true });
  view.follow(["check", "working"], (check, working) => {
    const failures = check?.failures ?? [], mended = check?.mended;
    unfit.hidden = failures.length === 0 && !mended;
    if (unfit.hidden) return;
    if (!failures.length) return void fillNotice(unfit, { verdict: "pass", what: say("mended"), remedy: mended });
    const mend = h("button", { class: "vc-button is-small", type: "button", "aria-disabled": working ? "true" : null }, icon("mend"), say("mend"));
    view.on(mend, "click", () => model.get("working") || order(model, { type: "mend" }));
    const why = failures.map((failure) => `${failure.message} ${sentence(failure.advice)}`.trim()).join(" ");
    fillNotice(unfit, { what: say("unfit"), remedy: why, actions: check.mendable ? [mend] : [] });
  });
  return [row, empty, findings, unfit];
}

/** The nearest name in the letters that the service takes; "" where nothing of it is left. */
function fitting(name, limit) {
  const plain = name.normalize("NFKD").replace(/[\u0300-\u036f'’]/g, "").toLowerCase().replace(/[^a-z0-9]+/g, "_");
  return plain.replace(/^_/, "").slice(0, limit).replace(/_$/, "");
}

function nameField(view, draft) {
  const { say, uid } = view, { name_length: limit, name_letters: letters } = view.model.get("offer");
  const good = new RegExp(`^${letters}{1,${limit}}$`), count = h("span", { class: "vc-num" });
  const fit = h("button", { class: "vc-button is-small", type: "button", hidden: true });
  const input = h("input", { class: "vc-input", id: `${uid}name`, autocomplete: "off", spellcheck: "false", "aria-describedby": `${uid}nameh`, "aria-required": "true" });
  const field = h("div", { class: "vc-field" }, h("label", { for: `${uid}name` }, say("name")), input,
    h("p", { class: "vc-quiet vc-row", id: `${uid}nameh` }, h("span", { class: "vc-grow" }, say("name.rule")), fit, count));
  view.on(input, "input", () => draft.put({ name: input.value }));
  view.on(fit, "click", () => { draft.put({ name: fitting(input.value, limit) }); input.focus(); });
  const show = ({ name }) => {
    if (input.value !== name) input.value = name;
    count.textContent = say("name.count", { n: name.length, limit });
    const bad = name !== "" && !good.test(name), near = bad ? fitting(name, limit) : "";
    input.setAttribute("aria-invalid", bad);
    fit.hidden = !near;
    fit.textContent = say("name.fit", { name: near });
  };
  return { field, input, show, missing: ({ name }) => (good.test(name) ? null : name ? "need.good" : "need.name") };
}

function modelChoice(view, draft) {
  const { say, uid } = view, { models } = view.model.get("offer");
  const boxes = models.map(({ name }) => h("input", { type: "checkbox", value: name, "aria-describedby": `${uid}p${name}` }));
  const rows = models.map(({ name, label, price }, i) => h("div", { class: "vc-model" },
    h("label", { class: "vc-choice" }, boxes[i], h("span", {}, say(`model.${label}`), " ", h("span", { class: "vc-quiet vc-mono" }, name))),
    h("span", { class: "vc-quiet vc-num", id: `${uid}p${name}` }, say("model.price", { price }))));
  for (const box of boxes) view.on(box, "change", () => draft.put({ models: boxes.filter((b) => b.checked).map((b) => b.value) }));
  const field = h("fieldset", { class: "vc-group" }, h("legend", {}, say("models")), h("div", { class: "vc-list" }, ...rows), h("p", { class: "vc-quiet" }, say("models.why")));
  const show = (values) => boxes.forEach((box) => { box.checked = values.models.includes(box.value); });
  return { field, input: boxes[0], show, missing: (values) => (values.models.length ? null : "need.model") };
}

function languageField(view, draft) {
  const { say, uid, model } = view, names = new Intl.DisplayNames([model.get("_words")._language], { type: "language" });
  const options = model.get("offer").languages.map((code) => h("option", { value: code }, say("language.one", { name: names.of(code), code })));
  const input = h("select", { id: `${uid}lang` }, h("option", { value: "" }, say("language.none")), ...options);
  view.on(input, "change", () => draft.put({ language: input.value }));
  const field = h("div", { class: "vc-field" }, h("label", { for: `${uid}lang` }, say("language")), h("span", { class: "vc-pick" }, input, icon("more")));
  return { field, input, show: ({ language }) => { input.value = language; }, missing: () => null };
}

function transcriptField(view, draft) {
  const { say, uid } = view;
  const input = h("input", { class: "vc-input", id: `${uid}tr`, autocomplete: "off", placeholder: say("transcript.hint") });
  view.on(input, "input", () => draft.put({ transcript: input.value }));
  const field = h("div", { class: "vc-field" }, h("label", { for: `${uid}tr` }, say("transcript")), input);
  const show = ({ transcript }) => { if (input.value !== transcript) input.value = transcript; };
  return { field, input, show, missing: () => null };
}

/** Whose voice it is, and the statement: nothing is chosen or written beforehand, as both are somebody's word. */
function consentField(view, draft) {
  const { say, uid } = view;
  const radios = ["mine", "agreed", "rights"].map((value) => h("input", { type: "radio", name: `${uid}who`, value }));
  const rows = radios.map((radio) => h("label", { class: "vc-choice" }, radio, h("span", {}, say(`who.${radio.value}`),
    radio.value !== "mine" && " ", radio.value !== "mine" && h("span", { class: "vc-quiet" }, say(`who.${radio.value}.do`)))));
  const text = h("textarea", { class: "vc-input", id: `${uid}con`, rows: "2", "aria-describedby": `${uid}conh`, "aria-required": "true" });
  for (const radio of radios) view.on(radio, "change", () => draft.put({ who: radio.value }));
  view.on(text, "input", () => draft.put({ consent: text.value }));
  const lock = icon("lock");
  lock.classList.add("is-inline");
  const field = h("fieldset", { class: "vc-group" }, h("legend", {}, say("who")), ...rows,
    h("div", { class: "vc-field" }, h("label", { class: "vc-only-reader", for: `${uid}con` }, say("consent")), text,
      h("p", { class: "vc-quiet", id: `${uid}conh` }, lock, say("consent.kept"))));
  const show = ({ who, consent }) => {
    for (const radio of radios) radio.checked = radio.value === who;
    if (text.value !== consent) text.value = consent;
    text.placeholder = say(who ? `consent.${who}.hint` : "consent.hint");
  };
  return { field, input: radios[0], text, show, missing: ({ who, consent }) => (!who ? "need.who" : consent.trim() ? null : "need.consent") };
}

function priceTable(view) {
  const { say, model } = view, { price, free } = model.get("offer");
  const each = h("th", { scope: "row" }), sum = h("td", {}), gift = h("td", {}), pay = h("td", {});
  const table = h("table", { class: "vc-price" }, h("tbody", {}, h("tr", {}, each, sum),
    free && h("tr", {}, h("th", { scope: "row" }, say("price.practice"), " ", h("span", { class: "vc-quiet" }, say("price.practice.why"))), gift),
    h("tr", { class: "is-sum" }, h("th", { scope: "row" }, say("price.pay")), pay)));
  const show = ({ models }) => {
    const n = models.length, total = n * price;
    each.textContent = say("price.each", { n, price: dollars(price) });
    sum.textContent = `$${dollars(total)}`;
    gift.textContent = `${total ? "−" : ""}$${dollars(total)}`;
    pay.textContent = `$${dollars(free ? 0 : total)}`;
  };
  return { field: h("div", { class: "vc-section" }, h("h4", {}, say("price")), table), show, missing: () => null };
}

/** The foot: one line that says what is missing, going on, done or wrong, and the one button that pays. */
function footOf(view, draft, fields) {
  const { say, model } = view, { price, free } = model.get("offer");
  const line = h("div", { class: "vc-line", role: "status" }), bar = h("span", { class: "vc-bar", hidden: true }, h("i", {}));
  const cancel = h("button", { class: "vc-button is-small", type: "button" });
  const button = h("button", { class: "vc-button is-big vc-pay", type: "button" });
  const foot = h("footer", { class: "vc-foot has-line" }, bar, line, button);
  let patient = 0, stopping = false, asked = false, ticking = 0, told = null;
  view.signal.addEventListener("abort", () => clearInterval(ticking));

  const missing = () => {
    const list = [];
    if (!model.get("clip_facts")) list.push(["need.clip", null]);
    if (model.get("check")?.failures.length) list.push(["need.fit", null]);
    for (const field of fields) {
      const word = field.missing(draft.values);
      if (word) list.push([word, word === "need.consent" ? field.text : field.input]);
    }
    return list;
  };
  const labels = Object.fromEntries(model.get("offer").models.map((m) => [m.name, say(`model.${m.label}`)]));
  const ids = (outcome) => (outcome?.voices ?? []).map(({ voice, target_model: made }) => say("ready.id", { how: labels[made], id: voice })).join("\n");
  const done = (outcome) => {
    const { name, voices, cost } = outcome;
    const what = say(voices.length > 1 ? "ready.more" : "ready", { name, n: voices.length });
    return { verdict: "pass", what, remedy: cost ? say("ready.cost", { cost: dollars(cost) }) : say("ready.free"), small: ids(outcome) };
  };
  const wrong = (error, outcome) => {
    const said = saidOf(error, say);
    const small = [said.small, outcome?.state === "part" && `${say("ready.kept")} ${ids(outcome)}`].filter(Boolean).join("\n");
    return { ...said, small, verdict: error.kind === "CancelledError" ? "unknown" : "fail" };
  };
  /** Nobody knows, or nothing came of it: what a person may do about it, the price on what spends. */
  const lost = (outcome) => {
    const act = (text, message) => {
      const each = h("button", { class: "vc-button is-small", type: "button" }, text);
      each.addEventListener("click", () => order(model, message));
      return each;
    };
    const { candidates, settled } = outcome, actions = candidates.map((id) => act(say("choose", { id }), { type: "settle", voice: id }));
    if (!candidates.length && settled) actions.push(act(say("retry", { total: dollars(free ? 0 : price) }), { type: "settle", retry: true }));
    else actions.push(act(say("look"), { type: "settle" }));
    actions.push(act(say("leave"), { type: "leave" }));
    return { verdict: "unknown", what: outcome.what, remedy: candidates.length || settled ? "" : sentence(outcome.remedy), small: ids(outcome), actions };
  };
  const quiet = (text) => {
    delete line.dataset.verdict;
    line.replaceChildren(h("p", { class: "vc-quiet" }, text));
  };
  /** While nobody knows: what is so until when, and a countdown that is shown but not read out every second. */
  const unsure = (lost) => {
    const at = new Date(lost.until * 1000), left = h("span", { class: "vc-num vc-left", "aria-hidden": "true" });
    const tick = () => {
      const seconds = Math.max(0, Math.round((at - Date.now()) / 1000));
      left.textContent = ` ${say("unsure.left", { left: `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` })}`;
    };
    tick();
    clearInterval(ticking);
    ticking = setInterval(tick, 1000);
    const time = at.toLocaleTimeString(model.get("_words")._language, { hour12: false });
    const remedy = h("span", {}, say("unsure.do", { every: lost.every, time }), left);
    fillNotice(line, { verdict: "unknown", waiting: true, what: say("unsure", { name: lost.name }), remedy, actions: [cancel] });
  };
  const busy = (working) => {
    const word = say(stopping ? "stopping" : "cancel");
    if (cancel.textContent !== word) cancel.replaceChildren(icon("close"), word);
    const lost = model.get("unsure");
    bar.hidden = working.share === null || Boolean(lost);
    if (lost && lost === told) return; // said already: a reader would hear it again with every look
    told = lost;
    if (lost) return void unsure(lost);
    const what = say(`busy.${working.kind}`, { n: draft.values.models.length, name: draft.values.name });
    fillNotice(line, { verdict: "info", waiting: true, what, remedy: sentence(working.step), actions: working.kind === "mend" ? [] : [cancel] });
    bar.style.setProperty("--at", working.share ?? 0);
  };
  const show = () => {
    const working = model.get("working") ?? (asked ? { kind: "wait", step: say("busy.wait.do"), share: null } : null), outcome = model.get("outcome"), error = view.fault ?? model.get("error");
    const ready = outcome?.state === "ready", n = draft.values.models.length, lacks = missing();
    const blocked = working || outcome?.state === "unknown" || (!ready && lacks.length > 0);
    button.classList.toggle("is-main", !blocked && !ready);
    button.toggleAttribute("aria-disabled", false);
    if (blocked) button.setAttribute("aria-disabled", "true");
    button.replaceChildren(icon(ready ? "again" : "enroll"), ready ? say("again") : say("enroll", { n, total: dollars(free ? 0 : n * price) }));
    bar.hidden = true;
    if (!working) { clearTimeout(patient); clearInterval(ticking); patient = 0; stopping = false; told = null; }
    if (working && patient === "over") busy(working);
    else if (working) patient ||= setTimeout(() => { patient = "over"; show(); }, PATIENCE_MS);
    else if (error) fillNotice(line, wrong(error, outcome));
    else if (ready) fillNotice(line, done(outcome));
    else if (outcome?.state === "unknown") fillNotice(line, lost(outcome));
    else if (outcome) fillNotice(line, { verdict: "pass", what: say("ready.kept"), small: ids(outcome) });
    else quiet(lacks.length ? say("need", { list: lacks.map(([word]) => say(word)).join(", ") }) : say("idle"));
    foot.dataset.verdict = line.dataset.verdict ?? "";
  };
  view.on(cancel, "click", () => { stopping = true; show(); order(model, { type: "cancel" }); });
  view.on(button, "click", () => {
    view.setFault(null);
    if (asked || model.get("working") || model.get("outcome")?.state === "unknown") return;
    if (model.get("outcome")) return void order(model, { type: "again" });
    const lacks = missing();
    if (lacks.length) return void lacks.find(([, input]) => input)?.[1].focus(); // go to what is missing
    order(model, { type: "enroll", ...draft.values });
    asked = true; // while a cell runs the kernel takes the order only afterwards: say so, and take no second one
    show();
  });
  view.onFault(show);
  view.on(draft, "change", show);
  // A voice that was made before a failure is not asked for, and not paid for, again.
  view.follow(["outcome"], (outcome) => {
    const made = outcome?.state === "part" ? outcome.voices.map((voice) => voice.target_model) : [];
    if (made.length) draft.put({ models: draft.values.models.filter((name) => !made.includes(name)) });
  });
  view.follow(["working", "outcome", "error"], () => { asked = false; });
  view.follow(["working", "outcome", "error", "unsure", "clip_facts", "check"], show);
  return foot;
}

function drawEnrollment(view, draft) {
  const { say } = view;
  const name = nameField(view, draft), models = modelChoice(view, draft), language = languageField(view, draft);
  const transcript = transcriptField(view, draft), consent = consentField(view, draft), price = priceTable(view);
  const fields = [name, models, language, transcript, consent, price];
  const body = h("div", { class: "vc-body" }, ...clipRow(view),
    h("div", { class: "vc-two is-even" },
      h("div", { class: "vc-section is-form" }, name.field, models.field, h("div", { class: "vc-two is-even is-near" }, language.field, transcript.field)),
      h("div", { class: "vc-section is-form" }, consent.field, price.field)));
  const fact = h("p", { class: "vc-fact" }, say("fact"));
  view.el.append(frame(view, "enroll", { fact, tools: [checkChip(view)] }, body, footOf(view, draft, fields)));
  const show = () => fields.forEach((field) => field.show(draft.values));
  view.on(draft, "change", show);
  show();
}

export default panel({ prepare: ({ model }) => new Draft(model), draw: drawEnrollment });
