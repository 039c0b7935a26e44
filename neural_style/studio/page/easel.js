// The picture: what networks paint at once, a job as it grows, or a finished one beside what it was made from.

import {$, h, api, studio, chosen, picture, nameOf, large, changed, when, attempt, say, duration, later} from "./base.js";
import {asked} from "./looks.js";

const histories = {};       // epochs by job
const OVER = ["done", "failed", "stopped"];
let drawn = {};             // what the curves show

const jobOf = id => studio.jobs.find(job => job.id === id);
const resultOf = job => studio.pictures.find(one => one.path === job.output);
const contentOf = one => studio.pictures.find(other => other.path === one.recipe.match(/--content-image=(\S+)/)?.[1]);
const madeBy = one => studio.jobs.find(job => job.output === one.path);

// ---- the stage: before and after ----

function showOn({after, name, before, film}) {
  for (const node of stage.querySelectorAll("img, video")) if (![before, after].includes(node.getAttribute("src"))) node.remove();
  $("#empty").hidden = Boolean(after || before);
  const place = (src, kind, alt) => {
    let node = [...stage.children].find(child => child.getAttribute("src") === src && child.classList.contains(kind));
    if (!node && src) {
      node = film && kind === "after" ? h("video", {controls: true, loop: true, muted: true}) : h("img", {decoding: "sync"});
      node.setAttribute("src", src);
      if (kind === "after") node.addEventListener("load", () => fit(node), {once: true});
      node.addEventListener("load", () => { if (!stage.querySelector(".after")) fit(node); }, {once: true});
    }
    if (node) { node.className = kind === "after" ? "after on" : kind; if (node.tagName === "IMG") node.alt = alt; }
    return node;
  };
  const below = place(before, "before", "before"), above = place(after, "after", name);
  stage.prepend(...[below, above].filter(Boolean));
  const both = Boolean(below && above && !film);
  for (const id of ["wipe", "edge", "left", "right"]) get(id).hidden = !both;
  get("tools").hidden = !above;
  get("side").disabled = !both;
  if (!both) { stage.classList.remove("side"); stage.style.setProperty("--wipe", "0%"); }
  get("right").textContent = name || "";
  if (both) wiped();
}

function fit(node) { if (node.naturalWidth) get("viewer").style.setProperty("--ratio", node.naturalWidth / node.naturalHeight); }

// ---- what is shown ----

export function show(what) { chosen.shown = what; changed("shown"); }

function draw() {
  const shown = chosen.shown || {}, job = jobOf(shown.job), one = picture(shown.picture), content = picture(chosen.content);
  drawOnce();
  get("job").hidden = !job;
  get("keep").hidden = true;
  let about = {}, title = "", file = null, name = "";
  if (job) {
    const result = resultOf(job), source = picture(job.asked.content);
    const epoch = (histories[job.id]?.pictures || []).at(-1);
    const finished = result && OVER.includes(job.status);
    const after = finished ? (result.film ? `api/pictures/${result.id}/film` : large(result.id))
      : epoch ? `api/jobs/${job.id}/epochs/${epoch}` : null;
    about = {after, film: finished && result.film, before: source && !source.film ? large(source.id) : null,
             name: finished ? job.status === "done" ? "result" : `epoch ${job.done}` : epoch ? `epoch ${epoch}` : ""};
    [title, file, name] = [job.title, finished ? result.id : null, finished ? nameOf(result) : ""];
    drawJob(job);
  } else if (shown.once && content) {
    about = {after: onceOf(shown.once), before: large(content.id), name: shown.once};
    title = `${nameOf(content)}, painted at once by the network ${shown.once}`;
    get("keep").hidden = false;
  } else if (one) {
    const source = picture(shown.with) || picture(madeBy(one)?.asked.content) || contentOf(one);
    about = {after: one.film ? `api/pictures/${one.id}/film` : large(one.id), film: one.film, name: nameOf(one),
             before: source && !source.film && source.id !== one.id ? large(source.id) : null};
    [title, file, name] = [nameOf(one), one.id, nameOf(one)];
  } else if (content) {
    about = {before: content.film ? null : large(content.id)};
    title = nameOf(content);
  }
  showOn(about);
  $("#title").textContent = title;
  const download = get("download");
  download.hidden = !file;
  if (file) { download.href = `api/pictures/${file}/file`; download.download = name; }
  drawOther(one || (job && resultOf(job)));
}

