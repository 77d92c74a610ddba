// What the clock alone changes on the dashboard: the bar, the now line, and parts that go stale when a meeting begins or ends.
// The server's clock counts: every part says what time it was there when it was rendered.

import { refresh } from "../live/fragments.js";
import { serverNow } from "../live/time.js";

const STEP_MINUTES = 15;
const DAY_MINUTES = 24 * 60;
const LONGEST_TIMER = 2 ** 31 - 1;
const ORDER_AFTER = 500;
const timers = new WeakMap();

function tickBar(bar) {
  const start = Date.parse(bar.dataset.progressStart);
  const end = Date.parse(bar.dataset.progressEnd);
  const now = serverNow();
  const share = now >= start ? (now - start) / (end - start) : 1 - (start - now) / 3600000;
  bar.value = Math.round(100 * Math.min(Math.max(share, 0), 1));
}

function swapClass(element, prefix, value) {
  for (const name of [...element.classList]) {
    if (new RegExp(`^${prefix}\\d+$`).test(name)) element.classList.remove(name);
  }
  element.classList.add(`${prefix}${value}`);
}

function tickLine(scale) {
  scale.dataset.renderedAt ??= String(performance.now());
  const passed = Math.floor((performance.now() - Number(scale.dataset.renderedAt)) / 60000);
  const minutes = Number(scale.dataset.nowMinutes) + passed;
  const line = scale.querySelector("[data-now-line]");
  for (const hour of scale.querySelectorAll("[data-minutes]")) {
    const near = line !== null && Math.abs(Number(hour.dataset.minutes) - minutes) < STEP_MINUTES;
    hour.classList.toggle("dash-line__hour--near", near);
  }
  if (!line || minutes >= DAY_MINUTES) return;
  swapClass(line, "qs", Math.floor(minutes / STEP_MINUTES));
  swapClass(line, "qm", minutes % STEP_MINUTES);
  const clock = `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  line.querySelector("[data-now-clock]").textContent = clock;
}

function tick() {
  document.querySelectorAll("[data-progress-start]").forEach(tickBar);
  document.querySelectorAll("[data-now-minutes]").forEach(tickLine);
}

// A part that goes stale asks for itself again; whoever replaced it meanwhile gave it another time.
function arm(part) {
  clearTimeout(timers.get(part));
  const after = Math.min(Number(part.dataset.refreshIn) * 1000 + 500, LONGEST_TIMER);
  timers.set(
    part,
    setTimeout(() => {
      const fragment = part.closest("[data-live-src]");
      if (part.isConnected && fragment) refresh(fragment);
    }, after),
  );
}

function look(root) {
  root.querySelectorAll("[data-refresh-in]").forEach(arm);
  tick();
}

// "Who is here" lists first whoever can be reached first. Several people change at once: ask for the order once, a little later.
function keepOrder(rail) {
  const order = rail.dataset.stateOrder.split(" ");
  let waiting = null;
  new MutationObserver(() => {
    const ranks = [...rail.querySelectorAll("li [data-state]")].map((person) => order.indexOf(person.dataset.state));
    if (waiting || ranks.every((rank, index) => index === 0 || ranks[index - 1] <= rank)) return;
    waiting = setTimeout(() => {
      waiting = null;
      refresh(rail);
    }, ORDER_AFTER);
  }).observe(rail, { subtree: true, attributes: true, attributeFilter: ["data-state"] });
}

document.querySelectorAll("[data-state-order]").forEach(keepOrder);
look(document);
setInterval(tick, 5000);
document.addEventListener("live:updated", (event) => look(event.target));
