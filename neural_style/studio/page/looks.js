// How to paint: a look, the knobs in front, and every flag behind them, all made from the tables that the server sends.

import {$, h, api, studio, chosen, duration, look, picture, changed, when, later, attempt, say} from "./base.js";

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
  {name: "Colours", choices: {none: "of the painting", match: "of the painting, brought near the photograph's",
                              luma: "of the photograph"},
   without: () => valueOf("style_weight") ? null : "match",
   get: () => valueOf("preserve_colors"), set: value => set({preserve_colors: value})},
  {name: "Size", choices: Object.fromEntries(SIZES.map(size => [size, `${size} pixels`])), flag: "max_long_edge",
   get: () => valueOf("max_long_edge"), set: value => set({max_long_edge: Number(value), width: null})},
  {name: "Patience", ends: ["sooner", "finer"], min: -3, max: 2, step: 0.5, flag: "max_num_epochs",
   get: () => Math.log2(valueOf("max_num_epochs") / base().max_num_epochs),
   set: value => set({max_num_epochs: value ? Math.max(1, Math.round(base().max_num_epochs * 2 ** value)) : null}),
   tells: () => `${valueOf("max_num_epochs")} epochs at most`},
];

function knobSelect(knob, id, now) {
  const all = Object.entries(now in knob.choices ? knob.choices : {[now]: `${now} pixels`, ...knob.choices});
  return h("select", {id, onchange: event => knob.set(event.target.value)}, ...all.map(([value, textContent]) =>
    h("option", {value, textContent, selected: value === String(now), disabled: value === knob.without?.()})));
}

function knobRange(knob, id, now) {
  const {min, max, step, ends: [low, high]} = knob, disabled = Boolean(knob.off?.());
  const told = knob.tells?.() ?? (now ? `${now > 0 ? high : low} ${Math.abs(now)}` : "as the look has it");
  return h("input", {id, type: "range", min, max, step, value: now, disabled, "aria-valuetext": told,
                     onchange: event => knob.set(Number(event.target.value))});
}

function drawKnobs() {
  const focused = document.activeElement?.closest("#knobs") && document.activeElement.id;
  $("#knobs").replaceChildren($("#knobs legend"), ...KNOBS.map((knob, number) => {
    const id = `knob-${number}`, control = (knob.choices ? knobSelect : knobRange)(knob, id, knob.get());
    const ends = knob.ends && [knob.ends[0], knob.tells?.() ?? "", knob.ends[1]].map(text => h("span", {}, text));
    return h("div", {className: "knob"}, h("label", {htmlFor: id, textContent: knob.name}), control,
             ends && h("div", {className: "ends", "aria-hidden": true}, ...ends));
  }));
  if (focused) document.getElementById(focused)?.focus();
}

// ---- looks ----

function drawLooks() {      // made once, so that the arrow keys can go from one to the next
  const tiles = $("#looks .tiles"), own = {name: "", title: "A picture's own"};
  if (!tiles.children.length) tiles.replaceChildren(...[...studio.looks, own].map(one =>
    h("label", {className: "tile", title: one.says ?? ""},
      h("input", {type: "radio", name: "look", value: one.name, onchange: () => choose(one.name)}),
      one.tile ? h("img", {src: `${one.name}.jpg`, alt: "", loading: "lazy"}) : h("div", {className: "none"}),
      h("b", {textContent: one.title}))));
  for (const radio of tiles.querySelectorAll("input")) radio.checked = radio.value === (chosen.recipe ?? "");
  tiles.lastChild.hidden = chosen.recipe !== null;
  $("#says").textContent = look()?.says ?? "The recipe of a picture, with all its settings.";
}

function choose(name) {
  const {max_long_edge = FIRST} = chosen.values;
  Object.assign(chosen, {recipe: name || null, values: {max_long_edge}});
  changed("values");
}

// ---- every flag ----

