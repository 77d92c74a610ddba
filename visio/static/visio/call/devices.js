// One's own camera and microphone: asks for them, says in which way that failed, changes them, and measures the voice.

const AUDIO = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const VIDEO = { width: { ideal: 960 }, height: { ideal: 540 }, frameRate: { ideal: 24, max: 30 } };
const KINDS = { mic: "audio", camera: "video" };
const INPUTS = { mic: "audioinput", camera: "videoinput", speaker: "audiooutput" };
const FAULTS = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

export const canChooseSpeaker = "setSinkId" in HTMLMediaElement.prototype;

export class Devices extends EventTarget {
  constructor() {
    super();
    this.tracks = { mic: null, camera: null };
    this.wanted = { mic: true, camera: true };
    this.faults = { mic: "", camera: "" };
    // What the browser is being asked for now: {mic: promise, camera: promise}. Another object after every stop().
    this.asked = {};
    this.chosen = { mic: remembered("mic"), camera: remembered("camera"), speaker: remembered("speaker") };
    this.lists = { mic: [], camera: [], speaker: [] };
    this.samples = new Float32Array(1024);
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#list());
  }

  // The track to send for "audio" or "video"; null when it is off or there is none.
  track(kind) {
    return kind === "audio" ? this.tracks.mic : this.tracks.camera;
  }

  isOn(what) {
    return this.wanted[what] && this.tracks[what] !== null;
  }

  // Asks for both at once, so that the browser asks the person once; then for each alone where that failed.
  async start() {
    if (!navigator.mediaDevices?.getUserMedia) {
      this.faults = { mic: "insecure", camera: "insecure" };
      this.#changed("mic", "camera");
      return;
    }
    await this.#get(["mic", "camera"].filter((what) => this.wanted[what] && !this.tracks[what]));
    await this.#list();
    this.#changed("mic", "camera");
  }

  // Switches on or off. A camera that is off is let go of, so that its light goes out; a microphone only falls silent.
  async toggle(what) {
    if (this.isOn(what)) {
      this.wanted[what] = false;
      if (what === "camera") this.#drop(what);
      else this.tracks.mic.enabled = false;
    } else {
      this.wanted[what] = true;
      if (this.tracks[what]) this.tracks[what].enabled = true;
      else await this.#get([what]);
      await this.#list();
    }
    this.#changed(what);
  }

  async choose(what, id) {
    this.chosen[what] = id;
    remember(what, id);
    if (what !== "speaker" && this.wanted[what]) {
      // Another one may be on its way: it must not arrive after this one.
      await this.asked[what];
      this.#drop(what);
      await this.#get([what]);
    }
    this.#changed(what);
  }

  // Lets go of everything, also of what is still to come: the lights go out.
  stop() {
    this.asked = {};
    this.#drop("mic");
    this.#drop("camera");
    this.#changed("mic", "camera");
  }

  // How loud one's voice is now, 0 (silence) to 1.
  level() {
    if (!this.analyser || !this.isOn("mic")) return 0;
    this.analyser.getFloatTimeDomainData(this.samples);
    let sum = 0;
    for (const sample of this.samples) sum += sample * sample;
    return Math.min(1, Math.sqrt(sum / this.samples.length) * 4);
  }

  // The browser lets sound be measured and played only after the person did something.
  resume() {
    if (this.context?.state === "suspended") this.context.resume();
  }

  // A short sound in the chosen speaker.
  async test() {
    const context = this.#sound();
    this.resume();
    const out = context.createMediaStreamDestination();
    const player = new Audio();
    player.srcObject = out.stream;
    if (canChooseSpeaker && this.chosen.speaker) await player.setSinkId(this.chosen.speaker).catch(() => this.choose("speaker", ""));
    await player.play();
    for (const [index, pitch] of [523.25, 659.25, 783.99].entries()) {
      const tone = context.createOscillator();
      const volume = context.createGain();
      const at = context.currentTime + 0.1 + index * 0.22;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0, at);
      volume.gain.linearRampToValueAtTime(0.25, at + 0.03);
      volume.gain.exponentialRampToValueAtTime(0.001, at + 0.4);
      tone.connect(volume).connect(out);
      tone.start(at);
      tone.stop(at + 0.45);
    }
  }

  #wish(what) {
    const shape = what === "mic" ? AUDIO : VIDEO;
    return this.chosen[what] ? { ...shape, deviceId: { ideal: this.chosen[what] } } : { ...shape };
  }

  // Asks for these, except for what is being asked for already; resolves when all of them are settled.
  #get(whats) {
    const asked = this.asked;
    const rest = whats.filter((what) => !asked[what]);
    if (rest.length) {
      const attempt = this.#try(rest).finally(() => {
        for (const what of rest) delete asked[what];
      });
      for (const what of rest) asked[what] = attempt;
    }
    return Promise.all(whats.map((what) => asked[what]));
  }

  async #try(whats) {
    const asked = this.asked;
    try {
      const wish = Object.fromEntries(whats.map((what) => [KINDS[what], this.#wish(what)]));
      const stream = await navigator.mediaDevices.getUserMedia(wish);
      for (const track of stream.getTracks()) {
        // Left meanwhile: nobody wants it any more.
        if (asked !== this.asked) track.stop();
        else this.#take(track.kind === "audio" ? "mic" : "camera", track);
      }
    } catch (error) {
      if (!(error.name in FAULTS)) throw error;
      if (asked !== this.asked) return;
      if (whats.length === 1) this.faults[whats[0]] = FAULTS[error.name];
      else for (const what of whats) await this.#try([what]);
    }
  }

  #take(what, track) {
    this.faults[what] = "";
    this.tracks[what] = track;
    track.enabled = this.wanted[what];
    // Unplugged, or taken back by the person in the browser's own menu: try once with what is left.
    track.onended = async () => {
      if (this.tracks[what] !== track) return;
      this.tracks[what] = null;
      await this.#get([what]);
      if (!this.tracks[what]) this.faults[what] = "lost";
      await this.#list();
      this.#changed(what);
    };
    if (what === "mic") this.#listen(track);
  }

  #drop(what) {
    const track = this.tracks[what];
    this.tracks[what] = null;
    if (what === "mic") this.source?.disconnect();
    if (track) {
      track.onended = null;
      track.stop();
    }
  }

  #sound() {
    this.context ??= new AudioContext();
    return this.context;
  }

  #listen(track) {
    const context = this.#sound();
    this.source?.disconnect();
    this.source = context.createMediaStreamSource(new MediaStream([track]));
    this.analyser ??= new AnalyserNode(context, { fftSize: 1024 });
    this.source.connect(this.analyser);
  }

  async #list() {
    if (!navigator.mediaDevices?.enumerateDevices) return;
    const found = await navigator.mediaDevices.enumerateDevices();
    for (const [what, kind] of Object.entries(INPUTS)) {
      // Before permission is given, browsers list devices without a name or an id: nothing to choose from.
      this.lists[what] = found.filter((device) => device.kind === kind && device.deviceId);
    }
    this.dispatchEvent(new Event("list"));
  }

  #changed(...whats) {
    for (const what of whats) this.dispatchEvent(new CustomEvent("change", { detail: what }));
  }
}

function remembered(what) {
  try {
    return localStorage.getItem(`call.${what}`) ?? "";
  } catch {
    return ""; // Storage may be forbidden; then nothing is remembered.
  }
}

function remember(what, id) {
  try {
    localStorage.setItem(`call.${what}`, id);
  } catch {
    // The choice lasts as long as the page.
  }
}
