const run = JSON.parse(get("run").textContent);
const before = history.state || {};     // what a reload kept
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// ---- pictures: a slider between content and result, and one over what was saved ----

const stage = get("stage"), wipe = get("wipe"), when = get("when"), play = get("play");
const content = stage.querySelector(".before"), frames = [...stage.querySelectorAll(".after")];
const charts = [];

function wiped() {
  const share = Math.round(wipe.value);
  stage.style.setProperty("--wipe", wipe.value + "%");
  wipe.setAttribute("aria-valuetext", `${share} % content, ${100 - share} % result`);
  get("left").hidden = wipe.value < 20;
  get("right").hidden = wipe.value > 80;
}

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
wipe.addEventListener("input", wiped);

// ---- 1:1: the picture alone, to be moved in the stage ----

function showActual(on, [left, top] = []) {
  get("actual").setAttribute("aria-pressed", on);
  stage.classList.toggle("actual", on);
  stage.tabIndex = on ? 0 : -1;
  stage.scrollTo(left ?? (stage.scrollWidth - stage.clientWidth) / 2, top ?? (stage.scrollHeight - stage.clientHeight) / 2);
}

get("actual").addEventListener("click", () => showActual(!stage.classList.contains("actual")));
stage.addEventListener("pointermove", event => {        // a finger scrolls by itself
  if (event.buttons === 1 && event.pointerType === "mouse") stage.scrollBy(-event.movementX, -event.movementY);
});

// ---- the command, to be taken along ----

get("copy").addEventListener("click", async ({target}) => {
  const words = get("words");
  let said = "Copied";
  try {
    await navigator.clipboard.writeText(words.textContent);
  } catch {     // a browser may not let a page from disk
    getSelection().selectAllChildren(words);
    if (document.execCommand("copy")) getSelection().empty();
    else said = "Selected: copy it with the keyboard";
  }
  target.textContent = said;
  setTimeout(() => { target.textContent = "Copy"; }, 2000);
});

// ---- curves: lines over the epochs on a logarithmic scale ----

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

function tell(value) {      // 0.0123, 42, 3.2·10¹²
  if (value === null) return "–";
  const [digits, power] = value.toExponential(2).split("e").map(Number);
  if (value === 0 || power >= -3 && power < 5) return String(Number(value.toPrecision(3)));
  const raised = [...String(Math.abs(power))].map(digit => SUPERSCRIPTS[digit]).join("");
  return (digits === 1 ? "" : digits + "·") + "10" + (power < 0 ? "⁻" : "") + raised;
}

function even(low, high, count) {       // about so many round numbers from low to high
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(factor => factor * power >= rough);
  const ticks = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) ticks.push(i * step);
  return ticks;
}

function logarithmic(low, high) {       // ticks between two powers of ten
  if (high - low < 0.8) return even(10 ** low, 10 ** high, 4);
  const digits = high - low < 2.5 ? [1, 2, 5] : [1], every = Math.ceil((high - low) / 8), ticks = [];
  for (let power = Math.floor(low); power <= high; power++)
    if (power % every === 0) for (const digit of digits) ticks.push(digit * 10 ** power);
  return ticks.filter(tick => tick >= 10 ** low && tick <= 10 ** high);
}

function add(parent, name, attributes, text) {
  const svg = ["svg", "g", "line", "path", "circle", "text"].includes(name);
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return parent.appendChild(node);
}

