// What the parts of the page share: elements, requests, what was chosen, and who wants to know when it changes.

export const $ = selector => document.querySelector(selector);
export const studio = {};       // what the server says: looks, groups, networks, examples, pictures, jobs
const KEPT = "studio";
export const chosen = {content: null, contents: [], styles: [], recipe: null, values: {}, mask: null, regions: null,
                       style_regions: null, shown: null};

export function h(name, properties = {}, ...children) {     // an element; on…: listeners, aria and data as attributes
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key in node && !key.startsWith("aria")) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter(child => child !== null && child !== false));
  return node;
}

export async function api(path, body, options = {}) {        // the JSON that the server answers; an error says why
  if (body !== undefined) options = {method: "POST", body: body instanceof Blob ? body : JSON.stringify(body), ...options};
  let response;
  try {
    response = await fetch("api/" + path, options);
  } catch (error) {
    throw error.name === "AbortError" ? error : new Error("the studio does not answer; is it still running?");
  }
  const answer = await response.json().catch(() => ({error: response.status === 413 ? "the file is too large" : "it was refused"}));
  if (answer.error) throw new Error(answer.error);
  return answer;
}

export function say(text, {label, act, bad} = {}) {     // a line at the bottom, with a button perhaps
  const line = h("div", {}, text);
  if (label) line.append(h("button", {type: "button", textContent: label, onclick: () => { line.remove(); act(); }}));
  $("#toast").append(line);
  setTimeout(() => line.remove(), label ? 15000 : bad ? 9000 : 4000);
}

export const complain = error => { if (error.name !== "AbortError") say(error.message, {bad: true}); };
export const attempt = work => (...given) => Promise.resolve(work(...given)).catch(complain);

const listeners = {};
export const when = (topic, listener) => (listeners[topic] ||= []).push(listener);
export const changed = topic => { keep(); for (const listener of listeners[topic] || []) listener(); };

export function keep() {
  try { localStorage.setItem(KEPT + location.pathname, JSON.stringify(chosen)); } catch { /* then a reload forgets it */ }
}

export function recall() {
  try { Object.assign(chosen, JSON.parse(localStorage.getItem(KEPT + location.pathname))); } catch { /* a first visit */ }
}

export function later(milliseconds, work) {     // work once nothing more comes
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(work, milliseconds); };
}

export const picture = id => studio.pictures.find(one => one.id === id);
export const nameOf = one => one ? one.path.split("/").pop() : "a picture that is gone";
export const large = id => `api/pictures/${id}/large?${picture(id)?.changed || ""}`;
export const small = id => `api/pictures/${id}/small?${picture(id)?.changed || ""}`;
export const look = () => studio.looks.find(one => one.name === chosen.recipe);

export function duration(seconds) {
  const minutes = Math.floor(Math.round(seconds) / 60), rest = Math.round(seconds) % 60;
  return minutes >= 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : minutes ? `${minutes} min ${rest} s` : `${rest} s`;
}
