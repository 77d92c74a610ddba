// A call's page: before (a look at oneself), the call, and after. Ties the socket, the mesh and the devices together.

import { Devices, canChooseSpeaker } from "./devices.js";
import { Mesh } from "./mesh.js";
import { Socket } from "./socket.js";
import * as ui from "./ui.js";

const { words, settings, byId, all, fill, say } = ui;
// Louder than this is speech; the name stays lit this long after the last of it.
const SPEECH = 0.03;
const SPEECH_LASTS = 700;

const devices = new Devices();
const tiles = new ui.Tiles(byId("tiles"));
const socket = new Socket({ path: settings.socket, ticket, hear, change: connectionChanged });

let phase = "before";
let people = [];
let me = null;
let seat = "";
let mesh = null;
let began = null;
let clockAhead = 0;
let capacity = settings.capacity;
let shortcuts = true;
let level = 0;
let wakeLock = null;

// --- The socket -----------------------------------------------------------------------------------------------------
async function ticket() {
  if (!settings.ticketUrl) return "";
  const answer = await fetch(settings.ticketUrl, { method: "POST", headers: { "X-CSRFToken": settings.csrf } });
  if (answer.ok) return (await answer.json()).ticket;
  const error = new Error(`ticket: ${answer.status}`);
  if (answer.status < 500) error.code = "bad_ticket";
  throw error;
}

function hear(frame) {
  if (frame.people) {
    began = frame.since;
    clockAhead = frame.now - Date.now() / 1000;
    welcomePeople(frame.people);
  }
  if (frame.type === "welcome") {
    capacity = frame.capacity;
    if (phase === "call") askToJoin();
  } else if (frame.type === "joined") {
    joined(frame);
  } else if (frame.type === "refused") {
    refused(frame.code);
  } else if (frame.type === "signal") {
    mesh?.receive(frame.from, frame.data);
  }
}

function connectionChanged(state, code) {
  const strip = byId("connection");
  if (state === "ended") {
    if (phase === "call") leave(words.left.ended, words.refused[code] ?? "");
    else showRefusal(code);
    return;
  }
  strip.hidden = state === "open" || phase === "after";
  if (!strip.hidden) strip.textContent = phase === "call" || state === "offline" ? words.connection[state] : words.connection.waiting;
  else if (strip.textContent && phase === "call") say(words.connection.back);
  if (state === "open") strip.textContent = "";
  // Whoever was on the way in when the socket went must ask again.
  if (phase === "before") busy(false);
  byId("join-button").disabled = state !== "open";
}

function welcomePeople(now) {
  const before = new Map(people.map((person) => [person.id, person]));
  people = now;
  ui.drawPresent(byId("present"), byId("present-avatars"), people);
  if (phase === "before" && people.length < capacity && byId("refusal").dataset.code === "full") showRefusal("");
  if (phase !== "call" || !me) return;
  const here = new Set(people.map((person) => person.id));
  // Not among them for a moment, after Redis was emptied: the next beat sits down again.
  if (!here.has(me.id)) return;
  for (const person of people) if (!before.has(person.id) && person.id !== me.id) say(fill(words.said.came, person));
  for (const person of before.values()) if (!here.has(person.id)) say(fill(words.said.went, person));
  drawCall();
  mesh?.sync(people);
}

// --- Joining --------------------------------------------------------------------------------------------------------
function askToJoin() {
  socket.say({
    type: "join",
    name: byId("name")?.value ?? "",
    mic: devices.isOn("mic"),
    camera: devices.isOn("camera"),
    seat,
  });
}

function joined(frame) {
  const again = me !== null;
  seat = frame.seat;
  me = people.find((person) => person.id === frame.ticket.participant) ?? me;
  // A camera that was still starting when "join" was said.
  if (me.mic !== devices.isOn("mic") || me.camera !== devices.isOn("camera")) sayMedia();
  if (again) {
    mesh.say = (said) => socket.say(said);
    mesh.sync(people);
    mesh.resume();
    drawCall();
    return;
  }
  show("call");
  // Said before joining already.
  byId("call-problem").hidden = true;
  mesh = new Mesh({
    me,
    iceServers: frame.ticket.ice_servers,
    say: (said) => socket.say(said),
    media: devices,
    show: showPeer,
  });
  drawCall();
  mesh.sync(people);
  say(words.said.joined);
  stayAwake();
  all('[data-toggle="mic"]', byId("call"))[0].focus({ preventScroll: true, focusVisible: false });
}

function refused(code) {
  busy(false);
  if (code === "name") {
    nameError(true);
  } else if (phase === "call") {
    leave(words.left.ended, words.refused[code] ?? "");
  } else {
    showRefusal(code);
  }
}

