// The picture: what networks paint at once, a job as it grows, or a finished one beside what it was made from.

import {$, h, api, studio, chosen, button, picture, nameOf, large, lookOf, changed, when, attempt, say, duration, later}
  from "./base.js";
import {asked} from "./looks.js";

const histories = {};       // epochs by job
const OVER = ["done", "failed", "stopped"];
let drawn = {};             // what the curves show

const jobOf = id => studio.jobs.find(job => job.id === id);
const makes = (job, one) => one.path === job.output || one.path.startsWith(job.output + "/");
const resultOf = job => studio.pictures.findLast(one => makes(job, one));
const contentOf = one => studio.pictures.find(other => other.path === one.recipe.match(/--content-image=(\S+)/)?.[1]);
export const madeBy = one => studio.jobs.find(job => makes(job, one));

// ---- the stage: before and after ----

function showOn({after, name, before}) {
  const wanted = [["before", before, "before"], ["after on", after, name]].filter(row => row[1]);
  const nodes = wanted.map(([kind, one, alt]) => {
    const same = node => node.getAttribute("src") === one.src && node.classList.contains(kind.split(" ")[0]);
    const node = [...stage.querySelectorAll("img, video")].find(same) ||
      (one.film ? h("video", {controls: true, loop: true, muted: true, onloadedmetadata: fit})
        : h("img", {decoding: "sync", onload: fit}));
    if (!node.hasAttribute("src")) node.setAttribute("src", one.src);
    if (!one.film) node.alt = alt;
    node.className = kind;
    return node;
  });
  for (const node of stage.querySelectorAll("img, video")) if (!nodes.includes(node)) node.remove();
  if (nodes.some((node, i) => stage.children[i] !== node)) stage.prepend(...nodes);
  $("#empty").hidden = nodes.length > 0;
  const both = nodes.length === 2 && !after.film && !before.film;
  for (const id of ["wipe", "edge", "left", "right"]) get(id).hidden = !both;
  get("tools").hidden = !after;
  get("actual").hidden = Boolean(after?.film);
  get("side").hidden = nodes.length < 2;
  if (nodes.length < 2) setSide(false);
  if (!both) stage.style.setProperty("--wipe", "0%");
  stage.classList.toggle("film", nodes.some(node => node.tagName === "VIDEO"));
  Object.assign(get("left"), {textContent: before?.name ?? "before"});
  get("right").textContent = name || "";
  if (both) wiped();
}

function fit({target}) {        // the stage has the shape of what is on top
  const [width, height] = [target.naturalWidth || target.videoWidth, target.naturalHeight || target.videoHeight];
  if (target !== stage.querySelector(".after") && stage.querySelector(".after")) return;
  if (width) get("viewer").style.setProperty("--ratio", width / height);
}

function setSide(on) {
  stage.classList.toggle("side", on);
  get("side").setAttribute("aria-pressed", on);
}

// ---- what is shown ----

export function show(what) { chosen.shown = what; changed("shown"); }

export function reveal(what) {      // wherever the page was scrolled to
  show(what);
  (matchMedia("(max-width: 60rem)").matches ? get("easel") : $("main")).scrollIntoView();
}

const viewOf = one => one && {src: one.film ? `api/pictures/${one.id}/film` : large(one.id),
                              film: one.film && !one.path.endsWith(".gif"),      // which an <img> plays
                              name: one.kind === "photograph" ? "before" : nameOf(one)};

function draw() {
  const shown = chosen.shown || {}, content = picture(chosen.content);
  const job = jobOf(shown.job), one = picture(shown.picture);
  let [about, title, file] = [{}, "", null];
  if (job) {
    const result = resultOf(job), finished = result && (OVER.includes(job.status) || job.kind === "batch");
    const epoch = histories[job.id]?.pictures.at(-1), growing = epoch && {src: `api/jobs/${job.id}/epochs/${epoch}`};
    const at = finished && job.kind === "run" && job.status !== "done" ? job.done : epoch;
    const source = result && contentOf(result) || picture(job.asked.content);
    about = {after: finished ? viewOf(result) : growing, before: viewOf(source),
             name: finished && job.status === "done" ? "result" : `epoch ${at}`};
    [title, file] = [job.title, finished && result];
    drawJob(job);
  } else if (shown.once && content) {
    about = {after: onceAt(shown.once), before: {src: large(content.id)}, name: shown.once};
    title = `${nameOf(content)}, painted at once: ${shown.once}`;
  } else if (one) {
    const source = picture(shown.with) || contentOf(one) || picture(madeBy(one)?.asked.content);
    about = {after: viewOf(one), name: nameOf(one), before: source?.id !== one.id && viewOf(source)};
    [title, file] = [nameOf(one), one];
  } else if (content) {
    about = {before: viewOf(content)};
    title = `${nameOf(content)}, and what networks make of it at once`;
  }
  drawOnce(content);
  showOn(about);
  $("#title").textContent = title;
  get("job").hidden = !job;
  get("keep").hidden = Boolean(job || !shown.once || !content);
  get("keep").textContent = content?.film ? "Paint the film and keep it" : "Paint it large and keep it";
  get("download").hidden = !file;
  if (file) Object.assign(get("download"), {href: `api/pictures/${file.id}/file`, download: nameOf(file)});
  drawOther(one || job && resultOf(job));
}

