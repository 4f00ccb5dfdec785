// The socket, and the actions of the buttons.

import * as session from "./session.js";
import * as view from "./view.js";

const { $ } = view;

const WORDS = {
  login_required: "Log in to do that.",
  forbidden: "Only moderators may do that.",
  token_expired: "Your session has expired.",
  user_not_found: "Your session has ended.",
  internal_error: "The server has a problem. Try again in a moment.",
};

/** A refusal by the server, with its `code`, and the `action` that the server recommends. */
class Refused extends Error {
  constructor({ code, message, action }) {
    super(WORDS[code] ?? message);
    this.code = code;
    this.action = action;
  }
}

// `io` is the global name of socket.io-client.
const socket = window.io({ autoConnect: false, reconnectionDelayMax: 3000, auth: identify });

/** Sends a fresh token with every connection, or none for a guest. */
function identify(send) {
  const before = session.user;
  session.renew().then(
    (token) => {
      if (before && !token) view.explain("You are logged out.");
      send(token ? { token } : {});
    },
    // The client library opens a closed connection again.
    () => socket.io.engine.close(),
  );
}

/** Sends an event and returns the server's answer. */
async function emit(event, ...data) {
  if (!socket.connected) throw new Error("Not connected. Try again in a moment.");
  const answer = await socket
    .timeout(5000)
    .emitWithAck(event, ...data)
    .catch(() => {
      throw new Error("The server does not answer. Try again in a moment.");
    });
  if (answer?.error) throw new Refused(answer.error);
  return answer;
}

// After a refusal, or a disconnect by the server, socket.io-client does not connect again, so the page does.
const connectAfter = (delay) => setTimeout(() => socket.connect(), delay);

socket.on("connect", () => {
  view.showState("online");
  view.showUser(session.user);
  if (session.user) view.dismissNotice();
});

socket.on("disconnect", (reason) => {
  view.showState("reconnecting");
  view.outdateMessages();
  if (reason === "io server disconnect") connectAfter(300);
});

socket.on("connect_error", ({ message }) => {
  view.showState("reconnecting");
  if (socket.active) return; // socket.io-client tries again.
  view.explain(WORDS[message] ?? message);
  connectAfter(3000);
});

// An event was refused, or the session has ended. If it has expired, the next connection begins a new one.
socket.on("unauthorized", (error) => {
  const { message } = new Refused(error);
  if (error.event) view.toast(message, "bad");
  else if (error.code !== "token_expired") view.explain(message);
});

socket.on("token_expiring", async () => {
  try {
    const token = await session.renew();
    if (token) await emit("authenticate", { token });
  } catch (error) {
    // In another window this browser has logged in as another user. After other errors the next connection renews.
    if (error.action === "reconnect") socket.disconnect().connect();
  }
});

socket.on("history", view.showHistory);
socket.on("message", view.addMessage);
socket.on("deleted", view.removeMessage);
socket.on("presence", view.showPeople);

/** Shows an error of an action. */
const orToast = (work) => work.catch((error) => view.toast(error.message, "bad"));

// Writing

let posting = false;

async function post() {
  const text = $("text").value.trim();
  if (!text || posting) return;
  posting = true;
  try {
    await emit("post", text);
    $("text").value = "";
  } catch (error) {
    if (error.code !== "login_required") throw error;
    openLogin("Log in, and your message is sent.");
  } finally {
    posting = false;
  }
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  orToast(post());
});
$("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("composer").requestSubmit();
});

// Logging in and out

const WHERE_TO_FIND = $("login-why").textContent;
let postAfterLogin;

function openLogin(why) {
  postAfterLogin = why !== undefined;
  $("login-why").textContent = why ?? WHERE_TO_FIND;
  openDialog($("login"));
}

async function logIn() {
  const token = await session.login($("name").value, $("password").value);
  // Logs in on the open socket. If the connection is lost just now, the next one sends the token.
  if (socket.connected) await emit("authenticate", { token });
  view.showUser(session.user);
  view.dismissNotice();
  view.toast(`Welcome, ${session.user.name}.`, "good");
  if (postAfterLogin) await orToast(post());
}

$("open-login").addEventListener("click", () => openLogin());
$("logout").addEventListener("click", () => orToast(session.logout()));

// Moderating

let chosen;
$("messages").addEventListener("click", (event) => {
  if (!event.target.closest(".delete")) return;
  orToast(emit("delete", Number(event.target.closest(".message").dataset.id)));
});
$("online").addEventListener("click", (event) => {
  if (!event.target.closest(".eject")) return;
  chosen = event.target.closest(".person").dataset;
  $("eject-title").textContent = `Disconnect ${chosen.name}?`;
  view.showPanel(false);
  openDialog($("eject"));
});

async function eject() {
  await emit("disconnect_user", Number(chosen.id), $("reason").value);
  view.toast(`${chosen.name} was disconnected.`, "good");
}

// Dialogs, and the list of people, which a phone shows when its button is pressed

function openDialog(dialog) {
  dialog.querySelector("form").reset();
  dialog.querySelector(".error").textContent = "";
  dialog.showModal();
}

for (const [id, work] of Object.entries({ login: logIn, eject })) {
  const dialog = $(id);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
  dialog.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = dialog.querySelector("[type=submit]");
    const output = dialog.querySelector(".error");
    button.disabled = true;
    output.textContent = "";
    try {
      await work();
      dialog.close();
      $("text").focus();
    } catch (error) {
      output.textContent = error.message;
    }
    button.disabled = false;
  });
}

$("people-button").addEventListener("click", () => view.showPanel(true));
for (const id of ["people-close", "room"]) $(id).addEventListener("click", () => view.showPanel(false));
$("notice-close").addEventListener("click", view.dismissNotice);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") view.showPanel(false);
});

socket.connect();