function drawOther(one) {
  $("#other").hidden = !one;
  if (!one) return;
  const others = studio.pictures.filter(other => other.id !== one.id && other.kind !== "mask" && !other.film);
  $("#other select").replaceChildren(h("option", {value: "", textContent: "its photograph"}),
    ...others.map(other => h("option", {value: other.id, textContent: nameOf(other), selected: other.id === chosen.shown?.with})));
}

// ---- at once ----

const onceOf = network => `api/once/${network}/${chosen.content}?${picture(chosen.content)?.changed}`;

async function keep(network) {      // paint with a network at a good size, in the queue
  const kind = picture(chosen.content).film ? "film" : "network";
  const job = await api("jobs", {kind, content: chosen.content, network, size: kind === "film" ? 640 : 1200});
  update([job]);
  show({job: job.id});
}

function drawOnce() {
  const content = picture(chosen.content), box = $("#once"), shown = content ? content.id + content.film : "";
  if (box.dataset.of !== shown) {
    box.dataset.of = shown;
    box.replaceChildren(...(content ? studio.networks : []).map(network => content.film
      ? h("button", {type: "button", textContent: `Paint the film by the network ${network}`, onclick: attempt(() => keep(network))})
      : h("button", {type: "button", className: "pick once", "data-once": network, onclick: () => show({once: network})},
          h("img", {src: onceOf(network), alt: `painted at once: ${network}`}), h("span", {textContent: network}))));
  }
  if (content && !content.film) for (const button of box.children) button.setAttribute("aria-pressed", chosen.shown?.once === button.dataset.once);
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
  const time = left(job), from = job.parent ? `, on from epoch ${job.parent.epoch} of ${jobOf(job.parent.job)?.title || "another"}` : "";
  const says = {
    queued: "waiting for its turn", running: job.done ? `${count}${time > 0 ? `, about ${duration(time)} left` : ""}` : "beginning …",
    paused: `paused at ${count}`, stopped: `stopped at ${count}`, failed: `failed: ${job.error}`,
    done: job.kind === "run" ? `finished after ${job.done} epochs` : "finished",
  };
  return says[job.status] + from;
}

const act = (job, what, body = {}) => attempt(async () => update([await api(`jobs/${job.id}/${what}`, body)]));

async function again(job, values, extra = {}) {
  const wish = {...job.asked, values: {...job.asked.values, ...values}, kind: job.kind, ...extra};
  const made = await api("jobs", wish);
  update([made]);
  show({job: made.id});
}

const seeded = job => {
  const recipe = studio.looks.find(one => one.name === job.asked.recipe);
  return ["uniform", "normal", "white", "median"].includes(job.asked.values?.start ?? recipe?.values.start ?? "uniform");
};

function larger(job, size) {
  const result = resultOf(job), {pyramid, width, ...values} = job.asked.values || {};
  const recipe = studio.looks.find(one => one.name === job.asked.recipe)?.values;
  const {mask, regions, style_regions} = job.asked;
  Object.assign(chosen, {content: job.asked.content, contents: [job.asked.content], styles: job.asked.styles, recipe: job.asked.recipe ?? null,
    mask, regions, style_regions, values: {...values, start: {picture: result.id}, max_long_edge: size, ...(recipe?.pyramid ? {pyramid: 0} : {})}});
  return again(job, {...values, start: {picture: result.id}, max_long_edge: size, pyramid: 0});
}

