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
    }
  } catch (error) {
    // The summary is a comfort: without the network it stays as it was, and the form says so when it is sent.
    if (error.name !== "AbortError" && error.name !== "TypeError") throw error;
  }
}

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

const firstError = document.getElementById("conflit") ?? form.querySelector("[aria-invalid]");
const asked = document.getElementById(form.dataset.focus ?? "");
// Not away from where somebody is typing already.
if (document.activeElement === document.body) (firstError ?? asked ?? (form.elements.title.value ? null : form.elements.title))?.focus();
