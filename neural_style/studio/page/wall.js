// The queue, and the wall: all pictures of the folder, with what made them.

import {$, h, api, studio, chosen, gone, left, button, lookOf, paintOn, nameOf, small, changed, when, attempt, say,
        later} from "./base.js";
import {ACTS, act, madeBy, reveal, standing} from "./easel.js";
import {bringBack, refresh} from "./choose.js";

const MOST = {jobs: 200, cards: 400};       // that are shown
const ORDER = ["running", "queued", "paused", "failed", "stopped", "done"];

function again(list, nodes) {       // other nodes, of which the one with the focus has it still
  const name = list.contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
  list.replaceChildren(...nodes);
  if (name) list.querySelector(`[aria-label="${CSS.escape(name)}"]`)?.focus({preventScroll: true});
}

function row(job) {
  const named = (text, onclick) => button(text, onclick, {"aria-label": `${text}: ${job.title}`});
  const acts = Object.entries(ACTS[job.status]).map(([what, text]) => named(text, act(job, what)));
  if (!["running", "queued"].includes(job.status)) acts.push(named("Clear", attempt(() => forget([job]))));
  const name = button(job.title, () => reveal({job: job.id}),
                      {className: "name", "aria-label": `Show the job ${job.title}`});
  const now = h("small", {className: job.status === "failed" ? "bad" : "", textContent: standing(job)});
  return h("li", {}, h("div", {}, name, " ", now),
    h("progress", {max: job.total || 1, value: job.done, hidden: job.status === "done",
                   "aria-label": `How far ${job.title} is`}),
    h("div", {className: "row"}, ...acts));
}

function drawQueue() {
  const rank = job => ORDER.indexOf(job.status), turn = job => rank(job) < 3 ? job.id : -job.id;
  const jobs = [...studio.jobs].sort((a, b) => rank(a) - rank(b) || turn(a) - turn(b));
  again($("#jobs"), jobs.slice(0, MOST.jobs).map(row));
  $("#idle").hidden = jobs.length > 0;
  $("#clear").hidden = jobs.filter(job => job.status === "done").length < 2;
}

async function forget(jobs) {
  for (const job of jobs) await api(`jobs/${job.id}/forget`, {});
  studio.jobs = studio.jobs.filter(job => !jobs.includes(job));
  changed("jobs");
}

// ---- the wall ----

const text = one => [one.path, one.recipe, madeBy(one)?.command, madeBy(one)?.title].join(" ").toLowerCase();

function about(one) {
  const job = madeBy(one), size = one.width && `${one.width} × ${one.height}`;
  const how = job && (lookOf(job.asked.recipe)?.title || job.asked.network || "settings of its own");
  return [how || one.recipe && "has a recipe", job?.kind === "run" && `${job.done} epochs`, size].filter(Boolean)
    .join(", ");
}

async function remove(one) {        // it is gone from the page first, which then asks for nothing of it
  gone.add(one.id);
  studio.pictures = left(studio.pictures);
  if (chosen.shown?.picture === one.id) chosen.shown = null;
  for (const image of document.querySelectorAll(`img[src*="${one.id}"]`)) image.removeAttribute("src");
  changed("pictures");
  const restored = async () => { gone.delete(one.id); await refresh(); };
  const {undo} = await api(`pictures/${one.id}/delete`, {}).catch(async error => { await restored(); throw error; });
  const back = async () => { await api("undo", {undo}); await restored(); };
  say(`${nameOf(one)} is deleted.`, {label: "Undo", act: attempt(back)});
}

function card(one) {
  const name = nameOf(one), named = (text, onclick) => button(text, onclick, {"aria-label": `${text}: ${name}`});
  const choose = work => attempt(async () => { await work(); changed("choice"); $("#choose").scrollIntoView(); });
  return h("figure", {className: "card", "aria-current": chosen.shown?.picture === one.id},
    h("button", {type: "button", className: "shown", "aria-label": `Show ${one.film ? "the film " : ""}${name}`,
                 onclick: () => reveal({picture: one.id})},
      h("img", {src: small(one.id), alt: name, loading: "lazy"}), one.film && h("span", {textContent: "film"})),
    h("figcaption", {}, h("b", {textContent: name}), h("small", {textContent: about(one)}), h("div", {className: "row"},
      h("a", {href: `api/pictures/${one.id}/file`, download: name, "aria-label": `Download: ${name}`}, "Download"),
      one.recipe && named("Its recipe", choose(() => bringBack(one))),
      named("Paint on it", choose(() => paintOn(one.id))),
      named("Delete", attempt(() => remove(one))))));
}

function drawWall() {
  const words = $("#search input").value.toLowerCase().split(/\s+/).filter(Boolean);
  const all = studio.pictures.filter(one => one.kind === "result").reverse();
  const found = all.filter(one => words.every(word => text(one).includes(word)));
  again($("#wall .cards"), found.slice(0, MOST.cards).map(card));
  $("#bare").hidden = found.length > 0;
  $("#bare").textContent = all.length ? "No picture has that." : "Finished pictures hang here.";
  $("#search").hidden = all.length < 2;
}

export function begin() {
  $("#clear").addEventListener("click", attempt(() => forget(studio.jobs.filter(job => job.status === "done"))));
  when("jobs", drawQueue);
  const soon = later(60, drawWall);
  for (const topic of ["pictures", "shown"]) when(topic, soon);
  when("jobs", later(400, drawWall));
  $("#search input").addEventListener("input", later(120, drawWall));
}
