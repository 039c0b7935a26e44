// Pictures to paint and to paint from: those of the folder, those to try, dropped, pasted or chosen.

import {$, h, api, studio, chosen, picture, nameOf, small, changed, when, say, attempt} from "./base.js";

const KINDS = {photographs: "photograph", paintings: "painting"};

export async function refresh() {
  studio.pictures = await api("pictures");
  changed("pictures");
}

function toggle(box, id, add) {
  if (box === "photographs") {
    if (add) chosen.contents = chosen.contents.includes(id) ? chosen.contents.filter(one => one !== id) : [...chosen.contents, id];
    else chosen.contents = [id];
    if (!chosen.contents.length) chosen.contents = [id];
    const content = chosen.contents[0];
    if (content !== chosen.content) Object.assign(chosen, {content, mask: null, regions: null, style_regions: null, shown: null});
  } else {
    const has = chosen.styles.some(one => one.id === id);
    if (add || has) chosen.styles = has ? chosen.styles.filter(one => one.id !== id) : [...chosen.styles, {id, share: 1}];
    else chosen.styles = [{id, share: 1}];
    Object.assign(chosen, {regions: null, style_regions: null});
  }
  changed("choice");
}

const several = box => $(`#${box} .several`).getAttribute("aria-pressed") === "true";

function pick(box, one) {
  const on = box === "photographs" ? chosen.contents.includes(one.id) : chosen.styles.some(style => style.id === one.id);
  const name = nameOf(one);
  return h("button", {type: "button", className: "pick", "aria-pressed": on, title: name + " (with Ctrl or Shift: besides the others)",
                      "data-id": one.id, onclick: event => toggle(box, one.id, several(box) || event.ctrlKey || event.metaKey || event.shiftKey)},
           h("img", {src: small(one.id), alt: name, loading: "lazy"}), one.film ? h("span", {textContent: "film"}) : null);
}

function toTry(box, example) {
  return h("button", {type: "button", className: "pick try", title: `${example.name}, to try`, "data-try": example.name,
                      onclick: attempt(async () => take(box, await api(`examples/${example.number}`, {})))},
           h("img", {src: `api/examples/${example.number}/small`, alt: example.name, loading: "lazy"}),
           h("span", {textContent: "to try"}));
}

function draw() {
  for (const [box, kind] of Object.entries(KINDS)) {
    const own = studio.pictures.filter(one => one.kind === kind).reverse(), strip = $(`#${box} .strip`);
    const extra = (box === "photographs" ? chosen.contents : chosen.styles.map(style => style.id)).map(picture)
      .filter(one => one && one.kind !== kind);
    const there = new Set(own.map(one => nameOf(one).split(".")[0]));
    const examples = studio.examples.filter(one => one.kind === kind && !there.has(one.name.replaceAll(" ", "-")));
    const focused = strip.contains(document.activeElement) && document.activeElement.dataset.id;
    strip.replaceChildren(...[...extra, ...own].map(one => pick(box, one)), ...examples.map(one => toTry(box, one)));
    if (focused) strip.querySelector(`[data-id="${focused}"]`)?.focus();
  }
  const many = chosen.styles.length > 1;
  $("#shares").replaceChildren(...(many ? chosen.styles : []).map(style => h("label", {}, nameOf(picture(style.id)),
    h("input", {type: "range", min: 0.1, max: 2, step: 0.1, value: style.share,
                onchange: event => { style.share = Number(event.target.value); changed("values"); }}))));
}

function take(box, one) {       // a picture that has just come is the one to paint
  if (!picture(one.id)) studio.pictures.push(one);
  changed("pictures");
  if (box === "photographs") { if (!chosen.contents.includes(one.id)) toggle(box, one.id, several(box)); }
  else if (!chosen.styles.some(style => style.id === one.id)) toggle(box, one.id, several(box));
}

