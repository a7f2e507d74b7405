// The WebSocket: comes back by itself, sooner when the network or the window does.

const FIRST_WAIT = 250;
const LONGEST_WAIT = 8000;

export class Connection {
  #socket = null;
  #wait = FIRST_WAIT;
  #timer = null;
  #onFrame;
  #onState;

  constructor(onFrame, onState) {
    this.#onFrame = onFrame;
    this.#onState = onState;
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
  }

  get isOpen() {
    return this.#socket !== null && this.#socket.readyState === WebSocket.OPEN;
  }

  open() {
    this.#timer = null;
    let opened = false;
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
    this.#socket = socket;
    socket.onopen = () => {
      opened = true;
      this.#wait = FIRST_WAIT;
      this.#onState(true);
    };
    socket.onmessage = (event) => this.#onFrame(JSON.parse(event.data));
    socket.onclose = () => this.#lost(opened);
  }

  // Whether the frame was handed to an open connection; whether it arrived, only an answer tells.
  send(frame) {
    if (!this.isOpen) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  #lost(opened) {
    this.#onState(false);
    if (!opened) void reloadIfLoggedOut();
    this.#timer = setTimeout(() => this.open(), this.#wait * (0.5 + Math.random() / 2));
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
  }

  #hurry() {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#wait = FIRST_WAIT;
    this.open();
  }
}

async function reloadIfLoggedOut() {
  try {
    if ((await fetch("/")).status === 401) location.reload();
  } catch {
    // Not there at all: the next attempt will tell.
  }
}
