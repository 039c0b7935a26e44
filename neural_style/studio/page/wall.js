// The queue, and the wall: all pictures of the folder, with what made them.

import {$, h, api, studio, chosen, nameOf, small, changed, when, attempt, say, later} from "./base.js";
import {show, standing, update} from "./easel.js";
import {bringBack, refresh} from "./choose.js";

const madeBy = one => studio.jobs.find(job => job.output === one.path);

function drawQueue() {
  const order = {running: 0, queued: 1, paused: 2, failed: 3, stopped: 4, done: 5};
  const jobs = [...studio.jobs].sort((a, b) => order[a.status] - order[b.status] || (order[a.status] > 2 ? b.id - a.id : a.id - b.id));
  const act = (job, what, text) => h("button", {type: "button", textContent: text, "aria-label": `${text} ${job.title}`,
    onclick: attempt(async () => {
      const answer = await api(`jobs/${job.id}/${what}`, {});
      if (what === "forget") { studio.jobs = studio.jobs.filter(one => one.id !== job.id); changed("jobs"); }
      else update([answer]);
    })});
  const acts = job => ({
    running: () => [act(job, "pause", "Pause"), act(job, "stop", "Stop")], queued: () => [act(job, "pause", "Pause"), act(job, "stop", "Stop")],
    paused: () => [act(job, "continue", "Continue"), act(job, "forget", "Clear")], failed: () => [act(job, "continue", "Continue"), act(job, "forget", "Clear")],
    stopped: () => [act(job, "continue", "Continue"), act(job, "forget", "Clear")], done: () => [act(job, "forget", "Clear")],
  })[job.status]();
  const focused = $("#jobs").contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
  $("#jobs").replaceChildren(...jobs.slice(0, 200).map(job => h("li", {}, h("div", {},
    h("button", {type: "button", className: "name", textContent: job.title, onclick: () => { show({job: job.id}); get("easel").scrollIntoView(); }}),
    h("small", {className: job.status === "failed" ? "bad" : "", textContent: " " + standing(job)})),
    h("progress", {max: job.total || 1, value: job.done, "aria-label": `How far ${job.title} is`}), h("div", {className: "row"}, ...acts(job)))));
  if (focused) $(`#jobs [aria-label="${CSS.escape(focused)}"]`)?.focus();
  $("#idle").hidden = jobs.length > 0;
  $("#clear").hidden = jobs.filter(job => job.status === "done").length < 2;
}

// ---- the wall ----

function text(one) {
  const job = madeBy(one);
  return [one.path, one.recipe, job?.command, job?.title].join(" ").toLowerCase();
}

function about(one) {
  const job = madeBy(one), size = one.width ? `${one.width}×${one.height}` : "";
  const made = job ? [job.asked.recipe || job.asked.network || (job.kind === "run" ? "flags of its own" : job.kind),
                      job.kind === "run" ? `${job.done} epochs` : ""] : one.recipe ? ["has a recipe"] : [];
  return [...made, size].filter(Boolean).join(", ");
}

async function remove(one) {
  const {undo} = await api(`pictures/${one.id}/delete`, {});
  studio.pictures = studio.pictures.filter(other => other.id !== one.id);
  if (chosen.shown?.picture === one.id) chosen.shown = null;
  changed("pictures");
  say(`${nameOf(one)} is deleted.`, {label: "Undo", act: attempt(async () => { await api("undo", {undo}); await refresh(); })});
}

function use(one, as) {
  if (as === "content") Object.assign(chosen, {content: one.id, contents: [one.id], mask: null, regions: null, style_regions: null, shown: null});
  else chosen.styles = [{id: one.id, share: 1}];
  changed("choice");
  $("#choose").scrollIntoView();
}

function card(one) {
  const button = (textContent, onclick) => h("button", {type: "button", textContent, "aria-label": `${textContent}: ${nameOf(one)}`, onclick});
  return h("figure", {className: "card", "aria-current": chosen.shown?.picture === one.id},
    h("button", {type: "button", className: "shown", "aria-label": `Show ${nameOf(one)}`,
                 onclick: () => { show({picture: one.id}); get("easel").scrollIntoView({block: "nearest"}); }},
      h("img", {src: small(one.id), alt: nameOf(one), loading: "lazy"})),
    h("figcaption", {}, h("b", {textContent: nameOf(one)}), h("small", {textContent: about(one)}),
      h("div", {className: "row"}, h("a", {className: "button", href: `api/pictures/${one.id}/file`, download: nameOf(one), textContent: "Download",
                                         "aria-label": `Download ${nameOf(one)}`}),
        one.recipe ? button("Its recipe", attempt(async () => { await bringBack(one); $("#choose").scrollIntoView(); })) : null,
        one.film ? null : button("Paint on it", () => use(one, "content")),
        button("Delete", attempt(() => remove(one))))));
}

function drawWall() {
  const words = $("#search input").value.toLowerCase().split(/\s+/).filter(Boolean);
  const all = studio.pictures.filter(one => one.kind === "result").reverse();
  const found = all.filter(one => words.every(word => text(one).includes(word)));
  const focused = $("#wall .cards").contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
  $("#wall .cards").replaceChildren(...found.slice(0, 400).map(card));
  if (focused) $(`#wall [aria-label="${CSS.escape(focused)}"]`)?.focus({preventScroll: true});
  $("#bare").hidden = found.length > 0;
  $("#bare").textContent = all.length ? "No picture has that." : "Finished pictures hang here.";
  $("#search").hidden = all.length < 2;
}

async function clear() {
  for (const job of studio.jobs.filter(one => one.status === "done")) await api(`jobs/${job.id}/forget`, {});
  studio.jobs = studio.jobs.filter(one => one.status !== "done");
  changed("jobs");
}

export function begin() {
  $("#clear").addEventListener("click", attempt(clear));
  when("jobs", drawQueue);
  const soon = later(60, drawWall);
  for (const topic of ["pictures", "shown"]) when(topic, soon);
  when("jobs", later(400, drawWall));
  $("#search input").addEventListener("input", later(120, drawWall));
}
