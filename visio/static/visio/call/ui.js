// What is seen of a call: tiles, people, words. Knows no socket and no connection.

const config = JSON.parse(document.getElementById("call-config").textContent);
export const words = config.words;
export const settings = config;

export const byId = (id) => document.getElementById(id);
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];

export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (_whole, name) => values[name] ?? "");
}

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

export function icon(name, attributes = {}) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  made.setAttribute("class", "vc-icon");
  made.setAttribute("aria-hidden", "true");
  for (const [key, value] of Object.entries(attributes)) if (value) made.setAttribute(key, value === true ? "" : value);
  made.append(document.createElementNS("http://www.w3.org/2000/svg", "use"));
  setIcon(made, name);
  return made;
}

export function setIcon(svg, name) {
  const wanted = `${config.icons}#${name}`;
  const use = svg.querySelector("use");
  if (use.getAttribute("href") !== wanted) use.setAttribute("href", wanted);
}

// Said aloud by screen readers; one sentence after the other.
let quiet = 0;
export function say(sentence) {
  const line = byId("said");
  clearTimeout(quiet);
  line.append(element("span", {}, `${sentence} `));
  quiet = setTimeout(() => line.replaceChildren(), 5_000);
}

export function avatar(person) {
  return element("span", { class: "vc-avatar", "aria-hidden": "true" }, person.initials);
}

export function roleWords(person, me) {
  return [person.id === me ? words.you : "", words.roles[person.role] ?? ""].filter(Boolean).join(", ");
}

// One person's picture, made once and then only changed: a video that is moved starts again.
class Tile {
  constructor(person, isMe) {
    this.isMe = isMe;
    this.stream = null;
    this.state = isMe ? "connected" : "connecting";
    this.video = element("video", { autoplay: true, playsinline: true, "aria-hidden": "true" });
    this.video.muted = isMe;
    this.avatar = avatar(person);
    this.mic = icon("mic");
    this.name = element("span", { class: "vc-plate__name" });
    this.role = element("span", { class: "vc-plate__role" });
    this.muted = element("span", { class: "vc-unseen" });
    this.note = element("span", { class: "vc-tile__state" });
    const bars = element("span", { class: "vc-bars", "aria-hidden": "true" }, ...[1, 2, 3].map(() => element("i")));
    this.root = element(
      "li",
      { class: isMe ? "vc-tile vc-tile--you" : "vc-tile", "data-person": person.id, "data-picture": "no", "data-frames": "0" },
      this.video,
      this.avatar,
      element("span", { class: "vc-speaks", "aria-hidden": "true" }, icon("speaks"), words.peer.speaks),
      element("p", { class: "vc-plate" }, bars, this.mic, this.name, this.role, this.muted),
      this.note,
    );
    for (const event of ["loadeddata", "resize"]) this.video.addEventListener(event, () => this.#picture());
    this.draw(person);
  }

  draw(person) {
    this.person = person;
    this.root.dataset.tint = person.tint;
    this.root.dataset.camera = person.camera ? "on" : "off";
    this.root.dataset.mic = person.mic ? "on" : "off";
    this.avatar.textContent = person.initials;
    this.name.textContent = person.name;
    this.role.textContent = roleWords(person, this.isMe ? person.id : "");
    this.muted.textContent = person.mic ? "" : words.mic.off;
    setIcon(this.mic, person.mic ? "mic" : "mic-off");
    this.mic.toggleAttribute("data-off", !person.mic);
    if (!person.camera && !this.isMe) this.root.dataset.picture = "no";
    else this.#picture();
  }

  play(stream, blocked) {
    if (this.video.srcObject !== stream) this.video.srcObject = stream;
    // Autoplay with sound may be refused until the person touches the page; any other end of play() comes with a new stream.
    this.video.play().catch((error) => error.name === "NotAllowedError" && blocked());
  }

  say(state) {
    this.state = state;
    this.root.dataset.state = state;
    this.note.textContent = words.peer[state] ?? "";
  }

  measured({ frames, quality }) {
    this.root.dataset.frames = frames;
    this.root.dataset.quality = quality;
    if (this.state === "connected") this.note.textContent = quality === "poor" ? words.quality.poor : "";
  }

  #picture() {
    if (this.person.camera && this.video.videoWidth > 0) this.root.dataset.picture = "yes";
  }
}

export class Tiles {
  constructor(list) {
    this.list = list;
    this.tiles = new Map();
    this.main = "";
  }

  // The people in the order to show them: the others as they came, oneself last.
  draw(people, me) {
    const ordered = [...people.filter((person) => person.id !== me), ...people.filter((person) => person.id === me)];
    const here = new Set(people.map((person) => person.id));
    for (const [id, tile] of this.tiles) {
      if (!here.has(id)) {
        tile.video.srcObject = null;
        tile.root.remove();
        this.tiles.delete(id);
      }
    }
    ordered.forEach((person, index) => {
      const known = this.tiles.get(person.id);
      const tile = known ?? new Tile(person, person.id === me);
      if (known) tile.draw(person);
      this.tiles.set(person.id, tile);
      if (this.list.children[index] !== tile.root) this.list.insertBefore(tile.root, this.list.children[index] ?? null);
    });
    this.list.dataset.count = people.length;
    if (!here.has(this.main) || this.main === me) this.feature(ordered[0]?.id ?? "");
  }

  // Who is shown large on a phone: whoever spoke last among the others.
  feature(id) {
    this.main = id;
    for (const [other, tile] of this.tiles) tile.root.toggleAttribute("data-main", other === id);
  }