function drawOther(one) {
  const others = studio.pictures.filter(other => other.id !== one?.id && other.kind !== "mask" && !other.film);
  $("#other").hidden = !one || one.film;
  $("#other select").replaceChildren(h("option", {value: "", textContent: "its photograph"}), ...others.map(other =>
    h("option", {value: other.id, textContent: nameOf(other), selected: other.id === chosen.shown?.with})));
}

// ---- at once ----

const ahead = {};               // larger pictures that have been asked for
const onceOf = (network, what) => `api/once/${network}/${chosen.content}/${what}?${picture(chosen.content)?.changed}`;

function onceAt(network) {      // the small picture, until the larger one is there
  const src = onceOf(network, "large"), image = ahead[src] ||= h("img", {src, onload: draw});
  return {src: image.complete && image.naturalWidth ? src : onceOf(network, "small")};
}

function keep(network) {      // paint with a network at a good size, in the queue
  const kind = picture(chosen.content).film ? "film" : "network";
  return begun({kind, content: chosen.content, network, size: kind === "film" ? 640 : 1200});
}

function drawOnce(content) {
  const box = $("#once"), of = content?.id ?? "";
  if (box.dataset.of !== of) {
    box.dataset.of = of;
    box.replaceChildren(...(content ? studio.networks : []).map(network =>
      button("", () => show({once: network}), {className: "pick", "data-once": network})));
    for (const one of box.children) one.append(
      h("img", {src: onceOf(one.dataset.once, "small"), alt: `painted at once: ${one.dataset.once}`}),
      h("span", {textContent: one.dataset.once}));
  }
  for (const one of box.children) one.setAttribute("aria-pressed", chosen.shown?.once === one.dataset.once);
}

// ---- a job ----

function left(job) {        // seconds, at the pace of the last epochs
  const rows = histories[job.id]?.rows || [];
  if (job.kind !== "run") return job.done ? job.seconds / job.done * (job.total - job.done) : null;
  if (rows.length < 2) return null;
  const last = rows.at(-1), first = rows[Math.max(0, rows.length - 12)];
  return (last.seconds - first.seconds) / (last.epoch - first.epoch) * (job.total - job.done);
}

const UNITS = {run: "epoch", film: "frame", batch: "picture", network: "picture"};

export function standing(job) {
  const unit = UNITS[job.kind], count = job.total ? `${unit} ${job.done} of ${job.total}` : `${unit} ${job.done}`;
  const time = left(job), {parent} = job;
  const says = {
    queued: "waiting for its turn",
    running: job.done ? count + (time > 0 ? `, about ${duration(time)} left` : "") : "beginning …",
    paused: `paused at ${count}`, stopped: `stopped at ${count}`, failed: `failed: ${job.error}`,
    done: {run: `finished after ${job.done} epochs`, batch: `finished: ${job.done} pictures, which are on the wall`}[
      job.kind] ?? "finished",
  };
  const from = parent && `, on from epoch ${parent.epoch} of ${jobOf(parent.job)?.title || "another"}`;
  return says[job.status] + (from || "");
}

export const ACTS = {       // what can be done with a job, and what it is called
  running: {pause: "Pause", stop: "Stop"}, queued: {pause: "Pause", stop: "Stop"},
  paused: {continue: "Continue", stop: "Stop"}, failed: {continue: "Try again"}, stopped: {continue: "Continue"},
  done: {},
};

export const act = (job, what, body = {}) => attempt(async () => update([await api(`jobs/${job.id}/${what}`, body)]));

async function begun(wish) {
  const job = await api("jobs", wish);
  update([job]);
  reveal({job: job.id});
}

const again = (job, values) => begun({...job.asked, values: {...job.asked.values, ...values}, kind: job.kind});
const valueIn = (job, name) => job.asked.values?.[name] ?? lookOf(job.asked.recipe)?.values[name];

function larger(job, size) {        // from the finished picture; what is chosen on the page becomes the same
  const {kind, content, contents, styles, recipe, mask, regions, style_regions, values} = {kind: "run", ...job.asked};
  const start = {picture: resultOf(job).id}, pyramid = lookOf(recipe)?.values.pyramid ? 0 : undefined;
  const larger = {...values, width: undefined, pyramid, start, max_long_edge: size};
  const wish = JSON.parse(JSON.stringify({content, styles, recipe, mask, regions, style_regions, values: larger}));
  Object.assign(chosen, {recipe: null, ...wish, contents: contents ?? [content]});
  changed("choice");
  return begun({kind, ...wish});
}

