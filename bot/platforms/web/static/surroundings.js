// What is around the messages: which model answers, banner, notice, the menu of a narrow page.

import { byId, element } from "./dom.js";

const NOTICE_MS = 8000;
let noticeTimer = 0;

export function showModel({ model = "", health = "", text = "" }) {
  const [provider, ...name] = model.split("/");
  byId("model").dataset.health = health;
  byId("model").title = text;
  byId("model-name").textContent = `${name.join("/")} · ${health === "ready" ? provider : health}`;
  byId("model").dataset.detail = health === "ready" ? "" : text;
  showBanner();
}

export function showBanner() {
  const offline = document.body.classList.contains("offline");
  const banner = byId("banner");
  banner.textContent = offline ? "Reconnecting… your messages are kept." : byId("model").dataset.detail ?? "";
  banner.hidden = banner.textContent === "";
}

export function showAgents(agents) {
  const chosen = byId("agent").value;
  const options = agents.map(({ name, description }) =>
    element("option", { value: name, selected: name === chosen }, `${name}: ${description}`));
  byId("agent").replaceChildren(element("option", { value: "" }, "the usual agent"), ...options);
  byId("agent-choice").hidden = agents.length < 2;
}

export function notify(text) {
  const notice = byId("notice");
  notice.textContent = text;
  notice.hidden = false;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => { notice.hidden = true; }, NOTICE_MS);
}

export function menuIsOpen() {
  return document.body.classList.contains("menu");
}

function openMenu() {
  document.body.classList.add("menu");
  byId("shade").hidden = false;
  byId("menu").setAttribute("aria-expanded", "true");
  byId("new").focus();
}

export function closeMenu() {
  document.body.classList.remove("menu");
  byId("shade").hidden = true;
  byId("menu").setAttribute("aria-expanded", "false");
}

byId("menu").addEventListener("click", () => (menuIsOpen() ? closeMenu() : openMenu()));
byId("shade").addEventListener("click", closeMenu);
byId("notice").addEventListener("click", () => { byId("notice").hidden = true; });