function showRefusal(code) {
  const box = byId("refusal");
  box.hidden = !code;
  box.dataset.code = code;
  box.textContent = words.refused[code] ?? "";
  busy(false);
  // Only a full room can change its mind without a new page.
  byId("join-button").disabled = Boolean(code) && code !== "full";
  byId("join-button").querySelector("[data-label]").textContent = code === "full" ? words.join.again : words.join.ready;
}

function nameError(wrong) {
  const name = byId("name");
  const error = byId("name-error");
  error.hidden = !wrong;
  error.textContent = wrong ? words.refused.name : "";
  name.setAttribute("aria-invalid", String(wrong));
  if (wrong) name.focus();
}

function busy(yes) {
  const button = byId("join-button");
  button.disabled = yes;
  button.querySelector("[data-label]").textContent = yes ? words.join.busy : words.join.ready;
}

function submit(event) {
  event.preventDefault();
  const name = byId("name");
  if (name) {
    nameError(!name.value.trim());
    if (!name.value.trim()) return;
  }
  devices.resume();
  busy(true);
  askToJoin();
}

// --- The call -------------------------------------------------------------------------------------------------------
function show(next) {
  phase = next;
  document.body.dataset.phase = next;
  for (const name of ["before", "call", "after"]) byId(name).hidden = name !== next;
  byId("connection").hidden = true;
  busy(false);
}

function drawCall() {
  tiles.draw(people, me.id);
  drawMe();
  ui.drawPeople(byId("people"), people, me.id, tiles);
  for (const number of all("[data-number]")) number.textContent = people.length;
  for (const count of all("[data-count]", byId("call"))) if (count.tagName === "SPAN") count.textContent = words.people[people.length] ?? "";
  byId("alone").hidden = people.length > 1;
}

// One's own tile follows the devices at once, not the server's answer.
function drawMe() {
  const tile = me && tiles.get(me.id);
  if (!tile) return;
  tile.draw({ ...tile.person, mic: devices.isOn("mic"), camera: devices.isOn("camera") });
  tile.root.dataset.picture = devices.isOn("camera") ? "yes" : "no";
  tile.play(devices.tracks.camera ? new MediaStream([devices.tracks.camera]) : null, () => {});
}

function showPeer(id, change) {
  const tile = tiles.get(id);
  if (!tile) return;
  if (change.stream) {
    tile.play(change.stream, () => { byId("allow-sound").hidden = false; });
    if (canChooseSpeaker && devices.chosen.speaker) sendSound(tile.video);
  }
  if (change.state) tile.say(change.state);
  if (change.stats) tile.measured(change.stats);
}

function sendSound(video) {
  // The speaker may have been unplugged: back to the default one.
  video.setSinkId(devices.chosen.speaker).catch(() => video.setSinkId(""));
}

function leave(title, why = "") {
  socket.say({ type: "leave" });
  socket.close();
  mesh?.close();
  mesh = null;
  me = null;
  seat = "";
  people = [];
  tiles.clear();
  devices.stop();
  wakeLock?.release();
  wakeLock = null;
  for (const menu of all("[popover]")) menu.hidePopover();
  show("after");
  byId("after-title").textContent = title;
  byId("after-words").textContent = why;
  byId("after-title").focus();
}

async function comeBack() {
  show("before");
  showRefusal("");
  byId("join-button").disabled = true;
  socket.open();
  await devices.start();
}

async function stayAwake() {
  if (!navigator.wakeLock || wakeLock || document.visibilityState !== "visible") return;
  try {
    wakeLock = await navigator.wakeLock.request("screen");
    wakeLock.addEventListener("release", () => { wakeLock = null; });
  } catch (error) {
    // A nearly empty battery forbids it; the screen then goes dark as usual.
    if (error.name !== "NotAllowedError") throw error;
  }
}

function togglePeople(open = byId("people-panel").hidden) {
  byId("people-panel").hidden = !open;
  byId("people-button").setAttribute("aria-expanded", String(open));
  if (open) all("[data-close-panel]")[0].focus();
  else byId("people-button").focus();
}

// --- Devices --------------------------------------------------------------------------------------------------------
async function toggle(what) {
  const was = devices.isOn(what);
  await devices.toggle(what);
  const is = devices.isOn(what);
  if (was !== is) say(words.said[`${what}_${is ? "on" : "off"}`]);
  // Asked for in vain: the reason stands where it can be read, even when it was closed before.
  else if (devices.faults[what]) showProblem();
}

function devicesChanged({ detail: what }) {
  ui.drawSwitches(devices);
  if (what === "speaker") {
    for (const tile of tiles.tiles.values()) if (!tile.isMe) sendSound(tile.video);
    return;
  }
  if (what === "camera") {
    const mirror = byId("mirror");
    mirror.dataset.camera = devices.isOn("camera") ? "on" : "off";
    byId("mirror-video").srcObject = devices.tracks.camera ? new MediaStream([devices.tracks.camera]) : null;
  }
  drawProblem();
  mesh?.replace(what === "mic" ? "audio" : "video", devices.tracks[what]);
  if (phase === "call") {
    drawMe();
    sayMedia();
  }
}