function sizes(job) {
  const result = resultOf(job), own = Math.max(result.width, result.height) || 600;
  const all = {[2 * own]: `twice as large, ${2 * own} pixels`, 1748: "for A6 at 300 dpi, 1748", 2480: "for A5, 2480",
               3508: "for A4, 3508"};
  const options = Object.entries(all).filter(([size]) => size > own);
  return h("select", {"aria-label": "The same, larger", onchange: event => {
    const size = Number(event.target.value);
    event.target.value = "";
    attempt(() => larger(job, size))();
  }}, h("option", {value: "", textContent: "The same, larger …"}),
    ...options.map(([value, textContent]) => h("option", {value, textContent})));
}

function drawActs(job) {
  const acts = Object.entries(ACTS[job.status]).map(([what, text]) => button(text, act(job, what)));
  if (job.kind === "run" && ["done", "stopped"].includes(job.status)) {
    const seeded = ["uniform", "normal", "white", "median"].includes(valueIn(job, "start") ?? "uniform");
    const reseed = () => again(job, {seed: (valueIn(job, "seed") ?? 0) + 1});
    acts.push(button("40 more epochs", act(job, "continue", {epochs: 40})));
    if (seeded) acts.push(button("Again with another seed", attempt(reseed)));      // else each gives the same picture
    if (resultOf(job)) acts.push(sizes(job));
  }
  $("#acts").replaceChildren(...acts);
}

function drawJob(job) {
  const key = `${job.id} ${job.status} ${Boolean(resultOf(job)?.width)}`, bar = $("#job progress");
  $("#standing").textContent = standing(job);
  $("#standing").classList.toggle("bad", job.status === "failed");
  Object.assign(bar, {max: job.total || 1, value: job.done});
  if (drawn.key !== key) drawActs(job);
  $("#balance").hidden = job.kind !== "run" || !job.done || !valueIn(job, "content_weight");
  if (drawn.job !== job.id) {
    Object.assign(drawn, {job: job.id, rows: -1});
    get("midway").value = 0;
    get("change").hidden = true;
    load(job);
  }
  drawn.key = key;
  drawCurves(job);
}

async function load(job) {
  try {
    histories[job.id] = await api(`jobs/${job.id}/history`);
    if (chosen.shown?.job === job.id) draw();
  } catch { /* it is not there any more */ }
}

function drawCurves(job) {
  const rows = histories[job.id]?.rows || [], some = rows.length > 1 && job.kind === "run";
  get("curves").hidden = !some;
  if (!some || drawn.rows === rows.length) return;
  drawn.rows = rows.length;
  const run = {epochs: rows.map(row => row.epoch), unit: "epoch"};
  const line = (name, value) => [name, rows.map(value).map(number => Number.isFinite(number) ? number : null)];
  const losses = Object.keys(rows[0].losses).map(name => line(name, row => row.losses[name]));
  const charts = [["losses", "Losses", [line("total", row => row.total), ...losses]],
                  ["eps", "Relative change", [line("eps", row => row.eps)]]];
  for (const [id, title, lines] of charts) {
    const figure = get(id), focused = document.activeElement?.id === `${id}-chart`;
    figure.replaceChildren(figure.querySelector("figcaption"));
    makeChart(figure, title, run, lines);
    if (focused) get(`${id}-chart`).focus({preventScroll: true});
  }
}

// ---- news ----

export function update(jobs) {
  for (const job of jobs) {
    const at = studio.jobs.findIndex(one => one.id === job.id);
    if (at < 0) studio.jobs.push(job); else studio.jobs[at] = job;
  }
  changed("jobs");
}

export function epochs({job, rows, preview}) {
  const history = histories[job] ||= {rows: [], pictures: []};
  history.rows = [...history.rows.filter(row => row.epoch < rows[0].epoch), ...rows];
  if (preview && history.pictures.at(-1) !== preview) history.pictures.push(preview);
  if (chosen.shown?.job === job) draw();
}

export async function paint() {
  await begun(asked());
  const waits = studio.jobs.some(job => job.status === "running" && job.id !== chosen.shown.job);
  say(waits ? "It waits for its turn." : "It begins.");
}

async function change() {       // another balance, from where the job is
  const job = jobOf(chosen.shown.job), weight = valueIn(job, "content_weight") * 2 ** -get("midway").value;
  const values = {...job.asked.values, content_weight: Number(weight.toPrecision(4))};
  const made = await api(`jobs/${job.id}/change`, {values});
  update([made]);
  if (chosen.content === made.asked.content) chosen.values = {...chosen.values, content_weight: values.content_weight};
  show({job: made.id});
  changed("values");
}

export function begin() {
  for (const topic of ["shown", "choice", "jobs"]) when(topic, draw);
  when("pictures", later(50, draw));
  get("actual").addEventListener("click", () => setSide(false));
  get("side").addEventListener("click", () => {
    showActual(false);
    setSide(!stage.classList.contains("side"));
  });
  $("#other select").addEventListener("change", event => {
    const one = picture(chosen.shown?.picture) || resultOf(jobOf(chosen.shown?.job));
    show({picture: one.id, with: event.target.value || null});
  });
  get("keep").addEventListener("click", attempt(() => keep(chosen.shown.once)));
  get("midway").addEventListener("input", event => { get("change").hidden = event.target.value === "0"; });
  get("change").addEventListener("click", attempt(change));
}
