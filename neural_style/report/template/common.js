"use strict";
const get = id => document.getElementById(id);

// ---- a slider over pictures, and a button that plays them ----

function player(play, when, pace, show) {       // show() shows the picture that the slider is at; pace in milliseconds
  let playing = null;

  function pause() {
    clearInterval(playing);
    playing = null;
    play.textContent = "Play";
  }

  play.addEventListener("click", () => {
    if (playing) return pause();
    if (when.value === when.max) when.value = 0;
    show();
    play.textContent = "Pause";
    playing = setInterval(() => {
      when.value = Number(when.value) + 1;
      show();
      if (when.value === when.max) pause();
    }, pace);
  });
  when.addEventListener("input", () => { pause(); show(); });
  return {isPlaying: () => playing !== null};
}

// ---- a text to be taken along ----

function copies(button, words) {
  button.addEventListener("click", async () => {
    let said = "Copied";
    try {
      await navigator.clipboard.writeText(words.textContent);
    } catch {     // a browser may not let a page from disk
      getSelection().selectAllChildren(words);
      if (document.execCommand("copy")) getSelection().empty();
      else said = "Selected: copy it with the keyboard";
    }
    button.textContent = said;
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}
