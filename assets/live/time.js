// Words about time that stay true while the page is open: <time data-countdown-to="2026-…" data-countdown-before="… {time}">.
// Besides -after: data-countdown-end, a second moment, with -ended for the words from then on; and data-countdown-within, how many
// minutes before the moment the countdown begins: until then the words stand as the server wrote them.

const HOUR = 60;
const DAY = 24 * HOUR;

// The server's clock minus this device's, in milliseconds.
let offset = 0;

export const serverNow = () => Date.now() + offset;

// The server says that it is `now`; a difference that a slow line may make is none.
export function setServerClock(now) {
  const difference = now - Date.now();
  offset = Math.abs(difference) < 2_000 ? 0 : difference;
}

export function plural(forms, count) {
  const rule = new Intl.PluralRules(document.documentElement.lang || "fr").select(count);
  return rule === "one" ? forms.one : forms.other;
}

const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (_all, name) => values[name]);

export const counted = (forms, count) => fill(plural(forms, count), { n: count, count });

// `minutes` in the words of `forms` (suite.live.countdown.templates).
export function durationWords(forms, minutes) {
  if (minutes < HOUR) return counted(forms.minutes, minutes);
  if (minutes >= DAY) return counted(forms.days, Math.floor(minutes / DAY));
  const hours = Math.floor(minutes / HOUR);
  const rest = minutes % HOUR;
  if (rest === 0) return counted(forms.hours, hours);
  return fill(forms.hours_minutes, { h: hours, m: String(rest).padStart(2, "0") });
}

function tick(element, forms, now) {
  const left = Date.parse(element.dataset.countdownTo) - now;
  if (Number.isNaN(left)) return;
  const minutes = left > 0 ? Math.ceil(left / 60_000) : Math.floor(-left / 60_000);
  if (left > 0 && minutes > Number(element.dataset.countdownWithin ?? Infinity)) return;
  const isOver = Date.parse(element.dataset.countdownEnd) <= now;
  const { countdownBefore, countdownAfter, countdownEnded } = element.dataset;
  const sentence = (isOver ? countdownEnded : left > 0 ? countdownBefore : countdownAfter) ?? "{time}";
  const words = sentence.replace("{time}", durationWords(forms, minutes));
  if (element.textContent !== words) element.textContent = words;
  if (left <= 0 && !element.hasAttribute("data-countdown-over")) {
    element.setAttribute("data-countdown-over", "");
    element.dispatchEvent(new CustomEvent("live:countdown-over", { bubbles: true }));
  }
}

// Keep every countdown and every presence "since" right; `also` runs with each tick.
export function startClock(forms, also) {
  const run = () => {
    const now = serverNow();
    for (const element of document.querySelectorAll("[data-countdown-to]")) tick(element, forms, now);
    also(now);
  };
  run();
  setInterval(run, 5_000);
  document.addEventListener("visibilitychange", run);
  document.addEventListener("live:updated", run);
}
