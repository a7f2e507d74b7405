// The chat page: what the server says changes what is shown, what the user does becomes a frame.
// The frames are described in bot/platforms/web/frames.py.

import { Connection } from "./connection.js";
import { byId, randomId } from "./dom.js";
import { Outbox } from "./outbox.js";
import { Sidebar } from "./sidebar.js";
import { closeMenu, menuIsOpen, notify, showAgents, showBanner, showModel } from "./surroundings.js";
import { Transcript } from "./transcript.js";

const DRAFT = "draft";
const input = byId("input");

let current = conversationInAddress();
let loading = current !== null; // its messages have not come yet
let begun = false; // whether the list of missions has come once
const working = new Map(); // turn → what is being done

const connection = new Connection(receive, connected);
const outbox = new Outbox((frame) => connection.send(frame));
let draft = outbox.lastDraft() ?? randomId(); // names the mission that the next message begins
const sidebar = new Sidebar({
  end: (id) => ask({ type: "end_conversation", conversation_id: id }),
  older: (before) => ask({ type: "get_conversations", before }),
});
const transcript = new Transcript({
  rate: (turn, rating) => ask({ type: "rate", turn, rating }),
  decide: (approval, decision) => ask({ type: "decide", approval, decision }),
  retry,
  edit: takeBack,
});

// What the server says.

function connected(isOpen) {
  document.body.classList.toggle("offline", !isOpen);
  showBanner();
  if (!isOpen) return;
  sidebar.clearBusy();
  connection.send({ type: "get_conversations" });
  if (current) connection.send({ type: "get_conversations", conversation_id: current });
  outbox.restart();
}

function receive(frame) {
  const handlers = {
    conversations: receiveConversations,
    response_start: receiveAnswer,
    response_chunk: receiveAnswer,
    response_complete: receiveAnswer,
    approval: receiveApproval,
    status: (status) => statusHandlers[status.state]?.(status),
    error: receiveError,
  };
  handlers[frame.type]?.(frame);
  refresh();
}

const statusHandlers = {
  received: receiveReceipt,
  working: receiveWorking,
  updated: ({ conversation }) => sidebar.update(conversation),
  new: receiveNew,
  note: receiveNote,
  forgotten: receiveForgotten,
  rated: ({ turn, rating }) => changeTurn(turn, { rating: rating ?? 0 }),
  decided: receiveDecision,
  model: showModel,
};

function receiveConversations({ conversations, messages, more = false, agents }) {
  if (messages === undefined) {
    sidebar.merge(conversations, more);
    if (agents) showAgents(agents);
    openFirst();
    return;
  }
  const [conversation] = conversations;
  sidebar.update(conversation);
  if (conversation.conversation_id !== current) return;
  loading = false;
  transcript.show(messages);
  byId("earlier").hidden = !more;
  for (const { message_id, turn } of messages) {
    outbox.remove(message_id);
    if (working.has(turn)) transcript.answered(message_id, { doing: working.get(turn) });
  }
  showUnsent();
}

function openFirst() {
  const newest = sidebar.newest();
  if (!begun && !current && outbox.of(null, draft).length === 0 && newest?.status === "active") {
    go(newest.conversation_id);
  }
  begun = true;
}

function receiveReceipt({ message_id, turn, conversation_id, text, duplicate }) {
  const entry = outbox.find(message_id);
  const mine = entry && (entry.conversation_id ? entry.conversation_id === current : entry.draft === draft && !current);
  if (entry && !entry.conversation_id) outbox.settleDraft(entry.draft, conversation_id);
  outbox.remove(message_id);
  if (mine && conversation_id !== current) moveTo(conversation_id);
  if (conversation_id !== current) return;
  transcript.said(message_id, text, { turn, error: null });
  if (duplicate) ask({ type: "get_conversations", conversation_id });
}

function receiveAnswer({ type, conversation_id, message_id, turn, text, html, outcome, model, tools }) {
  const complete = type === "response_complete";
  sidebar.setBusy(conversation_id, !complete);
  if (complete) working.delete(turn);
  if (conversation_id !== current) return;
  const changes = { turn, text, html, status: complete ? outcome : "running", error: null, approval: null };
  if (complete) Object.assign(changes, { model, tools });
  transcript.answered(message_id, changes);
}

// The turn is paused: its text asks for a decision.
function receiveApproval({ conversation_id, message_id, turn, text, html, approval, expires_at }) {
  sidebar.setBusy(conversation_id, true);
  working.delete(turn);
  if (conversation_id !== current) return;
  transcript.answered(message_id, { turn, text, html, status: "running", doing: "", approval, expires_at });
}

function receiveDecision({ turn, approval, text = "" }) {
  if (transcript.byTurn(turn)?.approval === approval) changeTurn(turn, { approval: null });
  notify(text.replaceAll("`", ""));
}

function receiveWorking({ turn, text = "" }) {
  working.set(turn, text);
  changeTurn(turn, { doing: text });
}

function receiveNew({ message_id, conversation, text }) {
  sidebar.update(conversation);
  if (message_id) {
    outbox.remove(message_id);
    transcript.remove(message_id);
  }
  go(conversation.conversation_id);
  if (text) notify(text.replaceAll("`", ""));
}

