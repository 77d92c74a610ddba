// A list of zones that one searches by town, territory or country. The <select> stays the field that is posted.
import { fold, listbox } from "./listbox.js";

const MOST = 60;

export function zoneField(select, onChange) {
  const input = document.createElement("input");
  const list = document.createElement("ul");
  const all = [...select.options].map((option) => ({
    value: option.value,
    label: option.label,
    group: option.parentElement.label || "",
    key: fold(`${option.label} ${option.value.replaceAll("_", " ")}`),
  }));

  input.type = "text";
  input.className = `${select.className} mt-zone__input`;
  input.autocomplete = "off";
  input.spellcheck = false;
  input.placeholder = select.dataset.filter;
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-controls", "fuseaux");
  for (const name of ["aria-describedby", "aria-invalid"]) {
    if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name));
    select.removeAttribute(name);
  }
  list.id = "fuseaux";
  list.className = "mt-options";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", select.labels[0].textContent);
  input.id = select.id;
  select.removeAttribute("id");
  select.hidden = true;
  select.after(input, list);

  const shown = () => select.selectedOptions[0]?.label ?? "";

  const options = listbox(input, list, {
    onPick: (option) => {
      select.value = option.dataset.value;
      input.value = shown();
      options.close();
      onChange();
    },
  });

  function element(zone) {
    const item = document.createElement("li");
    item.className = "mt-option";
    item.setAttribute("role", "option");
    item.dataset.value = zone.value;
    item.textContent = zone.label;
    return item;
  }

  function show(text) {
    const wanted = fold(text).split(/\s+/).filter(Boolean);
    const found = all.filter((zone) => wanted.every((word) => zone.key.includes(word))).slice(0, MOST);
    if (found.length) {
      options.open(found.map(element), wanted.length ? 0 : Math.max(0, found.findIndex((zone) => zone.value === select.value)));
      return;
    }
    const nothing = document.createElement("li");
    nothing.className = "mt-option mt-option--words";
    nothing.setAttribute("role", "option");
    nothing.setAttribute("aria-disabled", "true");
    nothing.dataset.value = select.value;
    nothing.textContent = select.dataset.none;
    options.open([nothing]);
  }

  input.value = shown();
  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", () => show(""));
  input.addEventListener("input", () => show(input.value));
  input.addEventListener("keydown", (event) => {
    if (event.defaultPrevented) return;
    if (event.key === "ArrowDown" && !options.isOpen()) {
      event.preventDefault();
      show("");
    } else if (event.key === "Enter") event.preventDefault();
  });
  input.addEventListener("blur", () => {
    options.close();
    input.value = shown();
  });
}
