// Planning: start, end and duration agree; the summary follows; nothing typed is lost by accident. Words come from the page.
import { peopleField } from "./people.js";
import { zoneField } from "./zone.js";

const RECAP_AFTER = 300;
const DAY = 24 * 60;

const form = document.getElementById("planifier");
const words = document.getElementById("participants-mots").dataset;

// --- start, end, duration --------------------------------------------------------------------------------------------
const start = form.elements.start;
const end = form.elements.end;
const minutes = form.elements.minutes;
const custom = [...minutes.options].find((option) => option.value === "");

const parse = (value) => {
  const [hours, rest] = value.split(":").map(Number);
  return value ? hours * 60 + rest : NaN;
};
const two = (number) => String(number).padStart(2, "0");
const format = (value) => `${two(Math.floor(value / 60))}:${two(value % 60)}`;

function durationLeads() {
  const from = parse(start.value);
  if (minutes.value === "" || Number.isNaN(from)) return;
  end.value = format((from + Number(minutes.value)) % DAY);
}

function endLeads() {
  const lasted = parse(end.value) - parse(start.value);
  const listed = [...minutes.options].find((option) => option.value !== "" && Number(option.value) === lasted);
  minutes.value = listed ? listed.value : "";
}

custom.label = custom.dataset.custom;
start.addEventListener("change", () => (minutes.value === "" ? endLeads() : durationLeads()));
minutes.addEventListener("change", durationLeads);
end.addEventListener("change", endLeads);

// --- the summary -------------------------------------------------------------------------------------------------------
const recap = document.getElementById("recapitulatif");
let recapTimer = 0;
let recapRequest = null;

async function refreshRecap() {
  recapRequest?.abort();
  recapRequest = new AbortController();
  try {
    const reply = await fetch(form.dataset.recap, { method: "POST", body: new FormData(form), signal: recapRequest.signal });
    if (reply.ok && !reply.redirected) {
      const parsed = new DOMParser().parseFromString(await reply.text(), "text/html");
      recap.replaceChildren(...parsed.body.childNodes);
      learn();
    }
  } catch (error) {
    // The summary is a comfort: without the network it stays as it was, and the form says so when it is sent.
    if (error.name !== "AbortError" && error.name !== "TypeError") throw error;
  }
}

// The lists of the repetition name the day that the date field says now; the rule is shown as a sentence.
function learn() {
  const told = recap.querySelector("[data-recap-words]");
  if (!told) return;
  form.elements.warned.value = told.dataset.warned;
  form.elements.repeat_for.value = told.dataset.day;
  for (const word of told.querySelectorAll("[data-preset]")) {
    const option = [...form.elements.repeat.options].find((one) => one.value === word.dataset.preset);
    if (word.dataset.label) option.textContent = word.dataset.label;
    option.hidden = option.disabled = !("offered" in word.dataset);
  }
  for (const word of told.querySelectorAll("[data-monthly]")) {
    [...form.elements.repeat_monthly.options].find((one) => one.value === word.dataset.monthly).textContent = word.dataset.label;
  }
  const sentence = document.getElementById("repetition-phrase");
  sentence.hidden = told.dataset.rule === "";
  if (sentence.textContent !== told.dataset.rule) sentence.textContent = told.dataset.rule;
}

// What is typed for an end of the series chooses that end.
for (const [field, end] of [["repeat_until", "until"], ["repeat_count", "count"]]) {
  form.elements[field].addEventListener("input", () => {
    form.querySelector(`[name=repeat_end][value=${end}]`).checked = true;
  });
}

// The weekday of a meeting that is planned is its date's, until somebody chooses among the days or the page came with others.
const weekdays = [...form.querySelectorAll("[name=repeat_weekdays]")];
const isWeekday = (box, day) => Number(box.value) === (new Date(day).getUTCDay() + 6) % 7;
let followsDate = Boolean(form.elements.creation_key) && weekdays.every((box) => (
  box.checked === box.defaultChecked && box.checked === isWeekday(box, form.elements.repeat_for.defaultValue)
));

function weekdayFollows() {
  const day = form.elements.date.value;
  if (followsDate && day) for (const box of weekdays) box.checked = isWeekday(box, day);
}

for (const box of weekdays) {
  box.addEventListener("change", () => {
    followsDate = false;
  });
}
form.elements.date.addEventListener("input", weekdayFollows);
form.elements.date.addEventListener("change", weekdayFollows);
weekdayFollows();

// A last day never lies before the first.
const lastDay = form.elements.last_day;
let firstDay = form.elements.date.value;
form.elements.date.addEventListener("change", () => {
  const moved = form.elements.date.valueAsNumber - Date.parse(firstDay);
  if (form.elements.date.value && lastDay.value && !Number.isNaN(moved)) lastDay.valueAsNumber += moved;
  firstDay = form.elements.date.value || firstDay;
});

function touched() {
  dirty = true;
  clearTimeout(recapTimer);
  recapTimer = setTimeout(refreshRecap, RECAP_AFTER);
}

// --- leaving -------------------------------------------------------------------------------------------------------------
let dirty = Boolean(form.querySelector("[aria-invalid]"));
let sending = false;

form.addEventListener("input", touched);
form.addEventListener("change", touched);
form.addEventListener("submit", (event) => {
  if (sending) event.preventDefault();
  sending = true;
});
form.querySelector("[data-abandon]").addEventListener("click", () => {
  dirty = false;
});
// Coming back by the browser's history: the form may be sent again.
window.addEventListener("pageshow", () => {
  sending = false;
});
window.addEventListener("beforeunload", (event) => {
  if (!dirty || sending) return;
  event.preventDefault();
  event.returnValue = words.leave;
});

// --- fields --------------------------------------------------------------------------------------------------------------
// What was changed before this script came counts like what is changed after it.
const isChanged = (field) => "defaultValue" in field && field.type !== "hidden" && field.value !== field.defaultValue;
if (isChanged(end)) endLeads();
else if (isChanged(start) || [...minutes.options].some((option) => option.selected && !option.defaultSelected)) durationLeads();
if ([...form.elements].some(isChanged)) touched();

peopleField(form, touched);
zoneField(form.elements.time_zone, touched);

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-field-link]");
  if (!link) return;
  const field = document.getElementById(link.hash.slice(1));
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.scrollIntoView({ block: "center" });
});

const firstError = document.querySelector("[data-attention]") ?? form.querySelector("[aria-invalid]");
const asked = document.getElementById(form.dataset.focus ?? "");
// Not away from where somebody is typing already.
if (document.activeElement === document.body) (firstError ?? asked ?? (form.elements.title.value ? null : form.elements.title))?.focus();
