// Pictures to paint and to paint from: those of the folder, those to try, dropped, pasted or chosen.

import {$, h, api, studio, chosen, left, paintOn, picture, nameOf, small, changed, when, say, attempt, complain,
        UNMASKED} from "./base.js";

const KINDS = {photographs: "photograph", paintings: "painting"};

export async function refresh() {
  studio.pictures = left(await api("pictures"));
  changed("pictures");
}

const idsOf = box => box === "photographs" ? chosen.contents : chosen.styles.map(style => style.id);
const several = box => $(`#${box} .several`).getAttribute("aria-pressed") === "true";

function toggle(box, id, add) {     // choose a picture, or with `add`, choose or leave out one of several
  const has = idsOf(box).includes(id);
  if (box === "photographs") {
    const others = chosen.contents.filter(one => one !== id), contents = add ? [...others, ...has ? [] : [id]] : [id];
    const [content] = contents.length ? contents : [id];
    if (content !== chosen.content) paintOn(content);
    chosen.contents = contents.length ? contents : [id];
  } else {
    const others = add || has ? chosen.styles.filter(one => one.id !== id) : [];
    Object.assign(chosen, {styles: has ? others : [...others, {id, share: 1}], regions: null, style_regions: null});
  }
  changed("choice");
}

function pick(box, one) {
  const name = nameOf(one), add = event => several(box) || event.ctrlKey || event.metaKey || event.shiftKey;
  return h("button", {type: "button", className: "pick", "aria-pressed": idsOf(box).includes(one.id), "data-id": one.id,
                      title: name + " (with Ctrl or Shift: besides the others)",
                      onclick: event => toggle(box, one.id, add(event))},
           h("img", {src: small(one.id), alt: name, loading: "lazy"}),
           one.film ? h("span", {textContent: "film"}) : null);
}

function toTry(box, example) {
  return h("button", {type: "button", className: "pick", title: `${example.name}, to try`, "data-try": example.name,
                      onclick: attempt(async () => take(box, await api(`examples/${example.number}`, {})))},
           h("img", {src: `api/examples/${example.number}/small`, alt: `${example.name}, to try`, loading: "lazy"}));
}

function draw() {
  for (const [box, kind] of Object.entries(KINDS)) {
    const own = studio.pictures.filter(one => one.kind === kind).reverse(), strip = $(`#${box} .strip`);
    const extra = idsOf(box).map(picture).filter(one => one && one.kind !== kind);
    const there = new Set(own.map(one => nameOf(one).split(".")[0]));
    const examples = studio.examples.filter(one => one.kind === kind && !there.has(one.name.replaceAll(" ", "-")));
    const focused = strip.contains(document.activeElement) && document.activeElement.dataset.id;
    strip.replaceChildren(strip.firstElementChild, ...[...extra, ...own].map(one => pick(box, one)),
                          ...examples.length ? [h("p", {className: "note", textContent: "To try"})] : [],
                          ...examples.map(one => toTry(box, one)));
    if (focused) strip.querySelector(`[data-id="${focused}"]`)?.focus();
  }
  const many = chosen.styles.length > 1;
  $("#shares").replaceChildren(...(many ? chosen.styles : []).map(style => h("label", {}, nameOf(picture(style.id)),
    h("input", {type: "range", min: 0.1, max: 2, step: 0.1, value: style.share, onchange: () => changed("values"),
                oninput: event => { style.share = Number(event.target.value); tellShares(); }}), h("output"))));
  tellShares();
}

function tellShares() {
  const whole = chosen.styles.reduce((sum, style) => sum + style.share, 0);
  for (const [i, output] of document.querySelectorAll("#shares output").entries())
    output.textContent = `${Math.round(100 * chosen.styles[i].share / whole)} %`;
}

function take(box, one, add = several(box)) {       // a picture that has just come is to be painted
  if (!picture(one.id)) studio.pictures.push(one);
  changed("pictures");
  if (!idsOf(box).includes(one.id)) toggle(box, one.id, add);
}

async function bring(box, files) {
  for (const [number, file] of files.entries()) {
    const line = say(`${file.name} …`);
    try {
      const one = await api(`upload?kind=${KINDS[box]}&name=${encodeURIComponent(file.name)}`, file);
      if (one.recipe && !one.film) await bringBack(one);
      else take(box, one, number > 0 || several(box));
    } catch (error) {       // the others come all the same
      complain(error);
    } finally {
      line.remove();
    }
  }
}

const WORDS = /^(uniform|normal|white|median|content|style|network:\w+)$/;     // a start that is no picture

export async function bringBack(one) {      // the recipe of a finished picture
  const found = await api(`pictures/${one.id}/recipe`);
  const {start, style_blend_weights: shares, ...values} = found.values ?? {};
  const named = path => studio.pictures.find(each => each.path === path) ||
    studio.pictures.find(each => nameOf(each) === String(path).split("/").pop() && each.kind !== "result");
  const content = named(found.pictures.content_image), styles = (found.styles ?? []).map(named).filter(Boolean);
  if (content) paintOn(content.id);
  if (found.network) {
    if (content) chosen.shown = {once: found.network};
    say(`The network ${found.network} painted ${nameOf(one)}; ` +
        (content ? "here is its photograph." : "its photograph is not here."));
    return changed("choice");
  }
  const begun = WORDS.test(start ?? "uniform") ? start : named(start) && {picture: named(start).id};
  if (start && !begun) say("It began with an image that is not here; the start is another one.", {bad: true});
  Object.assign(chosen, {recipe: null, values: begun ? {...values, start: begun} : values}, UNMASKED);
  if (styles.length) chosen.styles = styles.map((style, i) => ({id: style.id, share: [shares ?? 1].flat()[i] ?? 1}));
  const {mask, regions} = found.pictures, places = (found.style_regions ?? []).map(named);
  if (mask) chosen.mask = named(mask)?.id ?? null;
  if (regions && named(regions) && places.every(Boolean))
    Object.assign(chosen, {regions: named(regions).id, style_regions: places.map(place => place.id)});
  chosen.shown = {picture: one.id};
  const whole = content && (styles.length || !found.styles.length);
  say(`The recipe of ${nameOf(one)} is back` +
      (whole ? ", with its pictures." : "; its pictures are not here, so choose some."));
  changed("choice");
}

export function begin() {
  for (const box of Object.keys(KINDS)) {
    const part = $("#" + box);
    part.querySelector(".several").addEventListener("click", ({target}) =>
      target.setAttribute("aria-pressed", !several(box)));
    part.querySelector(".file").addEventListener("change", attempt(async event => {
      await bring(box, [...event.target.files]);
      event.target.value = "";
    }));
  }
  const nearest = () => chosen.content && !chosen.styles.length ? "paintings" : "photographs";
  addEventListener("dragover", event => { event.preventDefault(); document.body.classList.add("over"); });
  addEventListener("dragleave", event => { if (!event.relatedTarget) document.body.classList.remove("over"); });
  addEventListener("drop", attempt(event => {
    event.preventDefault();
    document.body.classList.remove("over");
    return bring(event.target.closest(".drop")?.id ?? nearest(), [...event.dataTransfer.files]);
  }));
  addEventListener("paste", attempt(event => {
    const files = [...event.clipboardData.files];
    return files.length && bring(nearest(), files);
  }));
  when("pictures", draw);
  when("choice", draw);
}