  get(id) {
    return this.tiles.get(id);
  }

  clear() {
    for (const tile of this.tiles.values()) tile.video.srcObject = null;
    this.tiles.clear();
    this.list.replaceChildren();
    this.main = "";
  }
}

export function drawPeople(list, people, me, tiles) {
  list.replaceChildren(
    ...people.map((person) => {
      const quality = person.id === me ? "" : tiles.get(person.id)?.root.dataset.quality ?? "";
      const facts = [words.quality[quality], person.organisation].filter(Boolean).join(" · ");
      return element(
        "li",
        { class: "vc-person" },
        avatar(person),
        element(
          "div",
          {},
          element("span", { class: "vc-person__name" }, person.name, " ", element("span", {}, roleWords(person, me))),
          element("span", { class: "vc-person__facts", "data-quality": quality || null }, facts),
        ),
        element(
          "span",
          { class: "vc-person__media" },
          icon(person.mic ? "mic" : "mic-off", { "data-off": !person.mic }),
          icon(person.camera ? "camera" : "camera-off", { "data-off": !person.camera }),
          element("span", { class: "vc-unseen" }, `${person.mic ? words.mic.on : words.mic.off}, ${person.camera ? words.camera.on : words.camera.off}`),
        ),
      );
    }),
  );
}

// "Claire Morel et Karim Ouali sont déjà dans la réunion."
export function drawPresent(sentence, avatars, people) {
  avatars.replaceChildren(...people.slice(0, 4).map(avatar));
  const [first, second] = people.map((person) => element("strong", {}, person.name));
  let pattern = words.present.more[people.length - 2];
  if (people.length < 3) pattern = [words.present.none, words.present.one, words.present.two][people.length];
  const parts = pattern.split(/(\{first\}|\{second\})/).map((part) => ({ "{first}": first, "{second}": second })[part] ?? part);
  sentence.replaceChildren(...parts);
}

// Fills a <select> or a group of radio buttons with devices.
export function drawChoices(devices, choose) {
  for (const what of ["mic", "camera", "speaker"]) {
    const options = devices.lists[what].map((device, index) => ({
      id: device.deviceId,
      label: device.label || fill(words.device[what], { number: index + 1 }),
    }));
    const chosen = options.some((option) => option.id === devices.chosen[what]) ? devices.chosen[what] : options[0]?.id ?? "";
    for (const select of all(`select[data-device="${what}"]`)) {
      const empty = what === "speaker" ? words.device.default : words[what].none;
      select.replaceChildren(...(options.length ? options : [{ id: "", label: empty }]).map(({ id, label }) => element("option", { value: id }, label)));
      select.value = chosen;
      select.disabled = options.length === 0;
    }
    for (const group of all(`[data-choices="${what}"]`)) {
      group.replaceChildren(
        ...options.map(({ id, label }) => {
          const radio = element("input", { type: "radio", name: `choice-${what}`, value: id });
          radio.checked = id === chosen;
          radio.addEventListener("change", () => choose(what, id));
          return element("label", { class: "vc-choice" }, radio, label);
        }),
      );
      if (!options.length) group.append(element("p", { class: "vc-choice" }, what === "speaker" ? words.device.default : words[what].none));
    }
  }
}

export function drawSwitches(devices) {
  for (const what of ["mic", "camera"]) {
    const on = devices.isOn(what);
    for (const button of all(`[data-toggle="${what}"]`)) {
      button.toggleAttribute("data-off", !on);
      setIcon(button.querySelector("svg"), on ? what : `${what}-off`);
      // In the call a control that is on says what it is, one that is off says so.
      const short = button.classList.contains("vc-control") && on;
      const label = short ? words[what].short : on ? words[what].on : words[what].off;
      const act = on ? words[what].turn_off : words[what].turn_on;
      button.querySelector("[data-label]").textContent = label;
      button.setAttribute("aria-label", `${label}. ${act}`);
      button.title = act;
    }
  }
  for (const svg of all("[data-mic-icon]")) {
    setIcon(svg, devices.isOn("mic") ? "mic" : "mic-off");
    svg.toggleAttribute("data-off", !devices.isOn("mic"));
  }
}

// What to tell about devices that cannot be used; "" when all is well.
export function problemWords({ mic, camera }) {
  if (mic === "insecure") return words.problem.insecure;
  if (mic === "lost" || camera === "lost") return mic === "lost" ? words.problem.lost_mic : words.problem.lost_camera;
  if (mic && mic === camera) return words.problem[`both_${mic}`];
  return [mic && words.problem[`mic_${mic}`], camera && words.problem[`camera_${camera}`]].filter(Boolean).join(" ");
}

export function drawLevel(meter, level, isOn) {
  const bars = meter.querySelectorAll("i");
  const lit = isOn ? Math.round(Math.min(1, Math.sqrt(level)) * bars.length) : 0;
  bars.forEach((bar, index) => bar.toggleAttribute("data-on", index < lit));
  const kind = !isOn ? "muted" : level > 0.85 ? "loud" : level > 0.08 ? "good" : level > 0.01 ? "low" : "silent";
  if (meter.dataset.level !== kind) {
    meter.dataset.level = kind;
    meter.querySelector("[data-words]").textContent = words.level[kind];
  }
}

export function duration(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return "";
  if (minutes < 60) return fill(words.duration.minutes, { minutes });
  return fill(words.duration.hours, { hours: Math.floor(minutes / 60), minutes: String(minutes % 60).padStart(2, "0") });
}
