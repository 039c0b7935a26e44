// A brush: the mask of a photograph, or regions in colours on photograph and painting.

import {$, h, api, chosen, button, picture, large, changed, when, attempt, say} from "./base.js";
import {refresh} from "./choose.js";

const LONGEST = 1600;       // pixels of a mask's longer edge
const COLOURS = {red: "#e03030", blue: "#3060e0", green: "#30b050", yellow: "#e0c020"};
const dialog = $("#brush"), canvas = dialog.querySelector("canvas"), shown = dialog.querySelector("img");
const ink = canvas.getContext("2d", {willReadFrequently: true});
const brush = {size: 12, soft: 0.5, colour: "#ffffff"};
let layers = [], layer = 0, regions = false, undone = [], done = [], last = null, aim = null;

// ---- what is on the canvas ----

const snapshot = () => ink.getImageData(0, 0, canvas.width, canvas.height);

function remember() {
  done.push(snapshot());
  if (done.length > 20) done.shift();
  undone = [];
  buttons();
}

function step(from, to) {
  if (!from.length) return;
  to.push(snapshot());
  ink.putImageData(from.pop(), 0, 0);
  buttons();
}

function fill(colour) {
  remember();
  ink.globalAlpha = 1;
  ink.fillStyle = colour;
  ink.fillRect(0, 0, canvas.width, canvas.height);
}

function dab(x, y, radius) {
  const soft = regions ? 0 : brush.soft, [r, g, b] = [1, 3, 5].map(i => parseInt(brush.colour.slice(i, i + 2), 16));
  if (soft) {
    const paint = ink.createRadialGradient(x, y, radius * (1 - soft), x, y, radius);
    paint.addColorStop(0, `rgba(${r},${g},${b},1)`);
    paint.addColorStop(1, `rgba(${r},${g},${b},0)`);
    ink.fillStyle = paint;
  } else ink.fillStyle = brush.colour;
  ink.beginPath();
  ink.arc(x, y, radius, 0, 2 * Math.PI);
  ink.fill();
}

function stroke(from, to, pressure) {
  const radius = Math.max(1, brush.size / 200 * Math.max(canvas.width, canvas.height) * pressure);
  const way = {x: to.x - from.x, y: to.y - from.y}, count = Math.ceil(Math.hypot(way.x, way.y) / radius * 4) || 1;
  for (let i = 1; i <= count; i++) dab(from.x + way.x * i / count, from.y + way.y * i / count, radius);
}

// ---- pointers and keys ----

function at(event) {
  const box = canvas.getBoundingClientRect();
  return {x: (event.clientX - box.left) / box.width * canvas.width,
          y: (event.clientY - box.top) / box.height * canvas.height};
}

const pressed = event => event.pointerType === "pen" && event.pressure ? 0.3 + 1.4 * event.pressure : 1;

canvas.addEventListener("pointerdown", event => {
  if (event.button) return;
  event.preventDefault();
  canvas.setPointerCapture(event.pointerId);
  remember();
  last = at(event);
  stroke(last, last, pressed(event));
});
canvas.addEventListener("pointermove", event => {
  if (!last) return;
  for (const part of event.getCoalescedEvents?.().length ? event.getCoalescedEvents() : [event]) {
    const to = at(part);
    stroke(last, to, pressed(part));
    last = to;
  }
});
for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { last = null; });
canvas.addEventListener("keydown", event => {
  const moves = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}, way = moves[event.key];
  aim ||= {x: canvas.width / 2, y: canvas.height / 2};
  if (way) {
    const [x, y] = way.map(step => step * canvas.width / 40);
    const to = {x: clamp(aim.x + x, 0, canvas.width), y: clamp(aim.y + y, 0, canvas.height)};
    if (event.shiftKey) stroke(aim, to, 1);
    aim = to;
  } else if (event.key === " ") { remember(); stroke(aim, aim, 1); }
  else return;
  event.preventDefault();
});
dialog.addEventListener("keydown", event => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
    event.preventDefault();
    if (event.shiftKey) step(undone, done); else step(done, undone);
  }
});

// ---- tools ----

function buttons() {
  const colour = (name, value, more = {}) => button(regions ? "" : name, () => { brush.colour = value; buttons(); },
    {"aria-label": name, title: name, "aria-pressed": brush.colour === value, "data-colour": value, ...more});
  const colours = Object.entries(regions ? COLOURS : {Paint: "#ffffff", Keep: "#000000"}).map(([name, value]) =>
    colour(name, value, regions ? {className: "swatch"} : {}));
  const range = (text, key, min, max, step) => h("label", {}, text, h("input", {type: "range", min, max, step,
    value: brush[key], "data-tool": key, oninput: event => { brush[key] = Number(event.target.value); }}));
  const tool = document.activeElement?.dataset?.tool;
  $("#brush-tools").replaceChildren(...colours, range("Size", "size", 1, 60, 1),
    ...(regions ? [] : [range("Soft edge", "soft", 0, 1, 0.1)]),
    button("Undo", () => step(done, undone), {disabled: !done.length, "data-tool": "undo"}),
    button("Redo", () => step(undone, done), {disabled: !undone.length, "data-tool": "redo"}),
    button("Fill", () => fill(brush.colour), {"data-tool": "fill"}),
    ...(regions ? [] : [button("Invert", invert, {"data-tool": "invert"})]),
    h("label", {className: "button"}, "Load a picture",
      h("input", {type: "file", className: "file", accept: "image/*", onchange: attempt(loadFile)})),
    button("Save as PNG", attempt(save)));
  for (const node of document.querySelectorAll(".swatch")) node.style.background = node.dataset.colour;
  if (tool) $(`#brush-tools [data-tool=${tool}]`)?.focus();
  $("#layers").hidden = !regions;
  const layerButton = (one, i) => button(one.name, () => turnTo(i), {"aria-pressed": i === layer});
  $("#layers").replaceChildren(...layers.map(layerButton));
}

