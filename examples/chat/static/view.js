// Shows everything on the page. What users write is set by `textContent` only.

export const $ = (id) => document.getElementById(id);

const KEPT = 300;
const GROUP_SECONDS = 300;
const RANK = { guest: -1, member: 0, moderator: 1, admin: 2 };
const STATES = {
  online: "Connected",
  reconnecting: "Reconnecting",
  broken: "Not connected",
};
const LONGEST = 1000;

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const moment = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

let me = null;
let people = { users: [], guests: 0 };
let suspensions = [];

export function showState(state) {
  document.body.dataset.state = state;
  $("status-text").textContent = STATES[state];
}

export function showUser(user) {
  me = user;
  document.body.dataset.role = user?.role ?? "guest";
  $("me").textContent = user?.name ?? "";
  showPeople(people);
  showSuspensions(user ? suspensions : []);
}

export function toast(text, kind) {
  const item = document.createElement("p");
  item.className = `toast ${kind}`;
  item.textContent = text;
  $("toasts").replaceChildren(item);
  setTimeout(() => item.remove(), 4000);
}

/** Shows why the user is a guest now. The first reason stays until the user closes it. */
export function explain(text) {
  if (!$("notice").hidden) return;
  $("notice-text").textContent = text;
  $("notice").hidden = false;
}

export function dismissNotice() {
  $("notice").hidden = true;
}

export const isPanelShown = () => document.body.classList.contains("panel-shown");

/** Shows or hides the list of people on a phone. */
export function showPanel(shown) {
  const changed = document.body.classList.toggle("panel-shown", shown) !== ($("people-button").ariaExpanded === "true");
  $("people-button").ariaExpanded = String(shown);
  if (changed) $(shown ? "people-close" : "people-button").focus();
}

/** Shows that the page cannot work, because a script is missing. */
export function showBroken() {
  showState("broken");
  $("empty").querySelector("h2").textContent = "A part of the page is missing";
  $("empty").querySelector("p").textContent = "It could not be loaded. Reload the page when you are online.";
  $("empty").role = "alert";
}

/** Shows how long a message is, once it is nearly too long. The server counts characters too, not UTF-16 units. */
export function showLength(text) {
  const length = [...text.trim()].length;
  $("length").textContent = length > LONGEST * 0.9 ? `${length} of ${LONGEST} characters` : "";
  $("length").classList.toggle("too-long", length > LONGEST);
}

// Messages

const scroller = $("scroller");
let isAtEnd = true;

// The newest messages stay in view when the page or the messages change their size, as after a login.
scroller.addEventListener("scroll", () => (isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80));
const sizes = new ResizeObserver(() => {
  if (isAtEnd) scrollToEnd();
});
sizes.observe(scroller);
sizes.observe($("messages"));

function scrollToEnd() {
  isAtEnd = true;
  scroller.scrollTop = scroller.scrollHeight;
}

/** Returns the colour of a name. Similar names get different colours. */
const hue = (name) => ([...name].reduce((sum, letter) => sum * 31 + letter.codePointAt(0), 0) * 137.5) % 360;

function fromTemplate(id, { name, role }) {
  const item = $(id).content.firstElementChild.cloneNode(true);
  const avatar = item.querySelector(".avatar");
  avatar.textContent = [...name][0].toUpperCase();
  avatar.style.setProperty("--hue", hue(name));
  item.querySelector(".author").textContent = name;
  const badge = item.querySelector(".badge");
  badge.textContent = role;
  badge.hidden = role === "member";
  return item;
}

function messageItem({ id, author, role, text, sent_at }) {
  const item = fromTemplate("message-template", { name: author, role });
  const sent = new Date(sent_at * 1000);
  Object.assign(item.dataset, { id, author, sentAt: sent_at, day: day.format(sent) });
  item.querySelector(".text").textContent = text;
  const time = item.querySelector("time");
  time.dateTime = sent.toISOString();
  time.textContent = clock.format(sent);
  time.title = `${day.format(sent)}, ${clock.format(sent)}`;
  return item;
}

// Groups messages: one head for consecutive messages of an author, and one line above the messages of a day.
function arrange() {
  let previous = {};
  for (const item of $("messages").children) {
    const { author, sentAt, day } = item.dataset;
    const sameDay = day === previous.day;
    item.classList.toggle("first-of-day", !sameDay);
    item.classList.toggle(
      "follows",
      sameDay && author === previous.author && sentAt - previous.sentAt < GROUP_SECONDS,
    );
    previous = item.dataset;
  }
  $("empty").hidden = $("messages").childElementCount > 0;
  stopAt(document.activeElement?.closest(".message") ?? $("messages").lastElementChild);
}

