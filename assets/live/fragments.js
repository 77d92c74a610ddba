// Parts of the page that follow the server: <section data-live-topic="meetings" data-live-src="/fragment/">.
//
// A topic list is separated by spaces. The answer is either the element itself again or its inside. data-live-keep spares an
// element from changes; data-live-announce on an element says its text (or the attribute's value) when that has changed.

import { morph, morphChildren } from "./morph.js";

// Hints of one operation come together: wait a little for the next; longer when they keep coming.
const PAUSE = 20;
const LONG_PAUSE = 200;
const QUIET = 1_000;
const RELOAD_ONCE_IN = 60_000;
const running = new WeakMap();
const askedAt = new WeakMap();

export const fragments = () => [...document.querySelectorAll("[data-live-topic][data-live-src]")];

export const follows = (element, topics) =>
  element.dataset.liveTopic.split(/\s+/).some((topic) => topics.includes(topic));

// Fetch `element` again; resolves to whether it is now as new as the moment of the call. A later call replaces an earlier one.
export function refresh(element) {
  running.get(element)?.abort();
  const stop = new AbortController();
  running.set(element, stop);
  const pause = performance.now() - (askedAt.get(element) ?? -QUIET) < QUIET ? LONG_PAUSE : PAUSE;
  askedAt.set(element, performance.now());
  return new Promise((resolve) => {
    stop.signal.addEventListener("abort", () => resolve(true)); // The later call answers for both.
    setTimeout(async () => {
      if (stop.signal.aborted) return;
      try {
        resolve(await fetchInto(element, stop.signal));
      } catch (error) {
        if (!(error instanceof DOMException) && !(error instanceof TypeError)) throw error;
        resolve(stop.signal.aborted);
      } finally {
        if (running.get(element) === stop) running.delete(element);
      }
    }, pause);
  });
}

async function fetchInto(element, signal) {
  const response = await fetch(element.dataset.liveSrc, {
    credentials: "same-origin",
    cache: "no-store",
    headers: { "HX-Request": "true", Accept: "text/html" },
    signal,
  });
  if (response.redirected && new URL(response.url).pathname !== new URL(element.dataset.liveSrc, location.href).pathname) {
    return false; // Signed out: the answer is the sign-in page.
  }
  if (response.status === 403 || response.status === 404) return lost(element);
  if (!response.ok) return false;
  const html = await response.text();
  if (signal.aborted || !element.isConnected) return true;
  if (element.contains(document.querySelector(".htmx-request"))) return refresh(element);
  show(element, html);
  return true;
}

// What is on the screen may no longer be seen by this person: load the page anew, which says so.
function lost(element) {
  const name = `live-lost ${element.dataset.liveSrc}`;
  if (Date.now() - Number(sessionStorage.getItem(name) || 0) < RELOAD_ONCE_IN) return true;
  sessionStorage.setItem(name, String(Date.now()));
  location.reload();
  return true;
}

function show(element, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const roots = [...template.content.children];
  const before = announcements(element);
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  const isItself = roots.length === 1 && roots[0].dataset.liveSrc === element.dataset.liveSrc;
  if (isItself) morph(element, roots[0]);
  else morphChildren(element, template.content);
  if (focused && !focused.isConnected) focusAgain(element, focused);
  window.htmx?.process(element);
  for (const [name, words] of announcements(element)) {
    if (words && before.get(name) !== words) announce(words);
  }
  element.dispatchEvent(new CustomEvent("live:updated", { bubbles: true }));
}

// What held the focus stands in another list now, or is gone: its double within the element of the same id, else the whole.
function focusAgain(element, lost) {
  const home = lost.closest("[id]");
  const there = home && document.getElementById(home.id);
  const alike = (node) =>
    node.tagName === lost.tagName && node.id === lost.id && node.name === lost.name && node.value === lost.value;
  const double = there && [there, ...there.querySelectorAll(lost.tagName)].find(alike);
  if (!double) element.tabIndex = -1;
  (double ?? element).focus({ preventScroll: true });
}

function announcements(element) {
  const found = new Map();
  const speakers = [element, ...element.querySelectorAll("[data-live-announce]")];
  speakers.forEach((speaker, index) => {
    if (!speaker.hasAttribute("data-live-announce")) return;
    found.set(speaker.id || String(index), speaker.dataset.liveAnnounce || speaker.textContent.replace(/\s+/g, " ").trim());
  });
  return found;
}

let voice = null;

// Say `words` politely to a screen reader.
export function announce(words) {
  if (!voice) {
    voice = document.createElement("p");
    voice.className = "fr-sr-only";
    voice.setAttribute("role", "status");
    document.body.append(voice);
  }
  // A region that appears together with its text is not read: give it a moment.
  setTimeout(() => {
    voice.textContent = words;
  }, 100);
}
