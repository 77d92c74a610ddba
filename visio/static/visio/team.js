// The team's week: keyboard, filters, the day's panel, the phone's day, the line of now. Every word comes from the page.

const root = document.querySelector("[data-tw]");
const panel = document.querySelector("[data-tw-panel]");
const chips = document.querySelector("[data-tw-chips]");
const strip = document.querySelector("[data-tw-strip]");
const none = document.querySelector("[data-tw-none]");
const PAGE = 10;

const grid = () => root.querySelector("[data-tw-grid]");

// What survives the grid's being fetched again: the current cell and the phone's day. And when the grid was made.
let current = null;
let shownDay = null;
let madeAt = performance.now();
let minutesThen = Number(grid().dataset.twNow);

function rows() {
  return [...grid().querySelectorAll("[data-tw-row]:not([hidden])")].map((row) =>
    [...row.querySelectorAll("[data-tw-cell]")].filter((cell) => cell.offsetParent !== null),
  );
}

// --- One tab stop ---------------------------------------------------------------------------------------------------

function place(cell) {
  for (const other of grid().querySelectorAll('[data-tw-cell][tabindex="0"]')) other.tabIndex = -1;
  cell.tabIndex = 0;
  current = cell.dataset.twCell;
}

function tabStop() {
  const cells = rows();
  const all = cells.flat();
  const kept = all.find((cell) => cell.dataset.twCell === current);
  const today = (cells[0] || []).find((cell) => cell.classList.contains("tw-cell--today"));
  const cell = kept || today || all[0];
  if (cell) place(cell);
  return cell;
}

function move(cell, key, control) {
  const cells = rows();
  const y = cells.findIndex((row) => row.includes(cell));
  if (y < 0) return null;
  const x = cells[y].indexOf(cell);
  const last = cells.length - 1;
  const at = (row, column) => cells[Math.min(Math.max(row, 0), last)]?.[column];
  switch (key) {
    case "ArrowLeft":
      return at(y, x - 1);
    case "ArrowRight":
      return at(y, x + 1);
    case "ArrowUp":
      return y > 0 ? at(y - 1, x) : null;
    case "ArrowDown":
      return y < last ? at(y + 1, x) : null;
    case "Home":
      return control ? at(0, 0) : at(y, 0);
    case "End":
      return control ? at(last, cells[last].length - 1) : at(y, cells[y].length - 1);
    case "PageUp":
      return at(y - PAGE, x);
    case "PageDown":
      return at(y + PAGE, x);
    default:
      return undefined;
  }
}

root.addEventListener("keydown", (event) => {
  const cell = event.target.closest("[data-tw-cell]");
  if (!cell || event.altKey || event.metaKey) return;
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    open(cell);
    return;
  }
  if (event.ctrlKey && event.key !== "Home" && event.key !== "End") return;
  const target = move(cell, event.key, event.ctrlKey);
  if (target === undefined && !/^(Arrow|Page|Home|End)/.test(event.key)) return;
  event.preventDefault();
  if (target) {
    place(target);
    target.focus();
  }
});

root.addEventListener("focusin", (event) => {
  const cell = event.target.closest("[data-tw-cell]");
  if (cell) place(cell);
});

// --- The day's panel ------------------------------------------------------------------------------------------------

function open(cell) {
  place(cell);
  panel.querySelector("[data-tw-panel-title]").textContent = cell.dataset.twHeading;
  panel.querySelector("[data-tw-panel-body]").replaceChildren(...cell.querySelector("[data-tw-events]").cloneNode(true).children);
  panel.showModal();
}

root.addEventListener("click", (event) => {
  const cell = event.target.closest("[data-tw-cell]");
  if (cell) open(cell);
});

panel.addEventListener("click", (event) => {
  // The dialog itself is hit only outside its content: on the backdrop.
  const box = panel.getBoundingClientRect();
  const outside =
    event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
  if (event.target.closest("[data-tw-close]") || (event.target === panel && outside)) panel.close();
});

