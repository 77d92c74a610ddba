// A list of people keeps its order while their presence changes: <ul data-presence-order="available in_meeting …"> holds
// <li data-name="Benali"> with somebody's [data-state] inside. First by state, then by name.

// Several people change at once: put them in order once, a little later.
const AFTER = 500;

function ordered(list) {
  const order = list.dataset.presenceOrder.split(" ");
  const state = (row) => order.indexOf(row.querySelector("[data-state]")?.dataset.state ?? "unknown");
  const rows = [...list.children].map((row) => ({ row, rank: state(row), name: row.dataset.name }));
  // Presence is paused: nobody has come or gone.
  if (rows.every(({ rank }) => order[rank] === "unknown")) return null;
  rows.sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : Number(a.name > b.name)));
  return rows.map(({ row }) => row);
}

function arrange(list) {
  const rows = ordered(list);
  if (!rows || rows.every((row, index) => row === list.children[index])) return;
  // A moved element loses the focus: the row that holds it stays, the others move around it.
  const held = rows.find((row) => row.contains(document.activeElement));
  const place = rows.indexOf(held);
  rows.forEach((row, index) => {
    if (index !== place) list.insertBefore(row, index < place ? held : null);
  });
}

for (const list of document.querySelectorAll("[data-presence-order]")) {
  let waiting = null;
  new MutationObserver(() => {
    waiting ??= setTimeout(() => {
      waiting = null;
      arrange(list);
    }, AFTER);
  }).observe(list, { subtree: true, attributes: true, attributeFilter: ["data-state"] });
}
