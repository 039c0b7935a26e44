// How to paint: a look, the knobs in front, and every flag behind them, all made from the tables that the server sends.

import {$, h, api, studio, chosen, look, picture, changed, when, later, attempt, say} from "./base.js";

const SIZES = [200, 300, 400, 600, 900, 1200, 1800, 2400];
const FIRST = 400;      // pixels, so that a first picture is soon there
const PLAIN = {};       // the flags' defaults, which a picture's own recipe builds on
const base = () => look()?.values || PLAIN;
const valueOf = name => name in chosen.values ? chosen.values[name] : base()[name];
const same = (one, other) => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);

export function set(values) {       // flags to set; what equals the look's own is left out
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === "" || same(value, base()[name])) delete chosen.values[name];
    else chosen.values[name] = value;
  }
  changed("values");
}

// ---- the knobs in front ----

const KNOBS = [
  {name: "How much painting", ends: ["photograph", "painting"], min: -4, max: 4, step: 0.5, flag: "content_weight",
   get: () => base().content_weight ? Math.log2(base().content_weight / valueOf("content_weight")) : 0,
   set: value => set({content_weight: value ? Number((base().content_weight * 2 ** -value).toPrecision(4)) : null}),
   off: () => !base().content_weight || !valueOf("style_weight")},
  {name: "Strokes", ends: ["small", "large"], min: -1.5, max: 1.5, step: 0.5, flag: "style_scales",
   get: () => Math.log2([valueOf("style_scales") ?? 1].flat()[0] || 1),
   set: value => set(value ? {fit: "scale", style_scales: chosen.styles.map(() => Number((2 ** value).toFixed(3)))}
                           : {fit: null, style_scales: null}),
   off: () => !valueOf("style_weight") || !chosen.styles.length},
  {name: "Colours", choices: {none: "of the painting", match: "of the painting, brought near the photograph's", luma: "of the photograph"},
   without: () => valueOf("style_weight") ? null : "match",
   get: () => valueOf("preserve_colors"), set: value => set({preserve_colors: value})},
  {name: "Size", choices: Object.fromEntries(SIZES.map(size => [size, `${size} pixels`])), flag: "max_long_edge",
   get: () => valueOf("max_long_edge"), set: value => set({max_long_edge: Number(value), width: null})},
  {name: "Patience", ends: ["sooner", "finer"], min: -3, max: 2, step: 0.5, flag: "max_num_epochs",
   get: () => Math.log2(valueOf("max_num_epochs") / base().max_num_epochs),
   set: value => set({max_num_epochs: value ? Math.max(1, Math.round(base().max_num_epochs * 2 ** value)) : null}),
   tells: () => `${valueOf("max_num_epochs")} epochs at most`},
];

function drawKnobs() {
  const focused = document.activeElement?.closest("#knobs") && document.activeElement.id;
  $("#knobs").replaceChildren($("#knobs legend"), ...KNOBS.map((knob, number) => {
    const id = `knob-${number}`, now = knob.get(), disabled = Boolean(knob.off?.());
    const control = knob.choices
      ? h("select", {id, disabled, onchange: event => knob.set(event.target.value)},
          ...Object.entries(now in knob.choices ? knob.choices : {[now]: `${now} pixels`, ...knob.choices})
            .map(([value, text]) => h("option", {value, textContent: text, selected: value === String(now), disabled: value === knob.without?.()})))
      : h("input", {id, type: "range", min: knob.min, max: knob.max, step: knob.step, disabled, value: now,
                    "aria-valuetext": knob.tells ? knob.tells() : now ? `${now > 0 ? knob.ends[1] : knob.ends[0]} ${Math.abs(now)}` : "as the look has it",
                    onchange: event => knob.set(Number(event.target.value))});
    const ends = knob.ends && h("div", {className: "ends", "aria-hidden": true}, ...[knob.ends[0], knob.tells?.() || "", knob.ends[1]].map(text => h("span", {textContent: text})));
    return h("div", {className: "knob"}, h("label", {htmlFor: id, textContent: knob.name}), control, ends || null);
  }));
  if (focused) document.getElementById(focused)?.focus();
}

// ---- looks ----

function drawLooks() {      // made once, so that the arrow keys can go from one to the next
  const tiles = $("#looks .tiles");
  if (!tiles.children.length) tiles.replaceChildren(...[...studio.looks, {name: null}].map(one => h("label", {className: "tile"},
    h("input", {type: "radio", name: "look", value: one.name ?? "", onchange: () => choose(one.name)}),
    one.tile ? h("img", {src: `${one.name}.jpg`, alt: "", loading: "lazy"}) : h("div", {className: "none"}),
    h("b", {textContent: one.name ?? "a picture's own"}))));
  for (const radio of tiles.querySelectorAll("input")) radio.checked = radio.value === (chosen.recipe ?? "");
  tiles.lastChild.hidden = chosen.recipe !== null;
  $("#says").textContent = look()?.says ?? "The recipe of a picture, with all its flags.";
}

