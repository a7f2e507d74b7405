// The list of missions.

import { byId, element } from "./dom.js";

export class Sidebar {
  #conversations = new Map();
  #busy = new Set();
  #list = byId("conversations");
  #actions;
  current = null;

  constructor(actions) {
    this.#actions = actions;
    byId("more").addEventListener("click", () => actions.older(this.#oldest()));
  }

  get(id) {
    return this.#conversations.get(id);
  }

  newest() {
    return this.#sorted()[0];
  }

  update(conversation) {
    this.#conversations.set(conversation.conversation_id, conversation);
    this.render();
  }

  merge(conversations, more) {
    for (const conversation of conversations) this.#conversations.set(conversation.conversation_id, conversation);
    byId("more").hidden = !more;
    this.render();
  }

  clear() {
    this.#conversations.clear();
    byId("more").hidden = true;
    this.clearBusy();
  }

  setBusy(id, busy) {
    if (busy === this.#busy.has(id)) return;
    if (busy) this.#busy.add(id);
    else this.#busy.delete(id);
    this.render();
  }

  clearBusy() {
    this.#busy.clear();
    this.render();
  }

  render() {
    const active = document.activeElement?.closest("#conversations a")?.getAttribute("href");
    this.#list.replaceChildren(...this.#sorted().map((conversation) => this.#item(conversation)));
    if (active) this.#list.querySelector(`a[href="${active}"]`)?.focus();
  }

  #sorted() {
    return [...this.#conversations.values()].sort((one, other) => other.number - one.number);
  }

  #oldest() {
    return Math.min(...[...this.#conversations.values()].map((conversation) => conversation.number));
  }

  #item(conversation) {
    const id = conversation.conversation_id;
    const title = conversation.title || "Nothing said yet";
    const ended = conversation.status === "completed";
    const state = this.#busy.has(id) ? "answering…" : conversation.status;
    const link = element("a", { href: `#${id}`, "aria-current": id === this.current ? "page" : null, title },
      element("span", { class: "name" }, title),
      element("span", { class: "about" }, `${conversation.agent} · ${state}`));
    const end = ended ? null : element("button", {
      type: "button", class: "quiet end", "aria-label": `End mission: ${title}`, title: "End this mission",
      onclick: () => this.#actions.end(id) }, "End");
    return element("li", { class: ended ? "ended" : null }, link, end);
  }
}
