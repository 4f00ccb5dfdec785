// The socket, and what the buttons do.

import * as session from "./session.js";
import { $, addMessage, removeMessage, showHistory, showNotice, showPeople, showState, showUser, toast } from "./view.js";

const WORDS = {
  login_required: "Log in to do that.",
  forbidden: "Only moderators may do that.",
  token_expired: "Your login has expired.",
  user_not_found: "You were logged out.",
  subject_mismatch: "Somebody else has logged in with this browser.",
  internal_error: "The server has a problem. Try again in a moment.",
};
const inWords = (error) => WORDS[error.code ?? error.message] ?? error.message;

// The name under which socket.io-client registers itself.
const socket = window.io({
  autoConnect: false,
  reconnectionDelayMax: 3000,
  // Asked at every connection, so a token that has expired meanwhile is replaced first.
  auth: (send) =>
    session
      .freshToken()
      .catch((error) => {
        if (error instanceof session.Refused) showNotice("You are reading as a guest.", inWords(error));
        return null;
      })
      .then((token) => send(token ? { token } : {})),
});
let people = { users: [], guests: 0 };

function show() {
  showUser(session.user);
  showPeople(people, session.user);
}

/** The server's answer, or a refusal. */
async function emit(event, data) {
  if (!socket.connected) throw new Error("Not connected. Try again in a moment.");
  const answer = await socket
    .timeout(5000)
    .emitWithAck(event, data)
    .catch(() => {
      throw new Error("The server does not answer. Try again in a moment.");
    });
  if (answer.error) throw new session.Refused(answer.error);
  return answer;
}

/** Becomes the user of a token, or stays it, without a new connection. */
async function authenticate(token) {
  if (!socket.connected) return;
  await emit("authenticate", { token });
  socket.emit("hello");
}

// A server that has just refused is given a moment, and an attempt without an answer is made again.
let opening;
function open(delay) {
  clearTimeout(opening);
  opening = setTimeout(() => {
    socket.connect();
    opening = setTimeout(() => {
      if (socket.connected || !socket.io.engine?.readyState?.startsWith("open")) return;
      socket.disconnect();
      open(0);
    }, 8000);
  }, delay);
}

socket.on("connect", () => {
  showState("online");
  show();
});

socket.on("disconnect", (reason) => {
  if (reason === "io client disconnect") return;
  showState("reconnecting");
  if (reason !== "io server disconnect") return; // It reconnects by itself.
  session.distrust();
  open(300);
});

socket.on("connect_error", (error) => {
  if (socket.active) return showState("reconnecting");
  showState("refused");
  if (session.user) {
    showNotice("You are reading as a guest.", inWords(error));
    session.forget();
    open(500);
  } else {
    open(3000);
  }
});

socket.on("unauthorized", (error) => {
  toast(inWords(error), "bad");
});

socket.on("removed", (why) => {
  showNotice("You were removed.", why);
  session.forget();
});

socket.on("token_expiring", async () => {
  try {
    const token = await session.renew();
    if (token) await authenticate(token);
  } catch (error) {
    // Another user by now: the window follows.
    if (error.code === "subject_mismatch") socket.disconnect().connect();
    // Otherwise the server says so when the token has expired.
  }
});

socket.on("history", showHistory);
socket.on("message", addMessage);
socket.on("deleted", removeMessage);
socket.on("presence", (presence) => {
  people = presence;
  showPeople(people, session.user);
});

// Writing

async function send() {
  const text = $("text").value.trim();
  if (!text) return;
  const button = $("composer").querySelector("button");
  button.disabled = true;
  try {
    await emit("post", text);
    $("text").value = "";
    fit();
  } catch (error) {
    if (error.code === "login_required") askForLogin("Log in, and your message is sent.");
    else toast(inWords(error), "bad");
  } finally {
    button.disabled = false;
    $("text").focus();
  }
}

function fit() {
  const text = $("text");
  text.style.setProperty("height", "auto");
  text.style.setProperty("height", `${Math.min(text.scrollHeight, 160)}px`);
}

$("text").addEventListener("input", fit);
$("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("composer").requestSubmit();
});
$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});

// Logging in and out

const WHY = $("login-why").textContent;
let sendAfterLogin = false;

function askForLogin(why) {
  sendAfterLogin = why !== undefined;
  $("login-why").textContent = why ?? WHY;
  $("login-error").textContent = "";
  $("login").showModal();
  ($("name").value ? $("password") : $("name")).focus();
}

/** What a form does, with its button at rest meanwhile and what went wrong below its fields. */
function onSubmit(form, output, work) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    output.textContent = "";
    try {
      await work();
      form.closest("dialog").close();
    } catch (error) {
      output.textContent = inWords(error);
    } finally {
      button.disabled = false;
    }
  });
}

onSubmit($("login-form"), $("login-error"), async () => {
  const token = await session.login($("name").value, $("password").value);
  await authenticate(token);
  $("password").value = "";
  $("notice").hidden = true;
  show();
  toast(`Welcome, ${session.user.name}.`, "good");
  if (sendAfterLogin) send();
});

$("open-login").addEventListener("click", () => askForLogin());

$("logout").addEventListener("click", async () => {
  try {
    await session.logout();
    toast("You are logged out.");
  } catch (error) {
    toast(inWords(error), "bad");
  }
});

// Moderating

let removing;
$("messages").addEventListener("click", async (event) => {
  const item = event.target.closest(".delete") && event.target.closest(".message");
  if (!item) return;
  try {
    await emit("delete", Number(item.dataset.id));
    toast("Message deleted.", "good");
  } catch (error) {
    toast(inWords(error), "bad");
  }
});

$("online").addEventListener("click", (event) => {
  const button = event.target.closest(".remove");
  if (!button) return;
  removing = button.dataset;
  $("remove-title").textContent = `Remove ${removing.name}?`;
  $("reason").value = "";
  $("remove-error").textContent = "";
  showList(false);
  $("remove").showModal();
});

onSubmit($("remove-form"), $("remove-error"), async () => {
  await emit("remove", { user: Number(removing.user), reason: $("reason").value });
  toast(`${removing.name} was removed.`, "good");
});

// Dialogs and the list of people, which a phone shows on demand

for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
}

function showList(shown) {
  document.body.classList.toggle("people-shown", shown);
  $("people-button").setAttribute("aria-expanded", String(shown));
}
$("people-button").addEventListener("click", () => showList(!document.body.classList.contains("people-shown")));
$("people-close").addEventListener("click", () => showList(false));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") showList(false);
});
$("notice-close").addEventListener("click", () => {
  $("notice").hidden = true;
});

show();
session.distrust();
open(0);
