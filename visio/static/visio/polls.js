// Polls work without this: rows of dates come and go on the spot, people are chosen from the directory, and one click
// answers for every date.
import { peopleField } from "./people.js";

const form = document.getElementById("sonder");
if (form) {
  rowsOf(form);
  peopleField(form, () => {});
}
for (const votes of document.querySelectorAll("[data-votes]")) allAtOnce(votes);

const here = document.querySelector("[data-focus-here]");
here?.scrollIntoView({ block: "center" });
here?.focus();

function rowsOf(form) {
  const list = form.querySelector("[data-rows]");
  const add = form.querySelector("[data-add]");
  const status = form.querySelector("[data-rows-status]");
  const most = Number(form.dataset.most);
  const rows = () => [...list.querySelectorAll("[data-row]")];

  add.addEventListener("click", (event) => {
    event.preventDefault();
    const before = rows().at(-1);
    if (!before || rows().length >= most) return;
    const row = before.cloneNode(true);
    for (const field of row.querySelectorAll("input")) {
      field.classList.remove("fr-input--error");
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
    }
    // The day after, at the same hour: what is asked for most often.
    const [date, start] = row.querySelectorAll("input");
    const [lastDate, lastStart] = before.querySelectorAll("input");
    date.value = dayAfter(lastDate.value);
    start.value = lastStart.value;
    list.append(row);
    number();
    date.focus();
    status.textContent = status.dataset.added;
  });

  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-remove]");
    if (!button) return;
    event.preventDefault();
    const row = button.closest("[data-row]");
    const place = rows().indexOf(row);
    if (rows().length > 1) row.remove();
    else for (const field of row.querySelectorAll("input")) field.value = "";
    number();
    (rows()[Math.min(place, rows().length - 1)].querySelector("input") ?? add).focus();
    status.textContent = status.dataset.removed;
  });

  function number() {
    rows().forEach((row, index) => {
      const [date, start] = row.querySelectorAll("input");
      date.id = `date-${index}`;
      start.id = `debut-${index}`;
      const [dateLabel, startLabel] = row.querySelectorAll("label");
      dateLabel.htmlFor = date.id;
      startLabel.htmlFor = start.id;
      for (const label of [dateLabel, startLabel]) label.querySelector(".fr-sr-only").textContent = ` ${index + 1}`;
      row.querySelector("[data-remove]").value = String(index);
    });
    add.disabled = rows().length >= most;
  }

  if (form.hasAttribute("data-focus-row")) rows().at(-1)?.querySelector("input").focus();
}

function dayAfter(text) {
  const day = new Date(`${text}T12:00:00Z`);
  if (Number.isNaN(day.getTime())) return "";
  day.setUTCDate(day.getUTCDate() + 1);
  return day.toISOString().slice(0, 10);
}

function allAtOnce(votes) {
  const line = votes.querySelector("[data-all]");
  line.hidden = votes.querySelectorAll("fieldset").length < 3;
  line.addEventListener("click", (event) => {
    const wanted = event.target.closest("[data-all-choice]")?.dataset.allChoice;
    if (!wanted) return;
    for (const radio of votes.querySelectorAll("input[type=radio]")) if (radio.value === wanted) radio.checked = true;
  });
}