function invert() {
  remember();
  const data = snapshot();
  for (let i = 0; i < data.data.length; i++) if (i % 4 < 3) data.data[i] = 255 - data.data[i];
  ink.putImageData(data, 0, 0);
}

async function loadFile(event) {
  const [file] = event.target.files;
  event.target.value = "";
  if (!file) return;
  const one = await api(`upload?kind=mask&name=${encodeURIComponent(file.name)}`, file);
  await refresh();
  const image = await exact(one.id);
  remember();
  ink.globalAlpha = 1;
  ink.drawImage(image, 0, 0, canvas.width, canvas.height);
}

const blob = from => new Promise(give => from.toBlob(give, "image/png"));

async function save() {
  const address = URL.createObjectURL(await blob(canvas));
  h("a", {href: address, download: regions ? "regions.png" : "mask.png"}).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

const loaded = async src => {
  const image = new Image();
  image.src = src;
  await image.decode();
  return image;
};

const exact = id => loaded(`api/pictures/${id}/file`).catch(() => loaded(large(id)));    // not every browser knows TIFF

// ---- the dialog ----

async function turnTo(number) {
  if (layers[layer]) layers[layer].data = canvas.width > 1 && layers[layer].begun ? snapshot() : layers[layer].data;
  layer = number;
  const one = layers[layer], image = await loaded(large(one.id)), shape = image.naturalWidth / image.naturalHeight;
  const edge = Math.min(LONGEST, Math.max(image.naturalWidth, image.naturalHeight));
  shown.src = image.src;
  canvas.width = Math.round(shape >= 1 ? edge : edge * shape);
  canvas.height = Math.round(shape >= 1 ? edge / shape : edge);
  $("#canvas-box").style.setProperty("--shape", shape);
  [done, undone, aim, last] = [[], [], null, null];
  one.begun = true;
  if (one.data) ink.putImageData(one.data, 0, 0);
  else {
    ink.fillStyle = regions ? COLOURS.red : "#000000";
    ink.fillRect(0, 0, canvas.width, canvas.height);
    const before = picture(one.before) && await exact(one.before);
    if (before) ink.drawImage(before, 0, 0, canvas.width, canvas.height);
  }
  buttons();
}

async function open(many) {
  regions = many;
  brush.colour = regions ? COLOURS.blue : "#ffffff";
  $("#brush-name").textContent = regions
    ? "Regions: each colour of the photograph takes the painting's part of the same colour"
    : "Paint only a part: what is white is painted, what is black stays a photograph";
  layers = [{name: "Photograph", id: chosen.content, before: regions ? chosen.regions : chosen.mask}];
  if (regions) for (const [i, {id}] of chosen.styles.entries())
    layers.push({name: i ? `Painting ${i + 1}` : "Painting", id, before: chosen.style_regions?.[i]});
  layer = 0;
  get("brush-none").textContent = regions ? "No regions" : "No mask";
  dialog.showModal();
  await turnTo(0);
  canvas.focus();
}

async function use() {
  layers[layer].data = snapshot();
  const ids = [];
  for (const [i, one] of layers.entries()) {
    if (!one.data) { await turnTo(i); one.data = snapshot(); }
    const sheet = h("canvas", {width: one.data.width, height: one.data.height});
    sheet.getContext("2d").putImageData(one.data, 0, 0);
    const name = `${regions ? "regions" : "mask"}-${i + 1}.png`;
    ids.push((await api(`upload?kind=mask&name=${name}`, await blob(sheet))).id);
  }
  if (regions) Object.assign(chosen, {regions: ids[0], style_regions: ids.slice(1)});
  else chosen.mask = ids[0];
  dialog.close();
  await refresh();
  changed("choice");
  say(regions ? "The regions are set." : "The mask is set.");
}

function draw() {
  const content = picture(chosen.content), still = content && !content.film && chosen.contents.length === 1;
  get("brush-mask").hidden = !still;
  get("brush-regions").hidden = !still || !chosen.styles.length;
  get("mask-note").hidden = !still || !chosen.mask;
  get("regions-note").hidden = !still || !chosen.regions;
}

export function begin() {
  when("choice", draw);
  get("brush-mask").addEventListener("click", attempt(() => open(false)));
  get("brush-regions").addEventListener("click", attempt(() => open(true)));
  get("brush-use").addEventListener("click", attempt(use));
  get("brush-cancel").addEventListener("click", () => dialog.close());
  get("brush-none").addEventListener("click", () => {
    Object.assign(chosen, regions ? {regions: null, style_regions: null} : {mask: null});
    dialog.close();
    changed("choice");
  });
}