function sayMedia() {
  socket.say({ type: "state", mic: devices.isOn("mic"), camera: devices.isOn("camera") });
}

function drawProblem() {
  const problem = ui.problemWords(devices.faults);
  for (const id of ["device-problem", "call-problem"]) {
    const box = byId(id);
    const line = box.querySelector("[data-words]");
    if (line.textContent === problem) continue;
    line.textContent = problem;
    box.hidden = !problem;
  }
}

function showProblem() {
  for (const id of ["device-problem", "call-problem"]) byId(id).hidden = false;
}

// --- Voices and time ------------------------------------------------------------------------------------------------
function speaks(id, loud) {
  const tile = tiles.get(id);
  if (!tile) return;
  if (loud > SPEECH) {
    tile.spokeAt = performance.now();
    if (!tile.isMe && tiles.main !== id && !recentlySpoke(tiles.get(tiles.main))) tiles.feature(id);
  }
  tile.root.toggleAttribute("data-speaks", recentlySpoke(tile));
}

function recentlySpoke(tile) {
  return tile?.spokeAt !== undefined && performance.now() - tile.spokeAt < SPEECH_LASTS;
}

function listen() {
  level = Math.max(devices.level(), level * 0.8);
  if (phase === "before") ui.drawLevel(byId("level"), level, devices.isOn("mic"));
  if (phase !== "call" || !me) return;
  speaks(me.id, devices.level());
  for (const [id, peer] of mesh.peers) speaks(id, tiles.get(id)?.person.mic ? peer.level() : 0);
}

function tick() {
  const now = new Date();
  const hours = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const clock = now.toLocaleTimeString(document.documentElement.lang, hours);
  for (const place of all("[data-clock]")) place.textContent = clock;
  if (phase !== "call" || !me) return;
  all("[data-duration]")[0].textContent = began ? ui.duration(Date.now() / 1000 + clockAhead - began) : "";
  if (!byId("people-panel").hidden) ui.drawPeople(byId("people"), people, me.id, tiles);
}

function shortcut(event) {
  if (!shortcuts || phase === "after" || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input:not([type=radio], [type=checkbox]), select, textarea, [contenteditable]")) return;
  const key = event.key.toLowerCase();
  if (key === "m") toggle("mic");
  else if (key === "v") toggle("camera");
  else if (key === "i" && phase === "call") togglePeople();
  else return;
  event.preventDefault();
}

// --- Begin ----------------------------------------------------------------------------------------------------------
function choose(what, id) {
  return devices.choose(what, id);
}

byId("join").addEventListener("submit", submit);
byId("name")?.addEventListener("input", () => nameError(false));
byId("leave").addEventListener("click", () => leave(words.left.you));
byId("come-back").addEventListener("click", comeBack);
byId("device-retry").addEventListener("click", () => {
  Object.assign(devices.wanted, { mic: true, camera: true });
  devices.start();
});
byId("call-problem-close").addEventListener("click", () => { byId("call-problem").hidden = true; });
byId("test-sound").addEventListener("click", () => devices.test());
byId("people-button").addEventListener("click", () => togglePeople());
byId("allow-sound").addEventListener("click", () => {
  byId("allow-sound").hidden = true;
  for (const tile of tiles.tiles.values()) tile.video.play();
});
byId("shortcuts").addEventListener("change", ({ target }) => {
  shortcuts = target.checked;
  say(shortcuts ? words.said.shortcuts_on : words.said.shortcuts_off);
});
byId("people-panel").addEventListener("keydown", (event) => event.key === "Escape" && togglePeople(false));
for (const button of all("[data-close-panel]")) button.addEventListener("click", () => togglePeople(false));
for (const button of all("[data-toggle]")) button.addEventListener("click", () => toggle(button.dataset.toggle));
for (const select of all("select[data-device]")) {
  select.addEventListener("change", () => choose(select.dataset.device, select.value));
}
for (const part of all("[data-needs-speaker]")) part.hidden = !canChooseSpeaker;
document.addEventListener("keydown", shortcut);
document.addEventListener("visibilitychange", () => phase === "call" && stayAwake());
// A page that is left gives its seat back at once; one that is kept by the browser for "back" begins anew.
window.addEventListener("pagehide", () => socket.close());
window.addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
devices.addEventListener("change", devicesChanged);
devices.addEventListener("list", () => ui.drawChoices(devices, choose));

for (const control of all("[data-waits]")) control.disabled = false;
document.body.dataset.ready = "";
ui.drawChoices(devices, choose);
ui.drawSwitches(devices);
setInterval(listen, 100);
setInterval(tick, 1000);
tick();
socket.open();
devices.start();
