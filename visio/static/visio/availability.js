// The availability grid follows the form, and the form follows it: a slot chosen, dragged or moved by the arrows fills the
// fields. Every word comes from the page.

const LAST_QUARTER = 95;
const AGAIN_AFTER = 250;
// What the grid depends on; typing a title asks for nothing.
const WATCHED = ["attendees", "optional", "date", "start", "end", "minutes", "time_zone", "resources", "all_day", "last_day", "organiser_for"];

const panel = document.querySelector("[data-av]");
const form = panel.closest("form");
const day = panel.querySelector("[data-av-day]");
const lost = panel.querySelector("[data-av-lost]");
const status = panel.querySelector("[data-av-status]");

// Only what is new is said aloud.
function say(words) {
  if (status.textContent !== words) status.textContent = words;
}

// Until this script is there a click would be lost.
panel.querySelector("[data-av-find]").disabled = false;

// --- asking again ------------------------------------------------------------------------------------------------------
const values = () => {
  const data = new FormData(form);
  return WATCHED.map((name) => data.getAll(name).join("\n")).join("\u0000");
};
let known = values();
let shownFor = form.elements.date?.value;
let timer = 0;

function follow() {
  const fresh = values();
  if (fresh === known) return;
  known = fresh;
  // Another day in the form is the day to look at.
  const date = form.elements.date?.value;
  if (date !== shownFor) {
    shownFor = date;
    panel.querySelector("[data-av-shown]")?.remove();
  }
  clearTimeout(timer);
  timer = setTimeout(() => day.dispatchEvent(new CustomEvent("av:stale")), AGAIN_AFTER);
}

form.addEventListener("input", follow);
form.addEventListener("change", follow);
// The chips write into hidden fields, which tells nobody.
const chips = form.querySelector("#participants");
if (chips) new MutationObserver(follow).observe(chips, { childList: true, subtree: true });

// The answer to somebody signed out is the sign-in page: it has no place in here.
panel.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, pathInfo } = event.detail;
  const came = xhr.responseURL ? new URL(xhr.responseURL).pathname : "";
  if (came && pathInfo && came !== new URL(pathInfo.requestPath, location.href).pathname) {
    event.detail.shouldSwap = false;
    lost.hidden = false;
  }
});
panel.addEventListener("htmx:afterSwap", (event) => {
  lost.hidden = true;
  const words = event.detail.target.querySelector("[data-av-say]")?.textContent.replace(/\s+/g, " ").trim();
  if (words) say(words);
  opened(panel.classList.contains("av--open"));
});
for (const name of ["htmx:responseError", "htmx:sendError"]) {
  panel.addEventListener(name, () => {
    lost.hidden = false;
  });
}

// --- the phone's grid --------------------------------------------------------------------------------------------------
function opened(isOpen) {
  panel.classList.toggle("av--open", isOpen);
  panel.querySelector("[data-av-open]")?.setAttribute("aria-expanded", String(isOpen));
}

panel.addEventListener("click", (event) => {
  if (event.target.closest("[data-av-open]")) opened(!panel.classList.contains("av--open"));
});

// --- a time into the form ----------------------------------------------------------------------------------------------
const two = (number) => String(number).padStart(2, "0");
const clock = (quarter) => `${two(Math.floor(quarter / 4))}:${two((quarter % 4) * 15)}`;

const changed = (field) => field.dispatchEvent(new Event("change", { bubbles: true }));

// The start leads: the form's own script keeps the end, the duration and the repetition together.
function put({ date, start, end }) {
  const fields = form.elements;
  if (end) fields.end.value = end;
  if (date && fields.date.value !== date) {
    fields.date.value = date;
    changed(fields.date);
  }
  fields.start.value = start;
  changed(fields.start);
}

panel.addEventListener("click", (event) => {
  const button = event.target.closest("[data-av-choose]");
  if (!button) return;
  put(button.dataset);
  for (const other of panel.querySelectorAll("[data-av-choose]")) {
    const isThis = other === button;
    other.setAttribute("aria-pressed", String(isThis));
    other.textContent = isThis ? panel.dataset.chosen : panel.dataset.choose;
    other.closest("li").classList.toggle("av-slot--chosen", isThis);
  }
  say(panel.dataset.said.replace("{when}", button.dataset.when));
});

// --- moving the column -------------------------------------------------------------------------------------------------
const column = () => panel.querySelector("[data-av-column]");
const step = (element, prefix) => Number([...element.classList].find((name) => name.startsWith(prefix) && /\d$/.test(name))?.slice(2));

function move(quarter) {
  const moved = column();
  const start = Math.min(Math.max(quarter, 0), LAST_QUARTER);
  if (moved) {
    const before = step(moved, "qs");
    if (before === start) return;
    moved.classList.replace(`qs${before}`, `qs${start}`);
    const handle = moved.querySelector("[data-av-handle]");
    const length = step(moved, "qd");
    const words = `${clock(start)} – ${clock((start + length) % 96)}`;
    handle.textContent = words;
    handle.setAttribute("aria-valuenow", String(start));
    handle.setAttribute("aria-valuetext", words);
  }
  const shown = panel.querySelector("[data-av-shown]")?.value;
  shownFor = shown ?? form.elements.date.value;
  put({ date: shown, start: clock(start) });
}

panel.addEventListener("keydown", (event) => {
  if (!event.target.closest("[data-av-handle]")) return;
  const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 4, PageDown: -4 }[event.key];
  if (!by) return;
  event.preventDefault();
  move(step(column(), "qs") + by);
});

// The quarter under the pointer, on the track's own scale.
function quarterAt(x) {
  const inner = panel.querySelector("[data-av-inner]");
  const box = panel.querySelector("[data-av-track]")?.getBoundingClientRect();
  if (!inner || !box) return null;
  const share = (x - box.left) / box.width;
  return share < 0 || share > 1 ? null : Number(inner.dataset.first) + Math.floor(share * Number(inner.dataset.count));
}

let grip = null;
panel.addEventListener("pointerdown", (event) => {
  const handle = event.target.closest("[data-av-handle]");
  const at = quarterAt(event.clientX);
  if (!handle || at === null) return;
  grip = at - step(column(), "qs");
  handle.setPointerCapture(event.pointerId);
  event.preventDefault();
  handle.focus();
});
panel.addEventListener("pointermove", (event) => {
  if (grip === null) return;
  const at = quarterAt(event.clientX);
  if (at !== null) move(at - grip);
});
for (const name of ["pointerup", "pointercancel"]) {
  panel.addEventListener(name, () => {
    grip = null;
  });
}

// A click on somebody's day puts the start there.
panel.addEventListener("click", (event) => {
  if (!event.target.closest("[data-av-track]") || form.elements.all_day?.checked) return;
  const at = quarterAt(event.clientX);
  if (at !== null) move(at);
});