function makeChart(figure, title, lines, bound) {
  const epochs = run.epochs, last = epochs.length - 1;
  const kind = i => i && 1 + (i - 1) % 6;     // the first line has a colour of its own
  const svg = add(figure, "svg", {class: "chart", id: figure.id + "-chart", tabindex: 0, role: "slider",
    "aria-label": title + " by " + run.unit, "aria-valuemin": epochs[0], "aria-valuemax": epochs[last]});
  const legend = add(figure, "ul", {class: "legend"});
  const epochName = add(legend, "li");
  const values = lines.map(([name], i) => {
    const item = add(legend, "li", {class: "s" + kind(i)});
    add(add(item, "svg", {viewBox: "0 0 26 10", "aria-hidden": true}), "path", {class: "line", d: "M0 5H26"});
    item.append(name);
    return add(item, "span");
  });
  let x, y, least, cursor, marker, dots, markedEpoch = null, at = last;

  function draw() {
    const box = svg.getBoundingClientRect(), right = box.width - 8, bottom = box.height - 26, left = 58, top = 8;
    const powers = numbers => numbers.filter(value => value > 0).map(Math.log10);
    let all = powers(lines.flatMap(line => line[1]).concat(bound || [])), first = powers(lines[0][1]);
    if (!all.length) all = [-1, 0];
    // what is less than a ten-thousandth of the first line would only press the others together
    const worth = Math.min(...first.length ? first : all) - 4;
    let low = Math.min(...all.filter(power => power >= worth)), high = Math.max(...all);
    const margin = Math.max((high - low) * 0.06, 0.02);
    low -= margin; high += margin; least = 10 ** low;
    const span = epochs[last] - epochs[0];
    x = epoch => span ? left + (epoch - epochs[0]) / span * (right - left) : (left + right) / 2;
    y = value => bottom - (Math.log10(value) - low) / (high - low) * (bottom - top);
    svg.replaceChildren();
    for (const tick of logarithmic(low, high)) {
      add(svg, "line", {class: "grid", x1: left, x2: right, y1: y(tick), y2: y(tick)});
      add(svg, "text", {x: left - 8, y: y(tick) + 4, "text-anchor": "end"}, tell(tick));
    }
    const ticks = span ? even(epochs[0], epochs[last], clamp(box.width / 90, 2, 8)).filter(Number.isInteger) : epochs;
    for (const tick of ticks)
      add(svg, "text", {x: x(tick), y: bottom + 19, "text-anchor": x(tick) > right - 12 ? "end" : "middle"}, tick);
    add(svg, "line", {class: "grid", x1: left, x2: right, y1: bottom, y2: bottom});
    if (bound >= least) {
      add(svg, "line", {class: "bound", x1: left, x2: right, y1: y(bound), y2: y(bound)});
      add(svg, "text", {x: left + 4, y: y(bound) - 6}, "stops below " + tell(bound));
    }
    marker = add(svg, "line", {class: "mark", y1: top, y2: bottom});
    cursor = add(svg, "line", {class: "cursor", y1: top, y2: bottom});
    dots = lines.map(([, numbers], i) => {
      const group = add(svg, "g", {class: "s" + kind(i)});
      let path = "", drawing = false;
      numbers.forEach((value, j) => {
        const seen = value >= least;
        if (seen) path += `${drawing ? "L" : "M"}${x(epochs[j]).toFixed(1)} ${y(value).toFixed(1)}`;
        drawing = seen;
      });
      add(group, "path", {class: "line", d: path});
      return add(group, "circle", {class: "dot", r: 4});
    });
    mark(markedEpoch);
    read(at);
  }

  function mark(epoch) {      // the epoch of the picture that is shown
    markedEpoch = epoch;
    const seen = epoch !== null && epoch >= epochs[0] && epoch <= epochs[last];
    marker.setAttribute("visibility", seen ? "visible" : "hidden");
    if (seen) for (const end of ["x1", "x2"]) marker.setAttribute(end, x(epoch));
  }

  function read(index) {      // the values of an epoch
    at = index;
    const epoch = epochs[at];
    epochName.textContent = `${run.unit} ${epoch}`;
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, x(epoch));
    cursor.setAttribute("visibility", at === last ? "hidden" : "visible");
    lines.forEach(([, numbers], i) => {
      const value = numbers[at], dot = dots[i];
      const seen = value >= least;
      values[i].textContent = tell(value) + (value > 0 && !seen ? ", too small to draw" : "");
      dot.setAttribute("visibility", seen ? "visible" : "hidden");
      if (seen) { dot.setAttribute("cx", x(epoch)); dot.setAttribute("cy", y(value)); }
    });
    svg.setAttribute("aria-valuenow", epoch);
    svg.setAttribute("aria-valuetext",
      `${run.unit} ${epoch}: ` + lines.map(([name, numbers]) => `${name} ${tell(numbers[at])}`).join(", "));
  }

  svg.addEventListener("pointermove", event => {
    const position = event.clientX - svg.getBoundingClientRect().left;
    const distance = epoch => Math.abs(x(epoch) - position);
    read(epochs.reduce((best, epoch, i) => distance(epoch) < distance(epochs[best]) ? i : best, 0));
  });
  svg.addEventListener("pointerleave", () => read(last));
  svg.addEventListener("blur", () => read(last));
  svg.addEventListener("keydown", event => {
    const page = Math.max(1, Math.round(epochs.length / 10));
    const moves = {ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -page, PageUp: page,
                   Home: -last, End: last};
    if (!(event.key in moves) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    read(clamp(at + moves[event.key], 0, last));
  });
  addEventListener("resize", draw);
  draw();
  return {mark};
}

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
  charts.push(makeChart(get("losses"), "Losses", run.losses));
  if (!get("eps").hidden) charts.push(makeChart(get("eps"), "Relative change", run.eps, run.stop_eps));
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
