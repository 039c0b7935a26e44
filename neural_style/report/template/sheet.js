// ---- the frames of a film, played ----

for (const film of document.querySelectorAll(".film")) {
  const frames = [...film.querySelectorAll(".result")].filter(frame => frame.querySelector("img"));
  if (frames.length < 2) continue;
  const part = name => film.querySelector(".player " + name);
  const link = part("a"), when = part("input"), picture = link.appendChild(new Image());
  picture.decoding = "sync";        // no frame is left out

  function show() {
    const frame = frames[when.value], small = frame.querySelector("img");
    link.href = frame.href;
    for (const name of ["src", "alt", "width", "height"]) picture[name] = small[name];
    part("output").textContent = `${Number(when.value) + 1} of ${frames.length}`;
    when.setAttribute("aria-valuetext", small.alt);
  }

  when.max = frames.length - 1;
  player(part("button"), when, 80, show);
  show();
  part("").hidden = false;
}

// ---- the arrow keys go from result to result ----

const results = [...document.querySelectorAll(".result")];

function nearest(from, down) {      // the result above or below
  const middle = box => [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
  const [x, y] = middle(from.getBoundingClientRect());
  const way = result => {
    const [left, top] = middle(result.getBoundingClientRect()), ahead = (top - y) * down;
    return ahead > from.offsetHeight / 2 ? 2 * ahead + Math.abs(left - x) : Infinity;
  };
  return results.reduce((best, one) => way(one) < way(best) ? one : best, from);
}

addEventListener("keydown", event => {
  const at = results.indexOf(document.activeElement);
  if (!results.length || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  if (at < 0 && (document.activeElement !== document.body || !["ArrowLeft", "ArrowRight"].includes(event.key))) return;
  const next = {
    ArrowLeft: () => results[Math.max(at - 1, 0)], ArrowRight: () => results[Math.min(at + 1, results.length - 1)],
    ArrowUp: () => nearest(results[at], -1), ArrowDown: () => nearest(results[at], 1),
    Home: () => results[0], End: () => results[results.length - 1],
  }[event.key];
  if (!next) return;
  event.preventDefault();
  next().focus();
});
