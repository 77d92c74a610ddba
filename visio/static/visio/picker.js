// Rooms in the planning form: asked again when the form has changed, and a taken one exchanged for another by a button. The
// boxes are plain fields of the form; every word comes from the page.

const AGAIN_AFTER = 300;
// What the list depends on: everything but words nobody books by.
const SPARED = new Set(["title", "description", "place", "csrfmiddlewaretoken", "shown", "creation_key", "jour", "horizon", "visio", "tchap", "private", "notify", "resources"]);

const picker = document.querySelector("[data-pl-picker]");
const form = picker.closest("form");
const choices = picker.querySelector("[data-pl-choices]");
const lost = picker.querySelector("[data-pl-lost]");
const status = picker.querySelector("[data-pl-status]");

const values = () => JSON.stringify([...new FormData(form)].filter(([name]) => !SPARED.has(name)));
let known = values();
let timer = 0;

function ask(after) {
  known = values();
  clearTimeout(timer);
  timer = setTimeout(() => choices.dispatchEvent(new CustomEvent("pl:stale")), after);
}

function follow() {
  if (values() !== known) ask(AGAIN_AFTER);
}

form.addEventListener("input", follow);
form.addEventListener("change", follow);
// The chips write into hidden fields, which tells nobody.
const chips = form.querySelector("#participants");
if (chips) new MutationObserver(follow).observe(chips, { childList: true, subtree: true });

const boxOf = (id) => choices.querySelector(`input[name="resources"][value="${CSS.escape(id)}"]`);

// --- answers -------------------------------------------------------------------------------------------------------------
let focused = null;
let caret = null;

picker.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, pathInfo } = event.detail;
  const came = xhr.responseURL ? new URL(xhr.responseURL).pathname : "";
  // The answer to somebody signed out is the sign-in page: it has no place in here.
  if (came && pathInfo && came !== new URL(pathInfo.requestPath, location.href).pathname) {
    event.detail.shouldSwap = false;
    lost.hidden = false;
    return;
  }
  const held = document.activeElement;
  focused = choices.contains(held) ? held.id : null;
  caret = focused && held.type === "search" ? [held.value, held.selectionStart] : null;
});

picker.addEventListener("htmx:afterSwap", () => {
  lost.hidden = true;
  // The boxes are here now: those that the page came with would be sent too.
  document.querySelectorAll("#id_resources [name='resources']").forEach((box) => {
    if (!choices.contains(box)) box.closest("ul")?.remove();
  });
  document.getElementById("salles-titre")?.remove();
  const field = focused && document.getElementById(focused);
  if (field) {
    if (caret) {
      // Letters typed while the answer was on its way.
      [field.value] = caret;
      field.setSelectionRange?.(caret[1], caret[1]);
    }
    field.focus();
  }
  status.textContent = choices.querySelector("[data-said]")?.dataset.said ?? "";
  known = values();
});

for (const name of ["htmx:responseError", "htmx:sendError"]) {
  picker.addEventListener(name, () => {
    lost.hidden = false;
  });
}

// --- one instead of another ------------------------------------------------------------------------------------------------
choices.addEventListener("click", (event) => {
  const button = event.target.closest("[data-pl-take]");
  if (!button) return;
  const taken = boxOf(button.dataset.plInstead);
  if (taken) taken.checked = false;
  let box = boxOf(button.dataset.plTake);
  if (!box) {
    // Beyond those that are listed: the answer lists it, chosen.
    box = Object.assign(document.createElement("input"), { type: "hidden", name: "resources", value: button.dataset.plTake });
    choices.append(box);
  } else {
    box.checked = true;
  }
  box.dispatchEvent(new Event("change", { bubbles: true }));
  ask(0);
});

// The first question is the list's own, once it is there.
picker.hidden = false;
