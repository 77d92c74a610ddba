// The participants field: chips over the two text fields that are posted. Without this script they are plain text fields.
import { listbox } from "./listbox.js";

const SEARCH_AFTER = 150;
const SHORTEST = 2;
// More chips than this are drawn only when they are asked for: a list of thousands stays quick.
const MOST_DRAWN = 100;

const say = (sentence, name) => sentence.replaceAll("{name}", name);

export function peopleField(form, onChange) {
  const field = document.getElementById("participants");
  const writing = document.activeElement;
  const words = document.getElementById("participants-mots").dataset;
  // The name of the field for those who must come; the other one is `optional` on every form.
  const id = `id_${field.dataset.people}`;
  const required = document.getElementById(id);
  const optional = document.getElementById("id_optional");
  const csrf = form.querySelector("[name=csrfmiddlewaretoken]").value;
  const served = JSON.parse(document.getElementById("participants-donnees").textContent);
  // Lists that were written in before this script came are read anew, by the server: it says what each line means.
  const early = [[required, "required"], [optional, "optional"]].filter(([area]) => area.value.trim() !== area.defaultValue.trim());
  const people = served.filter((person) => !early.some(([, role]) => role === (person.role === "optional" ? "optional" : "required")));

  field.append(document.getElementById("modele-participants").content.cloneNode(true));
  const box = field.querySelector("[data-chips]");
  const list = field.querySelector("[data-chips-list]");
  const input = field.querySelector("[role=combobox]");
  const errors = document.getElementById("participants-erreurs");
  const status = field.querySelector("[data-chips-status]");
  const chipModel = document.getElementById("modele-participant").content.firstElementChild;

  // What the server said that no chip carries stays until the list changes.
  const servedErrors = document.getElementById(`${id}-erreur`);
  const chipErrors = new Set(people.map((person) => person.error).filter(Boolean));
  let others = servedErrors ? [...servedErrors.children].map((line) => line.textContent).filter((text) => !chipErrors.has(text)) : [];
  servedErrors?.remove();

  field.classList.add("mt-people--live");
  document.getElementById(`${id}-aide`).hidden = true;
  required.hidden = true;
  field.querySelector(".mt-people__optional").hidden = true;
  // The field takes the identity of the one it stands for: its label and the links to it lead here.
  for (const name of ["id", "aria-invalid", "aria-describedby"]) required.removeAttribute(name);
  input.id = id;
  input.setAttribute("aria-describedby", "participants-aide participants-erreurs");

  const options = listbox(input, document.getElementById("annuaire"), {
    onPick: (option) => pick(JSON.parse(option.dataset.person)),
  });

  let isUnfolded = false;

  function draw() {
    const isFolded = people.length > MOST_DRAWN && !isUnfolded;
    // The wrong ones are always shown.
    const drawn = people.map((person, index) => [person, index]).filter(([person, index]) => !isFolded || index < MOST_DRAWN || person.error);
    list.replaceChildren(...drawn.map(([person, index]) => chip(person, index)));
    if (drawn.length < people.length) {
      const more = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "fr-btn fr-btn--sm fr-btn--tertiary";
      button.textContent = words.more.replace("{count}", people.length - drawn.length);
      button.addEventListener("click", () => {
        isUnfolded = true;
        draw();
        list.children[MOST_DRAWN]?.querySelector("button").focus();
      });
      more.append(button);
      list.append(more);
    }
    required.value = lines((person) => person.role !== "optional");
    optional.value = lines((person) => person.role === "optional");
    const messages = [...people.filter((person) => person.error).map((person) => person.error), ...others];
    errors.replaceChildren(
      ...messages.map((message) => {
        const line = document.createElement("p");
        line.className = "fr-error-text";
        line.textContent = message;
        return line;
      }),
    );
    field.classList.toggle("fr-input-group--error", messages.length > 0);
    box.classList.toggle("fr-input--error", messages.length > 0);
    if (messages.length) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }

  function lines(wanted) {
    return people.filter(wanted).map((person) => person.text).join("\n");
  }

  function chip(person, index) {
    const element = chipModel.cloneNode(true);
    element.dataset.index = index;
    const name = person.name || person.text;
    const role = element.querySelector(".mt-chip__role");
    const remove = element.querySelector(".mt-chip__remove");
    const isOptional = person.role === "optional";
    element.classList.toggle("mt-chip--wrong", Boolean(person.error));
    element.classList.toggle("mt-chip--optional", isOptional);
    element.querySelector(".mt-chip__icon").hidden = !person.error;
    element.querySelector(".mt-chip__note").textContent = [isOptional ? words.optional : "", person.note].filter(Boolean).join(", ");
    role.textContent = name;
    role.title = person.text;
    // A name that nobody bears has no role; its button brings the text back to be corrected.
    if (!person.error) role.setAttribute("aria-label", say(isOptional ? words.makeRequired : words.makeOptional, name));
    role.addEventListener("click", () => {
      if (person.error) {
        people.splice(index, 1);
        changed();
        input.value = person.text;
        input.focus();
        return;
      }
      person.role = isOptional ? "required" : "optional";
      changed();
      list.querySelector(`[data-index="${index}"] .mt-chip__role`).focus();
    });
    remove.querySelector("span").textContent = say(words.remove, name);
    remove.addEventListener("click", () => drop(index));
    return element;
  }

  function drop(index) {
    const [gone] = people.splice(index, 1);
    changed();
    status.textContent = say(words.removed, gone.name || gone.text);
    input.focus();
  }

  function add(newcomers) {
    const there = new Set(people.map((other) => address(other.text)));
    for (const person of newcomers) {
      const name = person.name || person.text;
      const known = there.has(address(person.text));
      there.add(address(person.text));
      if (!known) people.push({ role: "required", ...person });
      status.textContent = say(known ? words.known : words.added, name);
    }
    changed();
  }

  function changed() {
    others = [];
    draw();
    onChange();
  }

  // Lines whose meaning the server has not said yet.
  const underway = [];

  // Typed or pasted lines mean what the server says they mean.
  async function understand(text, role = "required") {
    const asked = { text, role };
    underway.push(asked);
    const body = new URLSearchParams({ text });
    try {
      const reply = await fetch(form.dataset.addresses, { method: "POST", body, headers: { "X-CSRFToken": csrf } });
      if (!reply.ok) throw new Error(String(reply.status));
      const found = await reply.json();
      add([...found.people, ...found.problems].map((person) => ({ ...person, role })));
      if (found.notices.length) status.textContent = found.notices.join(" ");
    } catch {
      // Nothing is lost: the line stays a chip, and the form's own answer will say what is wrong with it.
      add(text.split(/[\n,;]+/).map((line) => line.trim()).filter(Boolean).map((line) => ({ text: line, name: line, role })));
      status.textContent = words.unreachable;
    } finally {
      underway.splice(underway.indexOf(asked), 1);
    }
  }

  function commit() {
    clearTimeout(timer);
    search?.abort();
    pending = hurried = false;
    const text = input.value.replace(/[,;]+$/, "").trim();
    options.close();
    input.value = "";
    if (text) understand(text);
  }

  // --- the directory -----------------------------------------------------------------------------------------------
  let timer = 0;
  let search = null;
  let pending = false;
  // Enter was pressed before the directory had answered: take its first proposal when it does.
  let hurried = false;

  // A team or a unit stands for its people; sending the form before they came sends its name, which the server understands too.
  async function addGroup(group) {
    const asked = { text: group.name, role: "required" };
    underway.push(asked);
    input.value = "";
    options.close();
    try {
      const reply = await fetch(`${form.dataset.group}?groupe=${encodeURIComponent(group.group)}`);
      if (!reply.ok || reply.redirected) throw new Error(String(reply.status));
      const found = await reply.json();
      add(found.people);
      status.textContent = found.said;
    } catch {
      status.textContent = words.unknownGroup;
      input.value = group.name;
    } finally {
      underway.splice(underway.indexOf(asked), 1);
    }
  }

  function pick(person) {
    if (person.group) {
      addGroup(person);
      return;
    }
    add([{ text: person.text, name: person.name, note: person.note }]);
    input.value = "";
    options.close();
  }

  function optionElement(person) {
    const element = document.createElement("li");
    element.className = "mt-option";
    element.setAttribute("role", "option");
    element.dataset.person = JSON.stringify({ text: person.text, name: person.name, note: person.note, group: person.group });
    const avatar = document.createElement("span");
    avatar.className = person.group ? "mt-option__group fr-icon-team-line" : `ps-avatar ps-avatar--sm ps-avatar--${person.tint}`;
    avatar.setAttribute("aria-hidden", "true");
    avatar.textContent = person.group ? "" : person.initials;
    const text = document.createElement("span");
    text.className = "mt-option__words";
    for (const [part, value] of [["name", person.name], ["detail", person.detail]]) {
      const span = document.createElement("span");
      span.className = `mt-option__${part}`;
      span.textContent = value;
      text.append(span);
    }
    const note = document.createElement("span");
    note.className = "mt-option__note";
    note.textContent = person.note;
    element.append(avatar, text, note);
    return element;
  }

  async function lookUp(text) {
    search?.abort();
    search = new AbortController();
    try {
      const reply = await fetch(`${form.dataset.directory}?q=${encodeURIComponent(text)}`, { signal: search.signal });
      if (!reply.ok) throw new Error(String(reply.status));
      const { results } = await reply.json();
      if (input.value.trim() !== text) return;
      const fresh = results.filter((person) => !people.some((other) => address(other.text) === address(person.text)));
      pending = false;
      if (hurried) {
        hurried = false;
        if (fresh.length) pick(fresh[0]);
        else commit();
        return;
      }
      options.open(fresh.map(optionElement), text.includes("@") ? -1 : 0);
      status.textContent = fresh.length ? words.found.replace("{count}", fresh.length) : words.nobody;
    } catch (error) {
      if (error.name === "AbortError") return;
      pending = false;
      options.close();
      status.textContent = words.unreachable;
      if (hurried) commit();
    }
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    const text = input.value.trim();
    pending = hurried = false;
    // The proposals on the screen are those of an earlier text: Enter must not choose among them.
    options.unmark();
    if (/[,;]\s*$/.test(input.value)) commit();
    else if (text.length < SHORTEST) options.close();
    else {
      pending = true;
      timer = setTimeout(() => lookUp(text), SEARCH_AFTER);
    }
  });

  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented) return;
    if (event.key === "Enter") {
      // Enter in this field chooses; it never sends the form.
      event.preventDefault();
      if (pending && !input.value.includes("@")) hurried = true;
      else commit();
    } else if (event.key === "Backspace" && input.value === "" && people.length) {
      event.preventDefault();
      drop(people.length - 1);
    }
  });

  input.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text");
    if (!/[\n,;]|@/.test(text)) return;
    event.preventDefault();
    const before = input.value.trim();
    input.value = "";
    options.close();
    understand(before ? `${before}\n${text}` : text);
  });

  input.addEventListener("blur", () => {
    options.close();
    if (input.value.includes("@")) commit();
  });

  box.addEventListener("click", (event) => {
    if (event.target === box || event.target === list) input.focus();
  });

  form.addEventListener("submit", () => {
    // What was typed last and not chosen, or not understood yet, goes along: the server says what it means.
    const waiting = (role) => underway.filter((asked) => asked.role === role).map((asked) => asked.text);
    required.value = [required.value, ...waiting("required"), input.value.trim()].filter(Boolean).join("\n");
    optional.value = [optional.value, ...waiting("optional")].filter(Boolean).join("\n");
  });

  const written = early.map(([area, role]) => [area.value, role]);
  draw();
  for (const [text, role] of written) if (text.trim()) understand(text, role);
  if (writing === required || writing === optional) input.focus();
}

function address(line) {
  const found = /<([^<>]*)>\s*$/.exec(line);
  return (found ? found[1] : line).trim().toLowerCase();
}