// The browser gives focus back to the cell, unless the grid was fetched again meanwhile.
panel.addEventListener("close", () => tabStop()?.focus());

// --- Presence: filters and counts -----------------------------------------------------------------------------------

const plural = new Intl.PluralRules(document.documentElement.lang || "fr");

const stateOf = (row) => row.querySelector("[data-presence]")?.dataset.state || row.dataset.state;

function filter() {
  const wanted = new Set(
    [...chips.querySelectorAll('[aria-pressed="true"]')].map((chip) => chip.dataset.twState),
  );
  let shown = 0;
  for (const row of grid().querySelectorAll("[data-tw-row]")) {
    row.hidden = wanted.size > 0 && !wanted.has(stateOf(row));
    shown += row.hidden ? 0 : 1;
  }
  none.hidden = shown > 0 || wanted.size === 0;
  tabStop();
}

function count() {
  const numbers = new Map();
  for (const row of grid().querySelectorAll("[data-tw-row]")) {
    const state = stateOf(row);
    numbers.set(state, (numbers.get(state) || 0) + 1);
  }
  for (const chip of chips.querySelectorAll("[data-tw-state]")) {
    const number = numbers.get(chip.dataset.twState) || 0;
    chip.querySelector(".tw-chip__count").textContent = number;
    chip.querySelector(".tw-chip__words").textContent =
      plural.select(number) === "one" ? chip.dataset.one : chip.dataset.many;
  }
}

chips.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-tw-state]");
  if (!chip) return;
  chip.setAttribute("aria-pressed", chip.getAttribute("aria-pressed") === "true" ? "false" : "true");
  filter();
});

// --- The phone's day ------------------------------------------------------------------------------------------------

function showDay(index) {
  shownDay = index;
  const classes = grid().classList;
  for (const name of [...classes]) if (/^tw--d\d$/.test(name)) classes.remove(name);
  classes.add(`tw--d${index}`);
  for (const day of strip.querySelectorAll("[data-tw-day]")) {
    day.setAttribute("aria-pressed", String(Number(day.dataset.twDay) === index));
  }
  tabStop();
}

strip.addEventListener("click", (event) => {
  const day = event.target.closest("[data-tw-day]");
  if (day) showDay(Number(day.dataset.twDay));
});

// --- Now ------------------------------------------------------------------------------------------------------------

function step(element, minutes) {
  for (const name of [...element.classList]) if (/^q[sm]\d+$/.test(name)) element.classList.remove(name);
  element.classList.add(`qs${Math.floor(minutes / 15)}`, `qm${minutes % 15}`);
}

function now() {
  const minutes = minutesThen + Math.floor((performance.now() - madeAt) / 60000);
  if (minutes >= 24 * 60) return; // Midnight has passed: the next page shows another day.
  const hour = `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  for (const line of grid().querySelectorAll("[data-tw-now-line]")) step(line, minutes);
  const pill = grid().querySelector("[data-tw-pill]");
  if (pill) {
    step(pill, minutes);
    pill.textContent = hour;
    const near = pill.getBoundingClientRect();
    for (const tick of grid().querySelectorAll("[data-tw-tick]")) {
      tick.hidden = false;
      const box = tick.getBoundingClientRect();
      tick.hidden = box.left < near.right + 3 && box.right > near.left - 3;
    }
  }
}

// --- Start, and again after every fetch ------------------------------------------------------------------------------

function refresh() {
  if (shownDay !== null) showDay(shownDay);
  count();
  filter();
  now();
}

root.addEventListener("live:updated", () => {
  madeAt = performance.now();
  minutesThen = Number(grid().dataset.twNow);
  refresh();
});

new MutationObserver(() => {
  count();
  filter();
}).observe(root, { subtree: true, attributes: true, attributeFilter: ["data-state"] });

for (const button of document.querySelectorAll("[data-tw-state], [data-tw-day]")) button.disabled = false;
refresh();
setInterval(now, 20_000);
addEventListener("resize", () => {
  tabStop();
  now();
});
