// One RTCPeerConnection to every other person, negotiated perfectly (W3C WebRTC §10.7): either side may offer at any time, and
// when two offers cross the polite side gives way. The later comer makes the first offer and is the polite one. A connection
// that fails is first restarted (ICE), then rebuilt under the next `attempt` number; frames of an older attempt are dropped.

const UNSTABLE_AFTER = 4_000;
const GIVE_UP_AFTER = 15_000;
const STATS_EVERY = 1_000;
// Upload of one picture in bits a second, by the number of others who get a copy.
const VIDEO_BITS = [0, 1_500_000, 800_000, 600_000, 450_000, 350_000];

export class Mesh {
  // `say(frame)` sends on the call's socket; `media` is Devices; `show(id, change)` updates a tile:
  // {stream}, {state: connecting|connected|unstable|failed}, {level}, {stats: {frames, quality}}.
  constructor({ me, iceServers, say, media, show }) {
    this.me = me;
    this.iceServers = iceServers;
    this.say = say;
    this.media = media;
    this.show = show;
    this.peers = new Map();
    this.timer = setInterval(() => this.#measure(), STATS_EVERY);
  }

  // The people who are here now, me among them.
  sync(people) {
    const here = new Map(people.map((person) => [person.id, person]));
    for (const [id, peer] of this.peers) {
      if (!here.has(id)) {
        peer.end();
        this.peers.delete(id);
      }
    }
    for (const person of people) {
      if (person.id !== this.me.id && !this.peers.has(person.id)) {
        this.peers.set(person.id, new Peer(this, person.id, isLater(this.me, person)));
      }
    }
    for (const peer of this.peers.values()) peer.share(VIDEO_BITS[Math.min(this.peers.size, VIDEO_BITS.length - 1)]);
  }

  receive(from, data) {
    this.peers.get(from)?.receive(data);
  }

  // A microphone or camera was switched on, off, or for another one.
  replace(kind, track) {
    for (const peer of this.peers.values()) peer.replace(kind, track);
  }

  // The socket is back: whatever was being negotiated meanwhile got lost.
  resume() {
    for (const peer of this.peers.values()) peer.resume();
  }

  close() {
    clearInterval(this.timer);
    for (const peer of this.peers.values()) peer.end();
    this.peers.clear();
  }

  async #measure() {
    for (const peer of this.peers.values()) await peer.measure();
  }
}

function isLater(mine, other) {
  return mine.joined_at === other.joined_at ? mine.id > other.id : mine.joined_at > other.joined_at;
}

class Peer {
  constructor(mesh, id, later) {
    this.mesh = mesh;
    this.id = id;
    this.polite = later;
    this.starts = later;
    this.attempt = 0;
    this.failures = 0;
    this.line = Promise.resolve();
    this.bits = VIDEO_BITS[1];
    this.#build();
    if (this.starts) this.#begin();
  }

  // Frames are handled one after the other: a candidate never overtakes its description.
  receive(data) {
    this.line = this.line.then(() => this.#handle(data));
  }

  replace(kind, track) {
    this.senders[kind]?.replaceTrack(track);
  }

  share(bits) {
    this.bits = bits;
    this.#limit();
  }

  resume() {
    if (this.pc.connectionState !== "connected") this.#again();
  }

  // They are gone: frames still in line must not build another connection to them.
  end() {
    this.ended = true;
    this.#close();
  }

  #close() {
    clearTimeout(this.unstable);
    clearTimeout(this.watchdog);
    this.pc.onnegotiationneeded = this.pc.onicecandidate = this.pc.ontrack = this.pc.onconnectionstatechange = null;
    this.pc.close();
  }

