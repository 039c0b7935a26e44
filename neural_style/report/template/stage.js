"use strict";

// ---- a slider between two pictures that lie on each other ----

const stage = get("stage"), wipe = get("wipe");

function wiped() {
  const share = Math.round(wipe.value);
  stage.style.setProperty("--wipe", wipe.value + "%");
  wipe.setAttribute("aria-valuetext", `${share} % content, ${100 - share} % result`);
  get("left").hidden = wipe.value < 20;
  get("right").hidden = wipe.value > 80;
}

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
