// Messages that the server has not confirmed. They survive a reload, and are sent again after a reconnect: under the
// same id, so that the server takes each of them once.
//
// An entry: {message_id, text, conversation_id, draft, agent, error}. `draft` names a conversation that does not exist
// yet; its second message waits until the first one has made it.

const KEY = "outbox";

export class Outbox {
  #entries = load();
  #sent = new Set();
  #send;

  constructor(send) {
    this.#send = send;
  }

  add(entry) {
    this.#entries.push({ error: null, ...entry });
    this.#save();
    this.flush();
  }

  find(messageId) {
    return this.#entries.find((entry) => entry.message_id === messageId);
  }

  of(conversationId, draft) {
    return this.#entries.filter((entry) =>
      conversationId ? entry.conversation_id === conversationId : !entry.conversation_id && entry.draft === draft);
  }

  // After a reload: the mission that was being begun.
  lastDraft() {
    return this.#entries.filter((entry) => !entry.conversation_id).at(-1)?.draft;
  }

  // The connection is new: what was sent on the old one may be lost.
  restart() {
    this.#sent.clear();
    this.flush();
  }

  // The server has it, or the user gave it up.
  remove(messageId) {
    this.#entries = this.#entries.filter((entry) => entry.message_id !== messageId);
    this.#save();
    this.flush();
  }

  settleDraft(draft, conversationId) {
    for (const entry of this.#entries) {
      if (!entry.conversation_id && entry.draft === draft) entry.conversation_id = conversationId;
    }
    this.#save();
  }

  fail(messageId, error) {
    const entry = this.find(messageId);
    if (!entry) return;
    entry.error = error;
    this.#save();
    this.flush();
  }

  retry(messageId) {
    const entry = this.find(messageId);
    if (!entry) return;
    entry.error = null;
    this.#sent.delete(messageId);
    this.#save();
    this.flush();
  }

  flush() {
    const drafts = new Set();
    for (const entry of this.#entries) {
      if (entry.error) continue;
      const held = !entry.conversation_id && drafts.has(entry.draft);
      if (!entry.conversation_id) drafts.add(entry.draft);
      if (!held && !this.#sent.has(entry.message_id) && this.#send(frameOf(entry))) this.#sent.add(entry.message_id);
    }
  }

  #save() {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(this.#entries));
    } catch {
      // Storage is full or switched off: the entries are still kept until the page is closed.
    }
  }
}

function frameOf({ message_id, text, conversation_id, agent }) {
  const frame = { type: "message", message_id, text };
  if (conversation_id) frame.conversation_id = conversation_id;
  else if (agent) frame.agent = agent;
  return frame;
}

function load() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
}
