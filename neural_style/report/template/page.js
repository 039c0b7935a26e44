const run = JSON.parse(get("run").textContent);
const before = history.state || {};     // what a reload kept

// ---- pictures: a slider between content and result, and one over what was saved ----

const when = get("when"), play = get("play");
const content = stage.querySelector(".before"), frames = [...stage.querySelectorAll(".after")];
const charts = [];

function showFrame() {
  const shown = frames[when.value];
  frames.forEach(frame => frame.classList.toggle("on", frame === shown));
  get("which").textContent = get("right").textContent = shown.alt;
  when.setAttribute("aria-valuetext", shown.alt);
  charts.forEach(chart => chart.mark(Number(shown.dataset.epoch)));
  const {file, size} = shown.dataset, download = get("download"), link = get("file");
  download.href = shown.src;
  download.download = `${run.name}-${shown.alt.replaceAll(" ", "-")}.jpg`;
  link.hidden = !file;
  link.href = file || "";
  link.textContent = `Saved file, ${size}`;
}

const film = player(play, when, 700, showFrame);

copies(get("copy"), get("words"));

// ---- a running page looks for news ----

const updates = get("updates");
let held = false, paused = false;

function refresh() {
  if (paused || film.isPlaying() || held || document.hidden || !getSelection().isCollapsed) return setTimeout(refresh, 500);
  const newest = Number(when.value) >= frames.length - 1;
  history.replaceState({wipe: wipe.value, frame: newest ? null : frames[when.value].alt,
                        actual: stage.classList.contains("actual") && [stage.scrollLeft, stage.scrollTop],
                        focus: document.activeElement.id}, "");
  location.reload();
}

// ---- begin ----

if (content || frames.length) {
  const {width, height} = (content || frames[0]).attributes;
  get("viewer").style.setProperty("--largest", 4 * width.value + "px");
  get("viewer").style.setProperty("--ratio", width.value / height.value);
}
if (run.epochs.length) {
  charts.push(makeChart(get("losses"), "Losses", run, run.losses));
  if (!get("eps").hidden) charts.push(makeChart(get("eps"), "Relative change", run, run.eps, run.stop_eps));
}
if (frames.length) {
  for (const id of ["wipe", "edge", "left", "right"]) get(id).hidden = !content;
  get("time").hidden = frames.length === 1;
  get("tools").hidden = false;
  const kept = frames.findIndex(frame => frame.alt === before.frame);
  when.max = frames.length - 1;
  when.value = kept < 0 ? frames.length - 1 : kept;
  wipe.value = before.wipe || 50;
  if (content) wiped();
  showFrame();
  if (before.actual) showActual(true, before.actual);
} else {
  get("waiting").hidden = !run.refresh;
}
if (run.refresh) {
  updates.hidden = false;
  updates.addEventListener("click", () => {
    paused = !paused;
    updates.textContent = paused ? "Resume updates" : "Pause updates";
  });
  for (const name of ["pointerdown", "pointermove", "pointerup", "pointercancel"])
    addEventListener(name, event => { held = event.buttons > 0; });
  const silence = Date.now() / 1000 - run.written;
  if (silence > 600 + 20 * run.refresh)
    get("standing").prepend(`no news for ${Math.round(silence / 60)} min; last heard: `);
  setTimeout(refresh, run.refresh * 1000);
}
if (before.focus && get(before.focus)) get(before.focus).focus({preventScroll: true});