function control(flag, id) {
  const now = valueOf(flag.name), put = value => set({[flag.name]: value});
  if (flag.type === "bool")
    return h("input", {id, type: "checkbox", checked: Boolean(now), onchange: event => put(event.target.checked)});
  if (flag.choices.length && !flag.many) {
    const all = typeof now === "string" && !flag.choices.includes(now) ? [now, ...flag.choices] : flag.choices;
    return h("select", {id, onchange: event => put(event.target.value)},
             ...all.map(value => h("option", {value, textContent: value, selected: value === now})));
  }
  const read = text => flag.type === "str" ? text : Number(text);
  const value = [now ?? []].flat().map(one => typeof one === "object" ? "a picture" : one).join(" ");
  return h("input", {id, type: flag.type !== "str" && !flag.many ? "number" : "text", autocomplete: "off",
    step: flag.type === "int" ? 1 : "any", value,
    onchange: event => {
      const values = event.target.value.trim().split(/[\s,]+/).filter(Boolean).map(read);
      if (values.some(Number.isNaN)) return say(`${flag.flag}: must be a number`, {bad: true});
      put(values.length > 1 ? values : values[0] ?? null);
    }});
}

function drawFlags() {
  if (!$("#all").open) return;
  const focused = document.activeElement?.closest("#flags") && document.activeElement.id;
  const row = flag => h("div", {className: "flag" + (flag.name in chosen.values ? " changed" : "")},
    h("label", {htmlFor: `flag-${flag.name}`}, h("code", {textContent: flag.flag}), control(flag, `flag-${flag.name}`)),
    h("p", {textContent: flag.help + (flag.check ? `; ${flag.check}` : "")}));
  $("#flags").replaceChildren(...studio.groups.flatMap(({title, flags}) =>
    [h("h3", {textContent: title}), ...flags.map(row)]));
  if (focused) document.getElementById(focused)?.focus();
}

// ---- what it comes to: the command, memory, or what is wrong ----

export function asked() {       // what the server is asked for, and as which kind of job
  const {content, contents, styles, recipe, values, mask, regions, style_regions} = chosen;
  const kind = picture(content)?.film ? "film" : contents.length > 1 ? "batch" : "run";
  const wish = {kind, content, styles, recipe, values, ...(kind === "batch" ? {contents} : {})};
  return kind === "run" ? {...wish, mask, regions, style_regions} : wish;
}

function takes(total) {     // how long, if something like it was painted before
  const area = values => (values?.max_long_edge ?? base().max_long_edge) ** 2;
  const like = studio.jobs.findLast(job => job.kind === "run" && job.done > 3 && job.asked.recipe === chosen.recipe);
  if (!like) return "";
  return `; about ${duration(like.seconds / like.done * total * area(chosen.values) / area(like.asked.values))}`;
}

let controller = new AbortController();
async function tell() {
  controller.abort();
  controller = new AbortController();
  const {signal} = controller, plan = $("#plan"), count = chosen.contents.length;
  plan.classList.remove("bad");
  plan.title = $("#words").textContent = "";
  $("#paint").disabled = true;
  $("#paint").textContent = count > 1 ? `Paint all ${count}` : "Paint";
  if (!chosen.content) { plan.textContent = "First choose a photograph."; return; }
  if (!chosen.styles.length && valueOf("style_weight")) { plan.textContent = "Now choose a painting."; return; }
  try {
    const wish = asked(), {command, total} = await api("command", wish, {signal});
    $("#words").textContent = command;
    $("#paint").disabled = false;
    plan.textContent = "";
    if (wish.kind !== "run") return;
    const {says, plain} = await api("plan", wish, {signal});
    Object.assign(plan, {textContent: plain + takes(total), title: says});
  } catch (error) {
    if (error.name === "AbortError") return;
    plan.textContent = error.message;
    plan.classList.add("bad");
  }
}

export function begin(paint) {
  for (const group of studio.groups) for (const flag of group.flags) PLAIN[flag.name] = flag.default;
  const first = !Object.keys(chosen.values).length && !chosen.content;
  if (chosen.recipe !== null && !look() || first) choose(studio.default);
  const soon = later(250, tell);
  for (const topic of ["values", "choice"]) when(topic, () => { drawLooks(); drawKnobs(); drawFlags(); soon(); });
  $("#all").addEventListener("toggle", drawFlags);
  $("#reset").addEventListener("click", () => choose(chosen.recipe ?? studio.default));
  $("#paint").addEventListener("click", attempt(paint));
  copies($("#copy"), $("#words"));
}
