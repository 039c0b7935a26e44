"use strict";
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

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

function makeChart(figure, title, {epochs, unit}, lines, bound) {
  const last = epochs.length - 1;
  const kind = i => i && 1 + (i - 1) % 6;     // the first line has a colour of its own
  const svg = add(figure, "svg", {class: "chart", id: figure.id + "-chart", tabindex: 0, role: "slider",
    "aria-label": title + " by " + unit, "aria-valuemin": epochs[0], "aria-valuemax": epochs[last]});
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
    epochName.textContent = `${unit} ${epoch}`;
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
      `${unit} ${epoch}: ` + lines.map(([name, numbers]) => `${name} ${tell(numbers[at])}`).join(", "));
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
  draw();
  new ResizeObserver(draw).observe(svg);      // which ends with the chart
  return {mark};
}