async function bring(box, files) {
  for (const [number, file] of files.entries()) {
    say(`${file.name} …`);
    const one = await api(`upload?kind=${KINDS[box]}&name=${encodeURIComponent(file.name)}`, file);
    if (one.recipe && !one.film) { await bringBack(one); continue; }
    if (!picture(one.id)) studio.pictures.push(one);
    if (number && box === "photographs") toggle(box, one.id, !chosen.contents.includes(one.id));
    else if (number) { if (!chosen.styles.some(style => style.id === one.id)) toggle(box, one.id, true); }
    else take(box, one);
  }
  changed("pictures");
}

export async function bringBack(one) {      // the recipe of a finished picture
  const found = await api(`pictures/${one.id}/recipe`);
  const named = path => studio.pictures.find(each => each.path === path) ||
    studio.pictures.find(each => nameOf(each) === String(path).split("/").pop() && each.kind !== "result");
  if (found.network) return ofNetwork(one, found.network, named(found.pictures.content_image));
  const content = named(found.pictures.content_image), styles = found.styles.map(named).filter(Boolean);
  const values = {...found.values};
  const shares = [values.style_blend_weights ?? 1].flat();
  delete values.style_blend_weights;
  if (found.pictures.start && !/^(uniform|normal|white|median|content|style|network:\w+)$/.test(values.start || "uniform")) {
    const start = named(values.start);
    if (start) values.start = {picture: start.id};
    else { delete values.start; say("It began with an image that is not here; the start is another one.", {bad: true}); }
  }
  Object.assign(chosen, {recipe: null, values, mask: null, regions: null, style_regions: null});
  if (content) Object.assign(chosen, {content: content.id, contents: [content.id]});
  if (styles.length) chosen.styles = styles.map((style, i) => ({id: style.id, share: shares[i] ?? 1}));
  if (found.pictures.mask && named(found.pictures.mask)) chosen.mask = named(found.pictures.mask).id;
  chosen.shown = one.kind === "result" ? {picture: one.id} : chosen.shown;
  say(content && (styles.length || !found.styles.length) ? `The recipe of ${nameOf(one)} is back, with its pictures.`
    : `The recipe of ${nameOf(one)} is back; its pictures are not here, so choose some.`);
  changed("choice");
}

function ofNetwork(one, network, content) {
  if (content) Object.assign(chosen, {content: content.id, contents: [content.id], mask: null, regions: null, style_regions: null});
  chosen.shown = content ? {once: network} : chosen.shown;
  say(content ? `The network ${network} painted ${nameOf(one)}; here is its photograph.`
    : `The network ${network} painted ${nameOf(one)}; its photograph is not here.`);
  changed("choice");
}

export function begin() {
  for (const box of Object.keys(KINDS)) {
    const part = $("#" + box);
    part.querySelector(".several").addEventListener("click", ({target}) => target.setAttribute("aria-pressed", !several(box)));
    part.querySelector(".file").addEventListener("change", attempt(async event => {
      await bring(box, [...event.target.files]);
      event.target.value = "";
    }));
    part.addEventListener("dragover", event => { event.preventDefault(); part.classList.add("over"); });
    part.addEventListener("dragleave", () => part.classList.remove("over"));
    part.addEventListener("drop", attempt(event => {
      event.preventDefault();
      event.stopPropagation();
      part.classList.remove("over");
      document.body.classList.remove("over");
      return bring(box, [...event.dataTransfer.files]);
    }));
  }
  const nearest = () => chosen.content && !chosen.styles.length ? "paintings" : "photographs";
  addEventListener("dragover", event => { event.preventDefault(); document.body.classList.add("over"); });
  addEventListener("dragleave", event => { if (!event.relatedTarget) document.body.classList.remove("over"); });
  addEventListener("drop", attempt(event => {
    event.preventDefault();
    document.body.classList.remove("over");
    return bring(nearest(), [...event.dataTransfer.files]);
  }));
  addEventListener("paste", attempt(event => {
    const files = [...event.clipboardData.files];
    return files.length && bring(nearest(), files);
  }));
  when("pictures", draw);
  when("choice", draw);
}