  #build() {
    const pc = new RTCPeerConnection({ iceServers: this.mesh.iceServers, bundlePolicy: "max-bundle" });
    this.pc = pc;
    this.senders = {};
    this.stream = new MediaStream();
    this.makingOffer = false;
    this.ignoring = false;
    this.before = null;
    this.mesh.show(this.id, { state: "connecting", stream: this.stream });
    pc.onnegotiationneeded = () => this.#offer();
    pc.onicecandidate = ({ candidate }) => this.#say({ candidate: candidate && candidate.toJSON() });
    pc.ontrack = ({ track }) => {
      this.stream.addTrack(track);
      this.mesh.show(this.id, { stream: this.stream });
    };
    pc.onconnectionstatechange = () => this.#watch();
    this.#guard();
  }

  // Both kinds are always negotiated, so that switching a camera on later is only a new track on the same line.
  #begin() {
    for (const kind of ["audio", "video"]) {
      const line = this.pc.addTransceiver(kind, { direction: "sendrecv" });
      this.senders[kind] = line.sender;
      line.sender.replaceTrack(this.mesh.media.track(kind));
    }
  }

  async #offer() {
    const pc = this.pc;
    try {
      this.makingOffer = true;
      await pc.setLocalDescription();
      if (pc === this.pc) this.#say({ description: pc.localDescription.toJSON() });
    } catch (error) {
      this.#report(error);
    } finally {
      this.makingOffer = false;
    }
  }

  async #handle(data) {
    if (this.ended) return;
    if (data.again) {
      if (this.starts && data.attempt === this.attempt) this.#rebuild(this.attempt + 1);
      return;
    }
    if (data.attempt < this.attempt) return;
    if (data.attempt > this.attempt) {
      this.#close();
      this.attempt = data.attempt;
      this.#build();
    }
    const pc = this.pc;
    try {
      if (data.description) await this.#describe(pc, data.description);
      else if (!this.ignoring || data.candidate === null) await pc.addIceCandidate(data.candidate ?? undefined);
    } catch (error) {
      if (!this.ignoring && pc === this.pc) this.#report(error);
    }
  }

  async #describe(pc, description) {
    const crossing = description.type === "offer" && (this.makingOffer || pc.signalingState !== "stable");
    this.ignoring = !this.polite && crossing;
    if (this.ignoring) return;
    await pc.setRemoteDescription(description);
    // Rebuilt meanwhile: this answer belongs to a connection that is no more.
    if (description.type !== "offer" || pc !== this.pc) return;
    for (const line of pc.getTransceivers()) {
      const kind = line.receiver.track.kind;
      if (!this.senders[kind]) {
        line.direction = "sendrecv";
        this.senders[kind] = line.sender;
        await line.sender.replaceTrack(this.mesh.media.track(kind));
      }
    }
    await pc.setLocalDescription();
    if (pc === this.pc) this.#say({ description: pc.localDescription.toJSON() });
  }

  #watch() {
    const state = this.pc.connectionState;
    clearTimeout(this.unstable);
    if (state === "connected") {
      clearTimeout(this.watchdog);
      this.failures = 0;
      this.mesh.show(this.id, { state: "connected" });
      this.#limit();
    } else if (state === "disconnected") {
      this.mesh.show(this.id, { state: "unstable" });
      this.unstable = setTimeout(() => this.pc.restartIce(), this.starts ? UNSTABLE_AFTER : 2 * UNSTABLE_AFTER);
      this.#guard();
    } else if (state === "failed") {
      this.#again();
    }
  }

  // Nothing came of it in time.
  #guard() {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.#again(), GIVE_UP_AFTER + 5_000 * this.failures);
  }

  #again() {
    this.failures += 1;
    this.mesh.show(this.id, { state: this.failures > 1 ? "failed" : "unstable" });
    if (this.starts) {
      this.#rebuild(this.attempt + 1);
    } else {
      this.#say({ again: true });
      this.#guard();
    }
  }

  #rebuild(attempt) {
    const failed = this.failures > 1;
    this.#close();
    this.attempt = attempt;
    this.#build();
    if (failed) this.mesh.show(this.id, { state: "failed" });
    this.#begin();
  }

  #say(data) {
    this.mesh.say({ type: "signal", to: this.id, data: { ...data, attempt: this.attempt } });
  }

  #report(error) {
    console.warn(`negotiation with ${this.id}: ${error.name}`);
  }

  async #limit() {
    const sender = this.senders.video;
    const wanted = sender?.getParameters();
    // Before the first negotiation there is no encoding to limit.
    if (!wanted?.encodings?.length || wanted.encodings[0].maxBitrate === this.bits) return;
    wanted.encodings[0].maxBitrate = this.bits;
    try {
      await sender.setParameters(wanted);
    } catch (error) {
      this.#report(error);
    }
  }

  // Once a second: how loud, how many pictures so far, and how good the line is.
  async measure() {
    if (this.pc.connectionState !== "connected") return;
    const level = this.pc.getReceivers().flatMap((receiver) => receiver.getSynchronizationSources?.() ?? []);
    const now = { frames: 0, lost: 0, got: 0, delay: 0, level: Math.max(0, ...level.map((source) => source.audioLevel ?? 0)) };
    for (const report of (await this.pc.getStats()).values()) {
      if (report.type === "inbound-rtp") {
        now.frames += report.framesDecoded ?? 0;
        now.lost += report.packetsLost ?? 0;
        now.got += report.packetsReceived ?? 0;
      } else if (report.type === "candidate-pair" && report.nominated) {
        now.delay = report.currentRoundTripTime ?? 0;
      }
    }
    const before = this.before ?? now;
    const got = now.got - before.got;
    const lost = Math.max(0, now.lost - before.lost);
    const share = got + lost ? lost / (got + lost) : 0;
    this.before = now;
    const quality = share > 0.08 || now.delay > 0.6 ? "poor" : share > 0.03 || now.delay > 0.3 ? "fair" : "good";
    this.mesh.show(this.id, { stats: { frames: now.frames, quality } });
  }

  // How loud they are now, 0 to 1.
  level() {
    const sources = this.pc.getReceivers().flatMap((receiver) => receiver.getSynchronizationSources?.() ?? []);
    return Math.max(0, ...sources.map((source) => source.audioLevel ?? 0));
  }
}