/** Lets Tab stop at one message only, the newest at first, because each of them has a button. */
function stopAt(message) {
  for (const button of $("messages").querySelectorAll(".delete")) button.tabIndex = -1;
  const button = message?.querySelector(".delete");
  if (button) button.tabIndex = 0;
  return button;
}

/** Moves the focus from the button of a message to that of the next one with the arrow keys. */
export function moveInMessages(event) {
  const message = event.target.closest(".delete")?.closest(".message");
  const next = { ArrowUp: message?.previousElementSibling, ArrowDown: message?.nextElementSibling }[event.key];
  if (!next) return;
  event.preventDefault();
  stopAt(next).focus();
}

/** Marks all messages as outdated when the connection is lost, because some may be deleted meanwhile. */
export function outdateMessages() {
  for (const item of $("messages").children) item.classList.add("outdated");
}

/** Shows the history, and keeps newer messages that arrived before it. */
export function showHistory(messages) {
  const last = messages.at(-1)?.id ?? 0;
  const current = [...$("messages").querySelectorAll(".message:not(.outdated)")];
  const newer = current.filter((item) => item.dataset.id > last);
  $("messages").replaceChildren(...messages.map(messageItem), ...newer);
  arrange();
  scrollToEnd();
}

export function addMessage(message) {
  $("messages").append(messageItem(message));
  if ($("messages").childElementCount > KEPT) $("messages").firstElementChild.remove();
  arrange();
  if (isAtEnd || message.author === me?.name) scrollToEnd();
  $("spoken").textContent = `${message.author}: ${message.text}`;
}

export function removeMessage(id) {
  $("messages").querySelector(`[data-id="${Number(id)}"]`)?.remove();
  arrange();
}

// People

function personItem(user) {
  const item = fromTemplate("person-template", user);
  Object.assign(item.dataset, { id: user.id, name: user.name });
  item.classList.toggle("me", user.id === me?.id);
  item.querySelector(".whom").textContent = user.name;
  item.querySelector(".eject").hidden = RANK[user.role] >= RANK[me?.role ?? "guest"];
  return item;
}

export function showPeople(now) {
  people = now;
  const { users, guests } = people;
  $("online").replaceChildren(...users.map(personItem));
  $("nobody").hidden = users.length > 0;
  $("guests").textContent = guests === 1 ? "1 guest is reading" : `${guests} guests are reading`;
  $("guests").hidden = guests === 0;
  $("people-count").textContent = users.length + guests;
}

/** Shows moderators who is suspended. */
export function showSuspensions(now) {
  suspensions = now;
  $("suspensions").replaceChildren(
    ...suspensions.map((user) => {
      const item = $("suspension-template").content.firstElementChild.cloneNode(true);
      Object.assign(item.dataset, { id: user.id, name: user.name });
      item.querySelector(".author").textContent = item.querySelector(".whom").textContent = user.name;
      item.querySelector(".why").textContent = user.reason;
      item.querySelector(".lift").hidden = RANK[user.role] >= RANK[me?.role ?? "guest"];
      return item;
    }),
  );
  $("suspended").hidden = suspensions.length === 0;
}

// Devices

export function showDevices(devices) {
  const focused = document.activeElement?.closest(".device")?.dataset.id;
  $("device-list").replaceChildren(...devices.map(deviceItem));
  $("end-others").hidden = devices.length < 2;
  if (!focused) return;
  // The focus stays where it was, or goes on if its device is gone.
  const button = $("device-list").querySelector(`[data-id="${CSS.escape(focused)}"] .end`);
  (button ?? $("devices").querySelector("[data-close]")).focus();
}

function deviceItem({ id, browser, begun_at, is_connected, is_this }) {
  const item = $("device-template").content.firstElementChild.cloneNode(true);
  const since = moment.format(new Date(begun_at * 1000));
  Object.assign(item.dataset, { id, name: browser });
  item.classList.toggle("this", is_this);
  item.querySelector(".browser").textContent = browser;
  item.querySelector(".badge").hidden = !is_this;
  item.querySelector(".since").textContent = `Logged in ${since}`;
  item.querySelector(".state").textContent = is_connected ? "Connected now" : "Not connected now";
  item.querySelector(".which").textContent = `${browser}, logged in ${since}`;
  item.querySelector(".end").hidden = is_this;
  return item;
}