function drawActs(job) {
  const button = (text, onclick, more = {}) => h("button", {type: "button", textContent: text, onclick, ...more});
  const acts = [], run = job.kind === "run", result = resultOf(job);
  if (job.status === "running" || job.status === "queued") acts.push(button("Pause", act(job, "pause")), button("Stop", act(job, "stop")));
  if (job.status === "paused") acts.push(button("Continue", act(job, "continue")), button("Stop", act(job, "stop")));
  if (["stopped", "failed"].includes(job.status)) acts.push(button("Continue", act(job, "continue")));
  if (run && ["done", "stopped"].includes(job.status)) {
    acts.push(button("40 more epochs", act(job, "continue", {epochs: 40})));
    const seed = job.asked.values?.seed ?? 0;
    acts.push(button("Again with another seed", attempt(() => again(job, {seed: seed + 1})),
      seeded(job) ? {} : {disabled: true, title: "this look begins with the photograph, so that every seed gives the same picture"}));
    if (result) {
      const own = result.width ? Math.max(result.width, result.height) : 600;
      const sizes = {[2 * own]: `twice as large, ${2 * own} pixels`, 1748: "for A6 at 300 dpi, 1748", 2480: "for A5, 2480", 3508: "for A4, 3508"};
      acts.push(h("select", {"aria-label": "The same, larger", onchange: event => {
        const size = Number(event.target.value);
        event.target.value = "";
        attempt(() => larger(job, size))();
      }}, h("option", {value: "", textContent: "The same, larger …"}), ...Object.entries(sizes).map(([value, textContent]) => h("option", {value, textContent}))));
    }
  }
  $("#acts").replaceChildren(...acts);
}

function drawJob(job) {
  const key = `${job.id} ${job.status} ${Boolean(resultOf(job)?.width)}`;
  $("#standing").textContent = standing(job);
  $("#standing").classList.toggle("bad", job.status === "failed");
  const bar = $("#job progress");
  bar.max = job.total || 1;
  bar.value = job.done;
  if (drawn.key !== key) { drawn.key = key; drawActs(job); }
  $("#balance").hidden = job.kind !== "run" || !job.done;
  if (drawn.job !== job.id) { drawn.job = job.id; get("midway").value = 0; get("change").hidden = true; drawn.rows = -1; load(job); }
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
  const run = {epochs: rows.map(row => row.epoch), unit: "epoch"}, number = value => Number.isFinite(value) ? value : null;
  const losses = [["total", rows.map(row => number(row.total))],
    ...Object.keys(rows[0].losses).map(name => [name, rows.map(row => number(row.losses[name]))])];
  for (const [id, title, lines] of [["losses", "Losses", losses], ["eps", "Relative change", [["eps", rows.map(row => number(row.eps))]]]]) {
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
  const job = await api("jobs", asked());
  update([job]);
  show({job: job.id});
  say(studio.jobs.some(one => one.status === "running" && one.id !== job.id) ? "It waits for its turn." : "It begins.");
  if (matchMedia("(max-width: 60rem)").matches) get("easel").scrollIntoView();
}

export function begin() {
  for (const topic of ["shown", "choice", "jobs"]) when(topic, draw);
  when("pictures", later(50, draw));
  get("actual").addEventListener("click", () => {
    stage.classList.remove("side");
    get("side").setAttribute("aria-pressed", false);
    showActual(!stage.classList.contains("actual"));
  });
  stage.addEventListener("pointermove", event => {
    if (event.buttons === 1 && event.pointerType === "mouse" && stage.classList.contains("actual")) stage.scrollBy(-event.movementX, -event.movementY);
  });
  get("side").addEventListener("click", () => {
    showActual(false);
    get("side").setAttribute("aria-pressed", stage.classList.toggle("side"));
  });
  $("#other select").addEventListener("change", event => {
    const one = picture(chosen.shown?.picture) || resultOf(jobOf(chosen.shown?.job));
    show({picture: one.id, with: event.target.value || null});
  });
  get("keep").addEventListener("click", attempt(() => keep(chosen.shown.once)));
  get("midway").addEventListener("input", event => { get("change").hidden = event.target.value === "0"; });
  get("change").addEventListener("click", attempt(async () => {
    const job = jobOf(chosen.shown.job), recipe = studio.looks.find(one => one.name === job.asked.recipe)?.values;
    const now = job.asked.values?.content_weight ?? recipe?.content_weight ?? 10;
    const values = {...job.asked.values, content_weight: Number((now * 2 ** -get("midway").value).toPrecision(4))};
    const made = await api(`jobs/${job.id}/change`, {values});
    update([made]);
    if (chosen.content === made.asked.content) chosen.values = {...chosen.values, content_weight: values.content_weight};
    show({job: made.id});
    changed("values");
  }));
}
