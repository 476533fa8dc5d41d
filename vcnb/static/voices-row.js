// One row of the table of voices, and what is done in it: choose, hear, edit.

/** Seconds as a person says them: the largest unit that fits. */
function span(say, seconds) {
  for (const [unit, size] of [["day", 86_400], ["hour", 3600], ["minute", 60]]) {
    if (seconds >= size) return say(`span.${unit}`, { n: Math.floor(seconds / size) });
  }
  return say("span.now");
}

function hearButton(view, ear, row, what) {
  const { say } = view, take = what === "take" ? row.take : null, key = `${what} ${take ?? row.voice}`;
  const button = h("button", { class: "vc-button is-small", type: "button" });
  const show = () => {
    const on = ear.playing === key;
    button.replaceChildren(icon(on ? "pause" : "play"), say(`hear.${what}`));
    button.setAttribute("aria-label", `${say(`hear.${what}`)}, ${row.label || row.name}`);
    button.setAttribute("aria-pressed", String(on));
  };
  ear.addEventListener("state", show, { signal: view.rowSignal });
  button.addEventListener("click", view.guarded(() => ear.toggle(row.voice, what, take)), { signal: view.rowSignal });
  show();
  return button;
}

/** The cell with name, id and note; F2 or the pencil turns it into two fields. */
function nameCell(view, roll, row, focusRow) {
  const { say } = view, listen = { signal: view.rowSignal };
  const cell = h("th", { scope: "row", class: "vc-voice" });
  const small = [row.label && row.name, `…${row.voice.slice(-4)}`].filter(Boolean).join(" · ");
  const edit = h("button", { class: "vc-button is-small is-plain", type: "button", "aria-label": `${say("edit")}, ${row.label || row.name}` }, icon("edit"));
  const still = () => cell.replaceChildren(h("div", { class: "vc-row" },
    h("div", { class: "vc-grow" }, h("bdi", { class: "vc-strong vc-cut vc-name" }, row.label || row.name),
      h("bdi", { class: "vc-quiet vc-mono vc-cut vc-name" }, small), row.note && h("bdi", { class: "vc-quiet vc-cut vc-name" }, row.note)), edit));
  const open = () => {
    const [label, note] = ["label", "note"].map((name) => h("input", { class: "vc-input", "aria-label": say(`field.${name}`), placeholder: say(`field.${name}`), autocomplete: "off" }));
    [label.value, note.value] = [row.label, row.note];
    const save = h("button", { class: "vc-button is-small", type: "submit" }, say("field.save"));
    const form = h("form", { class: "vc-edit" }, label, note, h("div", { class: "vc-actions" }, save,
      h("button", { class: "vc-button is-small is-plain", type: "reset" }, say("cancel"))));
    const end = () => { still(); focusRow(); };
    form.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); end(); } }, listen);
    form.addEventListener("reset", end, listen);
    form.addEventListener("submit", view.guarded((event) => {
      event.preventDefault();
      order(view.model, { type: "describe", voice: row.voice, label: label.value, note: note.value });
      Object.assign(row, { label: label.value, note: note.value });
      end();
    }), listen);
    cell.replaceChildren(form);
    label.focus();
    label.select();
  };
  edit.addEventListener("click", open, listen);
  still();
  return { cell, open };
}

function leftCell(view, row) {
  if (row.days_left === null) return h("td", { class: "is-right" }, "–");
  const text = view.say("span.day", { n: Math.max(0, row.days_left) });
  if (row.days_left > SOON_DAYS) return h("td", { class: "is-right" }, text);
  return h("td", { class: "is-right" }, h("span", { class: "vc-verdict", "data-verdict": "warn" }, icon("warn"), text));
}

/** A language by its name; what is none comes from elsewhere and is shown as it is. */
function languageOf(view, code) {
  try {
    return code ? new Intl.DisplayNames([view.model.get("_words")._language], { type: "language" }).of(code) : "–";
  } catch (error) {
    if (error instanceof RangeError) return code;
    throw error;
  }
}

/** A row: `index` counts all rows that are wanted, as a screen reader says it. */
function voiceRow(view, roll, ear, row, index, act) {
  const { say } = view, now = Date.now() / 1000;
  const box = h("input", { type: "checkbox", tabindex: -1, "aria-label": say("choose.one", { name: row.label || row.name }) });
  const { cell, open } = nameCell(view, roll, row, () => box.focus());
  const tr = h("tr", { "aria-rowindex": index + 2 }, h("td", {}, h("label", { class: "vc-choice" }, box)), cell,
    h("td", { class: "p1" }, h("span", { class: "vc-tag" }, say(`kind.${row.kind ?? "none"}`))),
    h("td", { class: "p3" }, h("bdi", { class: "vc-cut vc-name" }, languageOf(view, row.language))),
    h("td", { class: "is-right p1" }, row.created_at === null ? "–" : span(say, now - row.created_at)),
    h("td", { class: "is-right p3" }, row.last_used_at === null ? say("unused") : span(say, now - row.last_used_at)),
    leftCell(view, row),
    h("td", { class: "is-right p2" }, String(row.takes)),
    h("td", { class: "is-right p2" }, `$${row.cost.toFixed(3)}`),
    h("td", {}, h("div", { class: "vc-hears" }, row.clip !== null && hearButton(view, ear, row, "source"), row.take !== null && hearButton(view, ear, row, "take"))));
  const show = () => {
    box.checked = roll.chosen.has(row.voice);
    tr.classList.toggle("is-chosen", box.checked);
  };
  roll.addEventListener("chosen", show, { signal: view.rowSignal });
  tr.addEventListener("keydown", view.guarded((event) => {
    if (event.target !== box) return;
    const keys = { F2: open, Delete: () => act.remove(row), ArrowDown: () => act.go(index + 1), ArrowUp: () => act.go(index - 1),
      Home: () => act.go(0), End: () => act.go(Infinity) };
    if (event.key === " " && event.shiftKey) keys[" "] = () => act.range(index);
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }), { signal: view.rowSignal });
  box.addEventListener("click", view.guarded((event) => (event.shiftKey ? act.range(index) : act.choose(index, box.checked))), { signal: view.rowSignal });
  box.addEventListener("focus", () => act.focused(index), { signal: view.rowSignal });
  show();
  return { tr, box };
}
