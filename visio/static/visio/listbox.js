// A combobox's list (ARIA 1.2, list autocomplete): the keys and the active option. Words and options come from the caller.

let serial = 0;

export function listbox(input, list, { onPick, onClose = () => {} }) {
  let active = -1;

  const options = () => [...list.querySelectorAll("[role=option]")];

  function mark(index) {
    const all = options();
    active = all.length ? (index + all.length) % all.length : -1;
    all.forEach((option, at) => option.setAttribute("aria-selected", String(at === active)));
    if (active < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", all[active].id);
      all[active].scrollIntoView({ block: "nearest" });
    }
  }

  function open(elements, first = -1) {
    for (const element of elements) if (element.getAttribute("role") === "option" && !element.id) element.id = `option-${(serial += 1)}`;
    list.replaceChildren(...elements);
    list.hidden = elements.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    active = -1;
    input.removeAttribute("aria-activedescendant");
    if (first >= 0 && options().length) mark(first);
    if (!list.hidden) list.scrollIntoView({ block: "nearest" });
  }

  function unmark() {
    for (const option of options()) option.setAttribute("aria-selected", "false");
    active = -1;
    input.removeAttribute("aria-activedescendant");
  }

  function close() {
    if (list.hidden) return;
    open([]);
    onClose();
  }

  input.addEventListener("keydown", (event) => {
    if (event.isComposing || list.hidden) return;
    if (event.key === "ArrowDown") mark(active + 1);
    else if (event.key === "ArrowUp") mark(active < 0 ? -1 : active - 1);
    else if (event.key === "Escape") close();
    else if (event.key === "Enter" && active >= 0) {
      onPick(options()[active]);
      event.stopImmediatePropagation();
    } else return;
    event.preventDefault();
  });

  // The pointer must not take the focus away from the field before the choice is made.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) onPick(option);
  });

  return { open, close, unmark, isOpen: () => !list.hidden };
}

// Lower case without accents, as the directory compares.
export function fold(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
