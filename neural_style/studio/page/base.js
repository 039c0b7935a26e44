// What the parts of the page share: elements, requests, what was chosen, and who wants to know when it changes.

export const $ = selector => document.querySelector(selector);
export const studio = {};       // what the server says: looks, groups, networks, examples, pictures, jobs
const KEPT = "studio" + location.pathname;
export const chosen = {content: null, contents: [], styles: [], recipe: null, values: {}, shown: null};
export const UNMASKED = {mask: null, regions: null, style_regions: null};
Object.assign(chosen, UNMASKED);

export function h(name, properties = {}, ...children) {     // an element; on…: listeners, aria and data as attributes
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key in node && !key.startsWith("aria")) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter(child => child || child === ""));
  return node;
}

export async function api(path, body, options = {}) {        // the JSON that the server answers; an error says why
  const sent = body instanceof Blob ? body : JSON.stringify(body);
  if (body !== undefined) options = {method: "POST", body: sent, ...options};
  let response;
  try {
    response = await fetch("api/" + path, options);
  } catch (error) {
    throw error.name === "AbortError" ? error : new Error("the studio does not answer; is it still running?");
  }
  const why = response.status === 413 ? "the file is too large" : "it was refused";
  const answer = await response.json().catch(() => ({error: why}));
  if (answer.error) throw new Error(answer.error);
  return answer;
}

export function say(text, {label, act, bad} = {}) {     // a line at the bottom, with a button perhaps
  const line = h("div", {className: bad ? "bad" : ""}, text);
  if (label) line.append(h("button", {type: "button", textContent: label, onclick: () => { line.remove(); act(); }}));
  $("#toast").append(line);
  setTimeout(() => line.remove(), label ? 15000 : bad ? 9000 : 4000);
  return line;
}

export const complain = error => { if (error.name !== "AbortError") say(error.message, {bad: true}); };
export const attempt = work => (...given) => Promise.resolve(work(...given)).catch(complain);

const listeners = {};
export const when = (topic, listener) => (listeners[topic] ||= []).push(listener);
export const changed = topic => { keep(); for (const listener of listeners[topic] || []) listener(); };

export function keep() {
  try { localStorage.setItem(KEPT, JSON.stringify(chosen)); } catch { /* then a reload forgets it */ }
}

export function recall() {
  try { Object.assign(chosen, JSON.parse(localStorage.getItem(KEPT))); } catch { /* a first visit */ }
}

export function later(milliseconds, work) {     // work once nothing more comes
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(work, milliseconds); };
}

export function paintOn(id) {       // another photograph: what was brushed on the last one is not for this one
  Object.assign(chosen, {content: id, contents: [id], shown: null}, UNMASKED);
}

export const button = (textContent, onclick, more = {}) => h("button", {type: "button", textContent, onclick, ...more});
export const gone = new Set();      // ids of what was deleted here, of which an answer on its way may still know
export const left = pictures => pictures.filter(one => !gone.has(one.id));
export const picture = id => studio.pictures.find(one => one.id === id);
export const nameOf = one => one ? one.path.split("/").pop() : "a picture that is gone";
export const large = id => `api/pictures/${id}/large?${picture(id)?.changed || ""}`;
export const small = id => `api/pictures/${id}/small?${picture(id)?.changed || ""}`;
export const lookOf = name => studio.looks.find(one => one.name === name);
export const look = () => lookOf(chosen.recipe);

export function duration(seconds) {
  const minutes = Math.floor(Math.round(seconds) / 60), rest = Math.round(seconds) % 60;
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  if (minutes >= 10) return `${minutes} min`;
  return minutes ? `${minutes} min ${rest} s` : `${rest} s`;
}
