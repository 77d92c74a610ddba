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

// Messages are dismissed by their button.
document.addEventListener("click", (event) => {
  event.target.closest("[data-ps-dismiss]")?.closest(".fr-alert")?.remove();
});

// A field's value goes to the clipboard; the button says so, in the page's words.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-ps-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.psCopy);
  field.select();
  await navigator.clipboard.writeText(field.value);
  button.textContent = button.dataset.psCopied;
});

// Once the presence menu has been replaced by the server's answer, it stays open where it was.
document.addEventListener("htmx:afterSwap", (event) => {
  const box = event.detail.elt?.closest?.("#ma-presence");
  const menu = box?.querySelector("[popover][data-ps-open]");
  if (!menu) return;
  menu.showPopover();
  menu.querySelector("input[name=state]:checked")?.focus();
});