function receiveNote({ message_id, html = "", file = null }) {
  const asked = outbox.find(message_id);
  outbox.remove(message_id);
  if (asked && (asked.conversation_id ?? null) !== current) return;
  transcript.answered(message_id, { html, file, note: true, status: "answered" });
}

// Everything of this browser was erased. The page that asked for it shows the receipt.
function receiveForgotten({ message_id, text = "", html = "" }) {
  sidebar.clear();
  working.clear();
  const asked = outbox.find(message_id);
  outbox.remove(message_id);
  history.replaceState(null, "", "#new");
  if (current || !asked) open(null);
  if (!asked) return;
  transcript.said(message_id, asked.text, {});
  transcript.answered(message_id, { text, html, note: true, status: "answered" });
}

function receiveError({ text, message_id, conversation_id }) {
  if (!message_id || !outbox.find(message_id)) {
    notify(text);
    if (loading && conversation_id === current) go(null);
    return;
  }
  outbox.fail(message_id, text);
  showUnsent();
}

function changeTurn(turn, changes) {
  const item = transcript.byTurn(turn);
  if (item) transcript.answered(item.messageId, changes);
}

// What the user does.

function sendMessage(text) {
  const clean = (text.toWellFormed?.() ?? text).trim();
  if (!clean) return;
  const agent = byId("agent").value || null;
  const entry = { message_id: randomId(), text: clean, conversation_id: current, draft, agent };
  transcript.said(entry.message_id, clean, {});
  transcript.toEnd();
  outbox.add(entry);
  refresh();
}

function retry(messageId) {
  const entry = outbox.find(messageId);
  if (!entry) return;
  transcript.said(messageId, entry.text, { error: null });
  outbox.retry(messageId);
}

function takeBack(messageId) {
  const entry = outbox.find(messageId);
  outbox.remove(messageId);
  transcript.remove(messageId);
  if (entry) input.value = entry.text;
  input.focus();
  fit();
  refresh();
}

function stop() {
  if (current && transcript.isAnswering) ask({ type: "stop", conversation_id: current });
}

function ask(frame) {
  if (!connection.send(frame)) notify("Not connected right now. Please try again in a moment.");
}

// Which mission is open.

function conversationInAddress() {
  const id = decodeURIComponent(location.hash.slice(1));
  return /^[a-z0-9]{1,64}$/.test(id) && id !== "input" && id !== "new" ? id : null;
}

function go(id) {
  const address = `#${id ?? "new"}`;
  if (location.hash === address) open(id);
  else location.hash = address; // hashchange opens it
}

function open(id) {
  current = id;
  loading = id !== null;
  draft = randomId();
  transcript.clear();
  byId("earlier").hidden = true;
  if (current) connection.send({ type: "get_conversations", conversation_id: current });
  closeMenu();
  showUnsent();
  refresh();
  if (matchMedia("(hover: hover)").matches) input.focus();
}

// The mission that the shown message began: what is shown stays.
function moveTo(id) {
  current = id;
  loading = false;
  history.replaceState(null, "", `#${id}`);
}

function showUnsent() {
  for (const { message_id, text, error } of outbox.of(current, draft)) transcript.said(message_id, text, { error });
}

// What is shown around it.

function refresh() {
  const conversation = current ? sidebar.get(current) : null;
  const ended = conversation?.status === "completed";
  byId("title").textContent = conversation ? conversation.title || "New mission" : "New mission";
  byId("subtitle").textContent = conversation ? `${conversation.agent} · ${conversation.status}` : "";
  byId("end").hidden = !conversation || ended;
  byId("stop").hidden = !transcript.isAnswering;
  byId("empty").hidden = !transcript.isEmpty || loading;
  input.placeholder = ended ? "This mission has ended; writing begins a new one" : "Message your agent";
  if (sidebar.current !== current) {
    sidebar.current = current;
    sidebar.render();
  }
}

function fit() {
  input.style.height = "auto";
  input.style.height = `${input.scrollHeight + input.offsetHeight - input.clientHeight}px`;
  try {
    sessionStorage.setItem(DRAFT, input.value);
  } catch {
    // No room to keep it: it is still in the box.
  }
}

// Wiring.

byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  sendMessage(input.value);
  input.value = "";
  fit();
});
input.addEventListener("input", fit);
input.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  byId("composer").requestSubmit();
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (menuIsOpen()) closeMenu();
  else stop();
});
byId("stop").addEventListener("click", stop);
byId("new").addEventListener("click", () => go(null));
byId("end").addEventListener("click", () => ask({ type: "end_conversation", conversation_id: current }));
byId("earlier").addEventListener("click", () =>
  ask({ type: "get_conversations", conversation_id: current, before: transcript.firstTurn }));
byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  input.focus();
});
for (const example of byId("examples").children) {
  example.addEventListener("click", () => sendMessage(example.textContent));
}
addEventListener("hashchange", () => {
  const id = conversationInAddress();
  if (id !== current || id === null) open(id);
});

input.value = sessionStorage.getItem(DRAFT) ?? "";
fit();
showUnsent();
refresh();
connection.open();
