// A meeting's page and the invitations answered in place. Words come from the page.
import { proposedHours } from "./proposing.js";

proposedHours();

// The proposal has its own message; what was written for the answer is in it.
const proposal = document.querySelector(".mt-propose");
proposal?.addEventListener("toggle", () => {
  const message = document.getElementById("proposition-message");
  if (proposal.open && !message.value) message.value = document.getElementById("reponse-message").value;
});

// --- copy ---------------------------------------------------------------------------------------------------------------
const labels = new WeakMap();
const timers = new WeakMap();

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const status = document.querySelector("[data-copy-status]");
  let said = button.dataset.copied;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    // Not kept on the element: a new fragment may take its attributes away meanwhile.
    const label = labels.get(button) ?? button.textContent;
    labels.set(button, label);
    clearTimeout(timers.get(button));
    button.textContent = said;
    timers.set(button, setTimeout(() => {
      button.textContent = label;
    }, 3000));
  } catch {
    // Refused by the browser: the address stands beside the button and can be selected.
    said = button.dataset.copyFailed;
    button.textContent = said;
  }
  if (status) status.textContent = said;
});

// --- answered rows: ten seconds to take it back, then the row goes and the focus moves on ---------------------------------
function leave(row) {
  // Taken back meanwhile: the row is another one now.
  if (!row.isConnected || !row.hasAttribute("data-undo-seconds")) return;
  const next = row.nextElementSibling ?? row.previousElementSibling;
  const held = row.contains(document.activeElement);
  row.remove();
  if (held) (next?.querySelector("button, a") ?? document.getElementById("contenu"))?.focus();
}

const timed = new WeakSet();

function armUndo() {
  for (const row of document.querySelectorAll("[data-undo-seconds]")) {
    if (timed.has(row)) continue;
    timed.add(row);
    setTimeout(() => leave(row), Number(row.dataset.undoSeconds) * 1000);
  }
}

document.addEventListener("htmx:afterSettle", (event) => {
  const row = event.detail.elt?.closest?.("li") ?? event.target;
  armUndo();
  if (row?.matches?.("[data-undo-seconds]")) (row.nextElementSibling?.querySelector("button") ?? row).focus();
});

// --- what came with a new fragment ----------------------------------------------------------------------------------------
function arm() {
  // Without a clipboard (plain HTTP) the address beside the button can still be selected.
  for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = !navigator.clipboard;
}

document.addEventListener("live:updated", () => {
  arm();
  armUndo();
});
arm();
armUndo();

// --- a few seconds to take the last act back; then the e-mails leave, and the button with them ----------------------------
const offer = document.querySelector("[data-undo-until]");
if (offer) {
  // The device's own clock may be wrong: the server says how long is left.
  const until = performance.now() + Math.max(0, Date.parse(offer.dataset.undoUntil) - Date.parse(offer.dataset.undoNow));
  const words = offer.querySelector("[data-undo-left]");
  const count = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    if (left > 0) {
      words.textContent = offer.dataset.undoWords.replace("{count}", left);
      setTimeout(count, 250);
      return;
    }
    const held = offer.contains(document.activeElement);
    offer.hidden = true;
    if (held) document.getElementById("contenu")?.focus();
  };
  count();
}
