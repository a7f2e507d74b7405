// The messages of the open mission: a list item per turn, holding what was said and the answer.

import { byId, element, setHtml } from "./dom.js";

const OPEN = new Set(["waiting", "queued", "running"]);
const NEAR = 80;

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
    if (!older) this.clear();
    for (const message of messages) this.#put(message);
    this.#list.append(...kept);
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

  // The answer so far. `changes`: turn, text, html, status, doing, model, tools, rating, note.
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
    const { turn, status, model, tools, rating, answer: text } = message;
    Object.assign(item, { turn, status, model, tools, rating, text });
    this.#dress(item);
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
    item.element.className = `turn ${item.error ? "refused" : item.status}${item.note ? " note" : ""}`;
    item.element.setAttribute("aria-busy", String(open));
    item.doingLine.textContent = open ? item.doing || (item.text ? "" : doingNothing(item)) : "";
    item.doingLine.hidden = item.doingLine.textContent === "";
    item.answer.hidden = !item.answer.hasChildNodes();
    item.foot.replaceChildren(...this.#foot(item, open));
  }

  #foot(item, open) {
    if (item.error) return this.#refusal(item);
    if (item.note) return [element("span", {}, "Only you see this")];
    if (open || !item.turn) return [];
    const tools = item.tools?.length ? `used ${item.tools.join(", ")}` : "";
    const caption = [item.model, tools].filter(Boolean).join(" · ");
    const copy = navigator.clipboard
      ? this.#button("Copy", "Copy the answer", () => navigator.clipboard.writeText(item.text)) : null;
    const rated = item.status === "answered" ? [this.#thumb(item, 1), this.#thumb(item, -1)] : [];
    return [...rated, ...(copy ? [copy] : []), element("span", { class: "caption" }, caption)];
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

function doingNothing(item) {
  return item.turn ? "waiting…" : "sending…";
}
