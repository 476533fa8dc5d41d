// The Studio's ledger: which service, how many voices, what was spent; and the way to another service.

const REGIONS = ["practice", "singapore", "beijing"];

Object.assign(ICONS, {
  studio: '<path d="M2 6.5v3M5 4v8M8 1.75v12.5"/><path d="M11 4v8M14 6.5v3" stroke-dasharray="1.5 2"/>',
  mic: '<rect x="6" y="1.75" width="4" height="7.5" rx="2"/><path d="M3.5 7.75a4.5 4.5 0 0 0 9 0M8 12.25v2"/>',
  upload: '<path d="M8 10.5v-8M4.75 5.5 8 2.25l3.25 3.25M2.5 10.5v2.25a1 1 0 0 0 1 1h9a1 1 0 0 0 1-1V10.5"/>',
  flask: '<path d="M5.75 2h4.5M6.75 2v4.25L3.1 12.9a.75.75 0 0 0 .65 1.1h8.5a.75.75 0 0 0 .65-1.1L9.25 6.25V2M5 10.25h6"/>',
  cloud: '<path d="M4.75 12.5a3 3 0 0 1-.4-5.97A4 4 0 0 1 12 7.3a2.65 2.65 0 0 1-.35 5.2z"/>',
  next: '<path d="M6 3.5 10.5 8 6 12.5"/>',
  back: '<path d="M10 3.5 5.5 8l4.5 4.5"/>',
});

const money = (value) => (value === 0 ? "0.00" : value.toFixed(value < 0.1 ? 4 : 2));

/** Service, voices, spent: in sight in every step. */
function ledger(view, chooser) {
  const { say, model } = view;
  const service = h("span", { class: "vc-value" }), voices = h("span", { class: "vc-value" }), spent = h("span", { class: "vc-value" });
  const bars = [h("span", { class: "vc-bar", "aria-hidden": "true" }, h("i", {})), h("span", { class: "vc-bar", "aria-hidden": "true" }, h("i", {}))];
  const button = h("button", { type: "button", "aria-expanded": "false", "aria-controls": chooser.id }, h("span", { class: "vc-label" }, say("service"), " "), service);
  const node = h("div", { class: "vc-ledger" }, button,
    h("div", {}, h("span", { class: "vc-label" }, say("voices"), " "), voices, bars[0]),
    h("div", {}, h("span", { class: "vc-label" }, say("spent"), " "), spent, bars[1]));
  view.on(button, "click", () => {
    chooser.hidden = !chooser.hidden;
    button.setAttribute("aria-expanded", String(!chooser.hidden));
    if (!chooser.hidden) chooser.querySelector("input:checked, input")?.focus();
  });
  view.on(chooser, "close", () => {
    if (chooser.hidden) return;
    chooser.hidden = true;
    button.setAttribute("aria-expanded", "false");
    button.focus();
  });
  view.follow(["ledger"], ({ region, used, quota, spent: paid, limit }) => {
    service.replaceChildren(icon(region === "practice" || !region ? "flask" : "cloud"), say(`region.${region ?? "none"}`), icon("more"));
    voices.replaceChildren(used === null ? "–" : used.toLocaleString(), " ", h("small", {}, say("of", { n: quota.toLocaleString() })));
    const small = limit !== null ? say("of", { n: `$${money(limit)}` }) : region === "practice" ? say("spent.free") : say("spent.here");
    spent.replaceChildren(`$${money(paid)}`, " ", h("small", {}, small));
    bars[0].style.setProperty("--at", (used ?? 0) / quota);
    bars[1].style.setProperty("--at", limit ? Math.min(1, paid / limit) : 0);
    bars[1].style.visibility = limit ? "" : "hidden";
  });
  return node;
}

/** Another service: in place, below the ledger; a key goes to the kernel as bytes and is never a trait. */
function serviceChooser(view) {
  const { say, model, uid } = view;
  const what = h("p", { class: "vc-quiet", role: "status" }), key = keyField(view);
  const press = h("button", { class: "vc-button is-main", type: "button" }), close = h("button", { class: "vc-button is-plain", type: "button" }, icon("close"), say("close"));
  const radios = REGIONS.map((region) => h("input", { type: "radio", name: `${uid}region`, value: region }));
  const group = h("fieldset", { class: "vc-group" }, h("legend", {}, say("service.choose")), ...REGIONS.map((region, i) =>
    h("label", { class: "vc-choice" }, radios[i], h("span", {}, say(`region.${region}`), h("span", { class: "vc-quiet" }, say(`region.${region}.do`))))));
  const node = h("div", { class: "vc-service", id: `${uid}service`, hidden: true }, group, h("div", { class: "vc-section" }, what, key, h("div", { class: "vc-actions" }, press, close)));
  const chosen = () => radios.find((radio) => radio.checked)?.value;
  const show = () => {
    const { region, has_key: hasKey } = model.get("ledger"), wanted = chosen(), here = wanted === region;
    what.textContent = here ? say("service.here") : say(wanted === "practice" ? "service.practice" : hasKey ? "service.key.found" : "service.key.none");
    key.hidden = wanted === "practice" || here;
    press.hidden = here || (wanted !== "practice" && !hasKey);
    press.replaceChildren(say("service.use", { name: say(`region.${wanted}`) }));
  };
  for (const radio of radios) view.on(radio, "change", () => { show(); order(model, { type: "want", region: radio.value }); });
  view.on(press, "click", () => order(model, { type: "service", region: chosen() }));
  view.on(close, "click", () => node.dispatchEvent(new Event("close")));
  view.on(node, "keydown", (event) => event.key === "Escape" && node.dispatchEvent(new Event("close")));
  let known = null;
  view.follow(["ledger"], ({ region }) => {
    if (region !== known) {
      for (const radio of radios) radio.checked = radio.value === (region ?? "practice");
      if (known !== null) node.dispatchEvent(new Event("close"));
    }
    known = region;
    show();
  });
  return node;
}
