// The messages of the open mission: a list item per turn, holding what was said and the answer.

import { byId, element, setHtml } from "./dom.js";

const OPEN = new Set(["waiting", "queued", "running"]);
const NEAR = 80;
const KEPT_MINUTES = 10; // how long the server keeps a file

export class Transcript {
  #items = new Map();
  #list = byId("messages");
  #scroll = byId("scroll");
  #actions;

  constructor(actions) {
    this.#actions = actions;
  }

  get isEmpty() {
    return this.#items.size === 0;
  }

  get isAnswering() {
    return [...this.#items.values()].some((item) => item.turn && OPEN.has(item.status));
  }

  get firstTurn() {
    return Math.min(...[...this.#items.values()].map((item) => item.turn ?? Infinity));
  }

  clear() {
    this.#items.clear();
    this.#list.replaceChildren();
  }

  // A page of stored messages, oldest first: the newest replaces what is there, an older one goes before it.
  show(messages) {
    const older = messages.length > 0 && messages.at(-1).turn < this.firstTurn && Number.isFinite(this.firstTurn);
    const height = this.#scroll.scrollHeight;
    const kept = older ? [...this.#list.children] : [];
    const notes = older ? [] : this.#notes();
    if (!older) this.clear();
    for (const message of messages) this.#put(message);
    this.#list.append(...kept);
    for (const note of notes) this.#putBack(note);
    if (older) this.#scroll.scrollTop += this.#scroll.scrollHeight - height;
    else this.toEnd();
  }

  // What the user said. `changes`: turn, status, error.
  said(messageId, text, changes) {
    this.#sticking(() => {
      const item = this.#item(messageId);
      item.question.textContent = text;
      Object.assign(item, changes);
      this.#dress(item);
    });
  }

  // The answer so far. `changes`: turn, text, html, status, doing, model, tools, rating, note, file, approval,
  // expires_at.
  answered(messageId, changes) {
    this.#sticking(() => {
      const item = this.#item(messageId);
      Object.assign(item, changes);
      if (changes.html !== undefined) setHtml(item.answer, changes.html);
      this.#dress(item);
    });
  }

  byTurn(turn) {
    return [...this.#items.values()].find((item) => item.turn === turn);
  }

  remove(messageId) {
    this.#items.get(messageId)?.element.remove();
    this.#items.delete(messageId);
  }

  toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }

  #put(message) {
    const item = this.#item(message.message_id);
    item.question.textContent = message.text;
    setHtml(item.answer, message.html);
    item.element.title = new Date(message.created_at).toLocaleString();
    const { turn, status, model, tools, rating, answer: text, approval, expires_at } = message;
    Object.assign(item, { turn, status, model, tools, rating, text, approval, expires_at });
    this.#dress(item);
  }

  // What is shown only here, each with the id of the message before it.
  #notes() {
    const items = [...this.#items.values()];
    const before = ({ element: { previousElementSibling: there } }) => items.find((item) => item.element === there);
    return items.filter((item) => item.note).map((item) => ({ item, after: before(item)?.messageId }));
  }

  #putBack({ item, after }) {
    this.#items.set(item.messageId, item);
    const there = this.#items.get(after)?.element;
    if (there) there.after(item.element);
    else this.#list.prepend(item.element);
  }

  #item(messageId) {
    const known = this.#items.get(messageId);
    if (known) return known;
    const question = element("p", { class: "said", dir: "auto" });
    const answer = element("div", { class: "answer", dir: "auto" });
    const doing = element("p", { class: "doing" });
    const foot = element("div", { class: "foot" });
    const item = { messageId, question, answer, doingLine: doing, foot, status: "waiting", rating: 0, text: "" };
    item.element = element("li", {}, question, answer, doing, foot);
    this.#items.set(messageId, item);
    this.#list.append(item.element);
    return item;
  }

  #dress(item) {
    const open = OPEN.has(item.status) && !item.error;
    const asking = open && item.approval;
    const state = item.error ? "refused" : asking ? "asking" : item.status;
    item.element.className = `turn ${state}${item.note ? " note" : ""}`;
    item.element.setAttribute("aria-busy", String(open && !asking));
    item.doingLine.textContent = open ? item.doing || (item.text ? "" : doingNothing(item)) : "";
    item.doingLine.hidden = item.doingLine.textContent === "";
    item.answer.hidden = !item.answer.hasChildNodes();
    if (asking && item.foot.dataset.approval === String(item.approval)) return; // whoever is on a button stays there
    item.foot.dataset.approval = asking ? item.approval : "";
    item.foot.replaceChildren(...(asking ? this.#decision(item) : this.#foot(item, open)));
  }

  #foot(item, open) {
    if (item.error) return this.#refusal(item);
    if (item.note) return [...this.#download(item.file), element("span", {}, noteCaption(item.file))];
    if (open || !item.turn) return [];
    const tools = item.tools?.length ? `used ${item.tools.join(", ")}` : "";
    const caption = [item.model, tools].filter(Boolean).join(" · ");
    const copy = navigator.clipboard
      ? this.#button("Copy", "Copy the answer", () => navigator.clipboard.writeText(item.text)) : null;
    const rated = item.status === "answered" ? [this.#thumb(item, 1), this.#thumb(item, -1)] : [];
    return [...rated, ...(copy ? [copy] : []), element("span", { class: "caption" }, caption)];
  }

  #download(file) {
    if (!file) return [];
    return [element("a", { class: "download", href: file.url, download: file.name }, `Download ${file.name}`)];
  }

  #decision(item) {
    const until = new Date(item.expires_at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const decide = (decision) => () => this.#actions.decide(item.approval, decision);
    return [element("div", { class: "decision", role: "group", "aria-label": "Your decision" },
      element("button", { type: "button", onclick: decide("approve") }, "Approve"),
      element("button", { type: "button", class: "quiet", onclick: decide("decline") }, "Decline"),
      element("span", { class: "caption" }, `until ${until}, your time`))];
  }

  #refusal(item) {
    return [
      element("span", { class: "error", role: "alert" }, item.error),
      this.#button("Try again", "Send this message again", () => this.#actions.retry(item.messageId)),
      this.#button("Edit", "Put this message back into the box", () => this.#actions.edit(item.messageId)),
    ];
  }

  #thumb(item, rating) {
    const label = rating > 0 ? "Good answer" : "Bad answer";
    const pressed = item.rating === rating;
    const button = this.#button("", label, () => this.#actions.rate(item.turn, pressed ? 0 : rating));
    button.classList.add("thumb", rating > 0 ? "up" : "down");
    button.setAttribute("aria-pressed", String(pressed));
    return button;
  }

  #button(text, label, onclick) {
    return element("button", { type: "button", class: "quiet", "aria-label": label, title: label, onclick }, text);
  }

  // Follow the end of the text only if that is what the reader looks at.
  #sticking(change) {
    const box = this.#scroll;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
    change();
    if (atEnd) this.toEnd();
  }
}

function noteCaption(file) {
  const about = file ? `${sizeOf(file.size)}, once, within ${KEPT_MINUTES} minutes · ` : "";
  return `${about}Only you see this`;
}

function sizeOf(bytes) {
  const [unit, divisor] = bytes < 1e3 ? ["byte", 1] : bytes < 1e6 ? ["kilobyte", 1e3] : ["megabyte", 1e6];
  const style = { style: "unit", unit, unitDisplay: unit === "byte" ? "long" : "short", maximumFractionDigits: 1 };
  return new Intl.NumberFormat(document.documentElement.lang, style).format(bytes / divisor);
}

function doingNothing(item) {
  return item.turn ? "waiting…" : "sending…";
}
