// The frame's own behaviour. Every word comes from the page.

// "/" goes to the search field unless one is typing.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable], [role=textbox]")) return;
  const field = document.getElementById("recherche-champ");
  if (!field || field.offsetParent === null) return;
  event.preventDefault();
  field.focus();
});

// What only this script can serve is hidden until here.
for (const button of document.querySelectorAll("[data-ps-dismiss], [data-ps-copy]")) button.hidden = false;

// A form that its choices send (hx-trigger="change") needs its button until htmx is there; what was chosen before is sent then.
document.addEventListener("htmx:load", (event) => {
  for (const button of event.target.querySelectorAll("[data-ps-apply]:not([hidden])")) {
    button.hidden = true;
    if ([...button.form.elements].some(isChanged)) window.htmx.trigger(button.form, "change");
  }
});

function isChanged(field) {
  if (field.type === "radio") return field.checked && !field.defaultChecked;
  if (field.type !== "select-one") return false;
  return field.selectedIndex !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected));
}

// A sheet of the phone keeps the keyboard while it is open; closing gives it back to the button that opened it.
for (const sheet of document.querySelectorAll("[data-ps-sheet]")) {
  const stops = () => [...sheet.querySelectorAll("a[href], button")].filter((one) => one.offsetParent !== null);
  sheet.addEventListener("toggle", (event) => {
    if (event.newState === "open") stops()[0]?.focus();
  });
  sheet.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") return;
    const all = stops();
    const edge = event.shiftKey ? all[0] : all.at(-1);
    if (document.activeElement !== edge && sheet.contains(document.activeElement)) return;
    event.preventDefault();
    (event.shiftKey ? all.at(-1) : all[0])?.focus();
  });
}

// Messages are dismissed by their button.
document.addEventListener("click", (event) => {
  event.target.closest("[data-ps-dismiss]")?.closest(".fr-alert")?.remove();
});

// A field's value goes to the clipboard; the button says so, in the page's words. Where there is no clipboard (plain HTTP) or the
// browser refuses it, the value is selected for the person to copy, and that is said.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-ps-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.psCopy);
  const said = button.parentElement.querySelector("[data-ps-copy-said]");
  field.focus();
  field.select();
  if (await isCopied(field.value)) {
    button.textContent = button.dataset.psCopied;
    said.textContent = "";
  } else {
    said.textContent = button.dataset.psCopyFailed;
  }
});

async function isCopied(text) {
  if (!navigator.clipboard) return false;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (error) {
    if (error.name !== "NotAllowedError") throw error;
    return false;
  }
}

// Once the presence menu has been replaced by the server's answer, it stays open where it was.
document.addEventListener("htmx:afterSwap", (event) => {
  const box = event.detail.elt?.closest?.("#ma-presence");
  const menu = box?.querySelector("[popover][data-ps-open]");
  if (!menu) return;
  menu.showPopover();
  menu.querySelector("input[name=state]:checked")?.focus();
});
