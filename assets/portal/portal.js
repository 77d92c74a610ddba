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
