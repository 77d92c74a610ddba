// Every element with data-presence="<public id>" shows that person's state, as long as the socket says it.

import { counted, serverNow } from "./time.js";

export class PresenceBoard {
  // `config` is #live-config; `watch(ids)` asks the server for these people.
  constructor(config, watch) {
    this.config = config;
    this.states = new Map();
    this.paused = false;
    this.watch = watch;
    this.watched = "";
    let waiting = null;
    new MutationObserver(() => {
      waiting ??= setTimeout(() => {
        waiting = null;
        this.look();
      }, 100);
    }).observe(document.body, { childList: true, subtree: true });
  }

  elements() {
    return [...document.querySelectorAll("[data-presence]")];
  }

  // The page has changed: show what is known, and watch the people it now names.
  look() {
    const elements = this.elements();
    for (const element of elements) this.show(element);
    const ids = [...new Set(elements.map((element) => element.dataset.presence))].sort().slice(0, 500);
    const list = ids.join(" ");
    if (list !== this.watched && this.watch(ids)) this.watched = list;
  }

  // A new socket watches nobody yet.
  again() {
    this.watched = "";
    this.look();
  }

  hear(states) {
    for (const [id, state] of Object.entries(states)) this.states.set(id, state);
    for (const element of this.elements()) if (element.dataset.presence in states) this.show(element);
  }

  // Nothing shown may be believed any more: never a stale green.
  pause(paused) {
    if (this.paused === paused) return;
    this.paused = paused;
    if (paused) this.states.clear();
    for (const element of this.elements()) this.show(element);
  }

  show(element) {
    const unknown = { state: "unknown", words: this.config.words.unknown };
    const known = this.states.get(element.dataset.presence);
    const state = this.paused || known === null ? unknown : known;
    if (state === undefined) return; // The server's own first rendering stands.
    if (element.dataset.state !== state.state) element.dataset.state = state.state;
    const shape = element.matches("[data-presence-shape]") ? element : element.querySelector("[data-presence-shape]");
    if (shape && !shape.classList.contains(`ps-presence--${state.state}`)) {
      for (const name of [...shape.classList]) if (name.startsWith("ps-presence--")) shape.classList.remove(name);
      shape.classList.add(`ps-presence--${state.state}`);
      shape.querySelector("use")?.setAttribute("href", `${this.config.sprite}#${state.state}`);
    }
    const words = element.matches("[data-presence-words]") ? element : element.querySelector("[data-presence-words]");
    const text = this.words(state);
    if (words && words.textContent !== text) words.textContent = text;
  }

  // "Absent depuis 20 min" grows older without the server.
  words(state) {
    if (state.state !== "away" || !state.since) return state.words;
    const minutes = Math.floor((serverNow() - Date.parse(state.since)) / 60_000);
    if (!(minutes >= 1)) return state.words;
    return minutes < 60
      ? counted(this.config.words.away_minutes, minutes)
      : counted(this.config.words.away_hours, Math.floor(minutes / 60));
  }

  tick() {
    for (const element of this.elements()) {
      if (this.states.get(element.dataset.presence)?.since) this.show(element);
    }
  }
}
