// Make one tree of elements like another while keeping the nodes that match: focus, scroll, typed text and open menus stay.

const key = (node) =>
  node.nodeType === Node.ELEMENT_NODE ? node.id || node.dataset.key || node.dataset.liveSrc || "" : "";

const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && key(a) === key(b);

// What the browser, a script or the person has set since the page was made.
const OWN_ATTRIBUTES = new Set(["open", "aria-expanded", "data-live-busy"]);

function morphAttributes(old, wanted) {
  for (const { name } of [...old.attributes]) {
    if (!wanted.hasAttribute(name) && !OWN_ATTRIBUTES.has(name)) old.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (old.getAttribute(name) !== value && !OWN_ATTRIBUTES.has(name)) old.setAttribute(name, value);
  }
}

export function morphChildren(old, wanted) {
  const keyed = new Map();
  for (const child of old.childNodes) if (key(child)) keyed.set(key(child), child);
  let here = old.firstChild;
  for (const next of [...wanted.childNodes]) {
    let match = null;
    const name = key(next);
    if (name) {
      const found = keyed.get(name);
      if (found && alike(found, next)) match = found;
    } else {
      // The nearest node of the same kind; nodes with a name of their own wait for theirs.
      for (let node = here; node; node = node.nextSibling) {
        if (alike(node, next)) {
          match = node;
          break;
        }
      }
    }
    if (match === null) {
      old.insertBefore(document.importNode(next, true), here);
      continue;
    }
    if (match === here) here = here.nextSibling;
    else if (match.contains(document.activeElement)) {
      // Moving a node takes the focus away from it: move what stands before it instead.
      while (here && here !== match) {
        const after = here.nextSibling;
        old.insertBefore(here, match.nextSibling);
        here = after;
      }
      here = match.nextSibling;
    } else old.insertBefore(match, here);
    morph(match, next);
  }
  while (here) {
    const after = here.nextSibling;
    here.remove();
    here = after;
  }
}

export function morph(old, wanted) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== wanted.nodeValue) old.nodeValue = wanted.nodeValue;
    return;
  }
  if (old.hasAttribute("data-live-keep") || old.isEqualNode(wanted)) return;
  morphAttributes(old, wanted);
  morphChildren(old, wanted);
}