function choose(name) {
  const {max_long_edge = FIRST} = chosen.values;
  Object.assign(chosen, {recipe: name, values: {max_long_edge}});
  changed("values");
}

// ---- every flag ----

function control(flag, id) {
  const now = valueOf(flag.name), put = value => set({[flag.name]: value});
  if (flag.type === "bool") return h("input", {id, type: "checkbox", checked: Boolean(now), onchange: event => put(event.target.checked)});
  if (flag.choices.length && !flag.many) {
    const listed = typeof now === "string" && !flag.choices.includes(now) ? [now, ...flag.choices] : flag.choices;
    return h("select", {id, onchange: event => put(event.target.value)},
             ...listed.map(value => h("option", {value, textContent: value, selected: value === now})));
  }
  const number = flag.type !== "str" && !flag.many;
  const read = text => flag.type === "str" ? text : Number(text);
  return h("input", {id, type: number ? "number" : "text", step: flag.type === "int" ? 1 : "any", autocomplete: "off",
    value: now === null || now === undefined ? "" : [now].flat().map(one => typeof one === "object" ? "a picture" : one).join(" "),
    onchange: event => {
      const words = event.target.value.trim().split(/[\s,]+/).filter(Boolean);
      if (flag.type !== "str" && words.some(word => !Number.isFinite(Number(word)))) return say(`${flag.flag}: must be a number`, {bad: true});
      put(!words.length ? null : words.length > 1 ? words.map(read) : read(words[0]));
    }});
}

function drawFlags() {
  if (!$("#all").open) return;
  const focused = document.activeElement?.closest("#flags") && document.activeElement.id;
  $("#flags").replaceChildren(...studio.groups.flatMap(group => [h("h3", {textContent: group.title}), ...group.flags.map(flag => {
    const id = `flag-${flag.name}`;
    return h("div", {className: "flag" + (flag.name in chosen.values ? " changed" : "")},
      h("label", {htmlFor: id}, h("code", {textContent: flag.flag}), control(flag, id)),
      h("p", {textContent: flag.help + (flag.check ? `; ${flag.check}` : "")}));
  })]));
  if (focused) document.getElementById(focused)?.focus();
}

// ---- what it comes to: the command, memory, or what is wrong ----

export function asked() {       // what the server is asked for, and as which kind of job
  const {content, contents, styles, recipe, values, mask, regions, style_regions} = chosen;
  const kind = picture(content)?.film ? "film" : contents.length > 1 ? "batch" : "run";
  const wish = {kind, content, styles, recipe, values, ...(kind === "batch" ? {contents} : {})};
  return kind === "run" ? {...wish, mask, regions, style_regions} : wish;
}

let controller = new AbortController();
async function tell() {
  controller.abort();
  controller = new AbortController();
  const {signal} = controller, plan = $("#plan");
  plan.classList.remove("bad");
  $("#paint").disabled = true;
  $("#paint").textContent = chosen.contents.length > 1 ? `Paint all ${chosen.contents.length}` : "Paint";
  $("#words").textContent = "";
  if (!chosen.content) { plan.textContent = "First choose a photograph."; return; }
  if (!chosen.styles.length && valueOf("style_weight")) { plan.textContent = "Now choose a painting, and then Paint."; return; }
  try {
    const wish = asked();
    const {command} = await api("command", wish, {signal});
    $("#words").textContent = command;
    $("#paint").disabled = false;
    plan.textContent = "";
    if (wish.kind !== "run") return;
    const {says} = await api("plan", wish, {signal});
    plan.textContent = says;
  } catch (error) {
    if (error.name === "AbortError") return;
    plan.textContent = error.message;
    plan.classList.add("bad");
  }
}

export function begin(paint) {
  for (const group of studio.groups) for (const flag of group.flags) PLAIN[flag.name] = flag.default;
  if (chosen.recipe !== null && !look() || !Object.keys(chosen.values).length && !chosen.content) choose(studio.default);
  const soon = later(250, tell);
  for (const topic of ["values", "choice"]) when(topic, () => { drawLooks(); drawKnobs(); drawFlags(); soon(); });
  $("#all").addEventListener("toggle", drawFlags);
  $("#reset").addEventListener("click", () => choose(chosen.recipe ?? studio.default));
  $("#paint").addEventListener("click", attempt(paint));
  copies($("#copy"), $("#words"));
}
