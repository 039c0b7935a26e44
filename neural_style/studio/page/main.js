// The page begins: what the server knows, what was chosen before a reload, and news as they come.

import {$, left, api, studio, chosen, picture, recall, changed, say} from "./base.js";
import * as choose from "./choose.js";
import * as looks from "./looks.js";
import * as easel from "./easel.js";
import * as wall from "./wall.js";
import * as brush from "./brush.js";

let source = null, lost = false;

function listen() {     // a hidden tab does without: browsers allow few connections to one server
  source?.close();
  source = null;
  if (document.hidden) return;
  source = new EventSource("api/events");
  source.addEventListener("open", async () => {
    if (lost) { lost = false; say("The studio is back."); await catchUp(); }
  });
  source.addEventListener("error", () => {
    if (!lost) say("The studio does not answer; what was begun goes on when it is back.", {bad: true});
    lost = true;
  });
  source.addEventListener("message", ({data}) => {
    const news = JSON.parse(data);
    if (news.removed) studio.jobs = studio.jobs.filter(job => !news.removed.includes(job.id));
    if (news.jobs) easel.update(news.jobs); else if (news.removed) changed("jobs");
    if (news.epochs) easel.epochs(news.epochs);
    if (news.pictures) choose.refresh().catch(() => {});
  });
}

async function catchUp() {
  Object.assign(studio, await api("state"));
  studio.pictures = left(studio.pictures);
  forget();
  for (const topic of ["pictures", "jobs", "choice"]) changed(topic);
}

function forget() {     // what was chosen but is no longer there
  chosen.contents = chosen.contents.filter(picture);
  if (!picture(chosen.content)) chosen.content = chosen.contents[0] || null;
  if (chosen.content && !chosen.contents.includes(chosen.content)) chosen.contents = [chosen.content];
  chosen.styles = chosen.styles.filter(style => picture(style.id));
  if (!picture(chosen.mask)) chosen.mask = null;
  if (!picture(chosen.regions)) Object.assign(chosen, {regions: null, style_regions: null});
}

async function begin() {
  Object.assign(studio, await api("state"));
  recall();
  forget();
  $("#folder").textContent = `in ${studio.folder}/`;
  choose.begin();
  looks.begin(easel.paint);
  easel.begin();
  wall.begin();
  brush.begin();
  for (const topic of ["pictures", "jobs", "choice"]) changed(topic);
  document.addEventListener("visibilitychange", async () => {
    listen();
    if (!document.hidden) await catchUp().catch(() => {});
  });
  listen();
  document.body.dataset.ready = "yes";
}

begin().catch(error => say(error.message, {bad: true}));
