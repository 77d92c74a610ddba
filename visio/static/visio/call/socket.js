// The call's socket: says hello, comes back by itself with a growing wait, and hands every frame to `hear(frame)`.
// Losing it does not end the call: sound and picture go from browser to browser.

const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;
const PING_EVERY = 10_000;
// No answer to a ping for this long: the network is gone although nothing said so.
const SILENCE = 8_000;
// Close codes that mean "do not come back" (see visio/rooms/consumers.py).
const FINAL = new Set([4401, 4403, 4404, 4409, 4410]);

export class Socket {
  // `ticket()` resolves to a guest's ticket, or "" for an agent; it may reject with an Error whose `code` is final.
  constructor({ path, ticket, hear, change }) {
    this.url = `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}${path}`;
    this.ticket = ticket;
    this.hear = hear;
    this.change = change;
    this.wait = FIRST_WAIT;
    this.wanted = false;
    this.socket = null;
    this.reason = "";
    this.attempt = null;
    window.addEventListener("online", () => this.#again(0));
    window.addEventListener("offline", () => this.wanted && this.change("offline"));
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  open() {
    if (this.wanted) return;
    this.wanted = true;
    this.#connect();
  }

  // Ends for good; the server gives the seat back at once.
  close() {
    this.wanted = false;
    clearTimeout(this.retry);
    clearInterval(this.pings);
    this.socket?.close(1000);
    this.socket = null;
  }

  say(frame) {
    if (!this.isOpen) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  async #connect() {
    clearTimeout(this.retry);
    // Of two that wait for a ticket, only the later one opens a socket.
    const attempt = Symbol("attempt");
    this.attempt = attempt;
    let ticket = "";
    try {
      ticket = await this.ticket();
    } catch (error) {
      if (!this.wanted || this.attempt !== attempt) return;
      if (error.code) this.#end(error.code);
      else this.#lost();
      return;
    }
    if (!this.wanted || this.attempt !== attempt) return;
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => {
      socket.send(JSON.stringify({ type: "hello", ticket }));
      this.#ping(socket);
    };
    socket.onmessage = (event) => {
      if (socket !== this.socket) return;
      const frame = JSON.parse(event.data);
      this.heardAt = performance.now();
      if (frame.type === "welcome") {
        this.wait = FIRST_WAIT;
        this.change("open");
      }
      // What the server says before it closes for good is the reason that people read.
      if ((frame.type === "error" || frame.type === "refused") && frame.code) this.reason = frame.code;
      if (frame.type !== "pong") this.hear(frame);
    };
    socket.onclose = (event) => {
      if (socket !== this.socket) return;
      clearInterval(this.pings);
      this.socket = null;
      if (!this.wanted) return;
      if (FINAL.has(event.code)) this.#end(this.reason);
      else this.#lost();
    };
  }

  #ping(socket) {
    clearInterval(this.pings);
    this.pings = setInterval(() => {
      const asked = performance.now();
      if (!this.say({ type: "ping" })) return;
      setTimeout(() => {
        if (socket !== this.socket || this.heardAt >= asked) return;
        // close() on a dead network waits a minute for its answer: let go of the socket first.
        this.socket = null;
        clearInterval(this.pings);
        socket.close();
        if (this.wanted) this.#lost();
      }, SILENCE);
    }, PING_EVERY);
  }

  #lost() {
    this.change(navigator.onLine ? "lost" : "offline");
    this.#again(this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
  }

  #again(delay) {
    if (!this.wanted || this.socket) return;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.#connect(), delay);
  }

  #end(code) {
    this.wanted = false;
    this.change("ended", code);
  }
}
