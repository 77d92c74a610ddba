// The page's one socket: hints make fragments fetch themselves again, presence arrives as data. Words come from #live-config.

import { announce, follows, fragments, refresh } from "./fragments.js";
import { PresenceBoard } from "./presence.js";
import { setServerClock, startClock } from "./time.js";

const SIGNED_OUT = 4401;
const NOT_ALLOWED = 4403;
const LONGEST_WAIT = 30_000;
// A socket that comes back within this time was never seen to be gone.
const PAUSE_AFTER = 4_000;

class Live {
  constructor(config) {
    this.config = config;
    this.version = document.body.dataset.liveVersion || "";
    this.latest = this.version;
    this.stale = false;
    this.busy = 0;
    this.attempt = 0;
    this.heartbeat = 25_000;
    this.activeAt = Date.now();
    this.board = new PresenceBoard(config, (agents) => this.say({ type: "watch", agents }));
    this.banner = document.querySelector("[data-live-banner]");
    startClock(config.words.duration, () => this.board.tick());
    this.listenToThePerson();
    this.connect();
  }

  // --- the socket -------------------------------------------------------------------------------------------------
  connect() {
    clearTimeout(this.retry);
    if (this.socket && this.socket.readyState <= WebSocket.OPEN) return;
    this.pauseSoon();
    const url = new URL(this.config.socket, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    url.searchParams.set("idle_for", this.idleFor());
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.addEventListener("message", (event) => this.hear(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => {
      if (this.socket === socket) this.closed(event.code);
    });
  }

  closed(code) {
    clearInterval(this.beating);
    this.socket = null;
    if (this.left) return;
    if (code === SIGNED_OUT || code === NOT_ALLOWED) {
      this.pause(true, this.config.words.signed_out);
      return;
    }
    this.pauseSoon();
    // A server that stops loses everybody at once: come back spread over a few seconds.
    const wait = Math.min(LONGEST_WAIT, 3_000 * 2 ** this.attempt);
    this.attempt += 1;
    this.retry = setTimeout(() => this.connect(), wait * (0.1 + 0.9 * Math.random()));
  }

  reconnect() {
    if (this.left) return;
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    clearInterval(this.beating);
    this.connect();
  }

  say(frame) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  idleFor() {
    return Math.round((Date.now() - this.activeAt) / 1000);
  }

  beat() {
    if (Date.now() - this.heardAt > 2.2 * this.heartbeat) {
      this.reconnect(); // The line is dead and nobody said so.
      return;
    }
    this.say({ type: "beat", idle_for: this.idleFor() });
  }

  // --- what the server says ---------------------------------------------------------------------------------------
  hear(frame) {
    this.heardAt = Date.now();
    if (frame.type === "hello") this.hello(frame);
    else if (frame.type === "alive?") this.beat();
    else if (frame.type === "news") this.news(frame);
  }

  hello(frame) {
    this.attempt = 0;
    setServerClock(frame.now);
    this.heartbeat = frame.heartbeat * 1000;
    clearInterval(this.beating);
    this.beating = setInterval(() => this.beat(), this.heartbeat);
    if (frame.paused) this.pause(true);
    else this.pause(false);
    this.board.again();
    if (!frame.version || frame.version !== this.version) this.fetchAll(frame.version);
    document.dispatchEvent(new CustomEvent("live:connected"));
  }

  news(frame) {
    if (frame.ack) this.say({ type: "ack", ack: frame.ack });
    if (frame.paused !== undefined) this.pause(frame.paused);
    if (frame.presence) this.board.hear(frame.presence);
    if (frame.resync) {
      // Everybody was told the same at the same moment.
      setTimeout(() => this.fetchAll(frame.version), Math.random() * 1000 * (frame.within ?? 0));
    } else if (frame.topics) {
      for (const topic of frame.topics) {
        document.dispatchEvent(new CustomEvent("live:topic", { detail: { topic } }));
      }
      this.fetch(fragments().filter((element) => follows(element, frame.topics)), frame.version);
    } else if (frame.beat && frame.version !== this.latest) {
      this.fetchAll(frame.version); // A hint was lost on its way.
    }
  }

  fetchAll(version) {
    document.dispatchEvent(new CustomEvent("live:resync"));
    return this.fetch(fragments(), version);
  }

  // Fetch these again; the page is at `version` once everything that was asked for has come.
  async fetch(elements, version) {
    this.latest = version ?? "";
    this.busy += 1;
    const fresh = await Promise.all(elements.map(refresh));
    this.busy -= 1;
    if (fresh.includes(false)) this.stale = true;
    if (this.busy > 0) return;
    if (this.stale) {
      this.stale = false;
      this.latest = ""; // Equal to nothing: the next heartbeat fetches everything again.
    } else {
      this.version = this.latest;
      document.body.dataset.liveVersion = this.version;
    }
  }

  // --- pause ------------------------------------------------------------------------------------------------------
  pauseSoon() {
    this.pausing ??= setTimeout(() => this.pause(true), PAUSE_AFTER);
  }

  pause(paused, words = this.config.words.paused) {
    clearTimeout(this.pausing);
    this.pausing = undefined;
    this.board.pause(paused);
    if (this.banner) {
      if (paused && this.banner.textContent !== words) this.banner.textContent = words;
      this.banner.hidden = !paused;
    }
    document.body.dataset.liveState = paused ? "paused" : "on";
  }

  // --- the person -------------------------------------------------------------------------------------------------
  listenToThePerson() {
    const active = () => {
      const idle = Date.now() - this.activeAt >= this.config.idle * 1000;
      this.activeAt = Date.now();
      if (idle) this.beat();
    };
    for (const name of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) {
      addEventListener(name, active, { passive: true, capture: true });
    }
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      active();
      if (this.socket) this.beat();
      else this.connect(); // Perhaps signed in again in another tab.
    });
    addEventListener("online", () => this.reconnect());
    addEventListener("offline", () => this.pause(true));
    addEventListener("pagehide", () => {
      this.left = true;
      this.socket?.close(1000);
    });
    addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      this.left = false;
      this.connect();
    });
  }
}

const config = document.getElementById("live-config");
// Another module may import this one under its unhashed name: one page, one socket.
if (config && !window.portalLive) window.portalLive = new Live(JSON.parse(config.textContent));

export { announce };
