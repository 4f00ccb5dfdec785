// What is on the screen. Text of users goes through `textContent` only.

export const $ = (id) => document.getElementById(id);
const KEPT = 300;
const GROUP_SECONDS = 300;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

const STATES = { connecting: "Connecting", reconnecting: "Reconnecting", refused: "Refused", online: "Connected" };

export function showState(state) {
  document.body.dataset.state = state;
  $("status-text").textContent = STATES[state];
}

export function showUser(user) {
  document.body.dataset.role = user?.role ?? "guest";
  $("me").textContent = user?.name ?? "";
  $("hint").textContent = user ? "" : "You are reading as a guest. Log in to write.";
}

export function toast(text, kind = "info") {
  const item = document.createElement("p");
  item.className = `toast ${kind}`;
  item.textContent = text;
  $("toasts").append(item);
  setTimeout(() => item.remove(), 6000);
}

export function showNotice(title, text) {
  $("notice-title").textContent = title;
  $("notice-text").textContent = text;
  $("notice").hidden = false;
}

function dress(item, { name, role }) {
  const avatar = item.querySelector(".avatar");
  avatar.textContent = [...name][0]?.toUpperCase() ?? "";
  avatar.style.setProperty("--hue", [...name].reduce((sum, letter) => sum * 31 + letter.codePointAt(0), 7) % 360);
  item.querySelector(".author").textContent = name;
  const badge = item.querySelector(".badge");
  badge.textContent = role;
  badge.hidden = role === "member";
}

function messageItem({ id, author, role, text, sent_at }) {
  const item = $("message-template").content.firstElementChild.cloneNode(true);
  Object.assign(item.dataset, { id, author, sentAt: sent_at });
  dress(item, { name: author, role });
  item.querySelector(".text").textContent = text;
  const sent = new Date(sent_at * 1000);
  const today = sent.toDateString() === new Date().toDateString();
  const time = item.querySelector("time");
  time.dateTime = sent.toISOString();
  time.textContent = today ? clock.format(sent) : `${day.format(sent)}, ${clock.format(sent)}`;
  return item;
}

// The messages that one author sends in a row share one head.
function arrange() {
  let previous = null;
  for (const item of $("messages").children) {
    const together = previous?.author === item.dataset.author && item.dataset.sentAt - previous.sentAt < GROUP_SECONDS;
    item.classList.toggle("follows", together);
    previous = item.dataset;
  }
  $("empty").hidden = previous !== null;
}

export function showHistory(messages) {
  $("messages").replaceChildren(...messages.map(messageItem));
  arrange();
  $("scroller").scrollTop = $("scroller").scrollHeight;
}

export function addMessage(message) {
  const scroller = $("scroller");
  const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
  $("messages").append(messageItem(message));
  while ($("messages").children.length > KEPT) $("messages").firstElementChild.remove();
  arrange();
  if (atEnd) scroller.scrollTop = scroller.scrollHeight;
}

export function removeMessage(id) {
  $("messages").querySelector(`[data-id="${Number(id)}"]`)?.remove();
  arrange();
}

const RANK = { guest: -1, member: 0, moderator: 1, admin: 2 };

export function showPeople({ users, guests }, me) {
  const items = users.map((user) => {
    const item = $("person-template").content.firstElementChild.cloneNode(true);
    dress(item, user);
    const button = item.querySelector(".remove");
    button.dataset.user = user.id;
    button.dataset.name = user.name;
    button.querySelector(".sr-only").textContent = ` ${user.name}`;
    button.hidden = RANK[user.role] >= RANK[me?.role ?? "guest"];
    return item;
  });
  $("online").replaceChildren(...items);
  $("guests").textContent = guests === 0 ? "" : `and ${guests} ${guests === 1 ? "guest" : "guests"} reading along`;
  $("people-count").textContent = users.length + guests;
}
