// The socket, and the actions of the buttons.

import { keepAuthenticated } from "./auth-client/index.js";
import * as session from "./session.js";
import * as view from "./view.js";

const { $ } = view;

if (!window.io) {
  view.showBroken();
  throw new Error("socket.io-client could not be loaded");
}

const WORDS = {
  login_required: "Log in to do that.",
  forbidden: "Only moderators may do that.",
  token_expired: "Your session has expired.",
  user_not_found: "Your session has ended.",
  session_ended: "This device was logged out.",
  token_revoked: "Your session was ended.",
  internal_error: "The server has a problem. Try again in a moment.",
};

/** A refusal by the server, with its `code`. */
class Refused extends Error {
  constructor({ code, message }) {
    super(WORDS[code] ?? message);
    this.code = code;
  }
}

/** The login under way. */
let login;

// `io` is the global name of socket.io-client.
const socket = window.io({ autoConnect: false, reconnectionDelayMax: 3000 });

// Sends a fresh token with every connection, or none for a guest, and renews it before it expires.
const auth = keepAuthenticated(socket, {
  async getToken() {
    const before = session.user;
    const token = await session.renew();
    if (before && !token) view.explain("You are logged out.");
    return token;
  },
  onSession({ loggedIn }) {
    view.showUser(session.user);
    if (!loggedIn) return;
    view.dismissNotice();
    login?.resolve();
  },
  onLoginRequired: ({ code, message }) => endSession(code, message),
  onRefused: ({ code, message }) => endSession(code, message),
  maxDelay: 3000,
});

// The other windows of this browser log in too. A logout reaches them through the server.
const windows = new BroadcastChannel("login");
windows.addEventListener("message", () => auth.refresh());

/** The session is over, or was refused: the page goes on as a guest. */
function endSession(code, message) {
  const reason = WORDS[code] ?? message ?? code;
  $("devices").close();
  if (login) login.reject(new Error(reason));
  else view.explain(reason);
  auth.refresh();
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

socket.on("connect", () => view.showState("online"));
socket.on("connect_error", () => view.showState("reconnecting"));
socket.on("disconnect", () => {
  view.showState("reconnecting");
  view.outdateMessages();
});

// An event was refused.
socket.on("unauthorized", (error) => {
  if (error.event) view.toast(new Refused(error).message, "bad");
});

socket.on("history", view.showHistory);
socket.on("message", view.addMessage);
socket.on("deleted", view.removeMessage);
socket.on("presence", (people) => {
  view.showPeople(people);
  // A device may have come or gone.
  if ($("devices").open) orToast(showDevices());
});
socket.on("suspensions", view.showSuspensions);

/** Shows an error of an action. */
const orToast = (work) => work.catch((error) => view.toast(error.message, "bad"));

// Writing

let posting = false;

/** The name under which this window keeps what was not sent yet. */
const DRAFT = "draft";

function write(text) {
  $("text").value = text;
  keepDraft();
}

function keepDraft() {
  const text = $("text").value;
  if (text) sessionStorage.setItem(DRAFT, text);
  else sessionStorage.removeItem(DRAFT);
  view.showLength(text);
}

$("text").addEventListener("input", keepDraft);
write(sessionStorage.getItem(DRAFT) ?? "");

async function post() {
  const text = $("text").value.trim();
  if (!text || posting) return;
  posting = true;
  try {
    await emit("post", text);
    write("");
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
  await session.login($("name").value, $("password").value);
  // Logs in on the open socket. If the connection is lost just now, the next one does.
  auth.refresh();
  windows.postMessage("");
  if (socket.connected) {
    await new Promise((resolve, reject) => (login = { resolve, reject })).finally(() => (login = undefined));
  }
  view.toast(`Welcome, ${session.user.name}.`, "good");
  if (postAfterLogin) await orToast(post());
}

$("open-login").addEventListener("click", () => openLogin());
$("logout").addEventListener("click", () => orToast(session.logout()));

// Moderating

let chosen;
$("messages").addEventListener("click", (event) => {
  if (!event.target.closest(".delete")) return;
  const message = event.target.closest(".message");
  chosen = message.dataset;
  openDialog($("delete"));
  $("delete-text").textContent = `${chosen.author}: ${message.querySelector(".text").textContent}`;
});
$("messages").addEventListener("keydown", view.moveInMessages);

const deleteMessage = () => emit("delete", Number(chosen.id));

$("online").addEventListener("click", (event) => {
  if (!event.target.closest(".eject")) return;
  chosen = event.target.closest(".person").dataset;
  $("eject-title").textContent = `Disconnect or suspend ${chosen.name}?`;
  closePanel();
  openDialog($("eject"));
});

async function eject({ value }) {
  await emit(value, Number(chosen.id), $("reason").value);
  view.toast(`${chosen.name} was ${value === "suspend" ? "suspended" : "disconnected"}.`, "good");
}

$("suspensions").addEventListener("click", (event) => {
  if (!event.target.closest(".lift")) return;
  const { id, name } = event.target.closest(".suspension").dataset;
  orToast(emit("lift_suspension", Number(id)).then(() => view.toast(`${name} may log in again.`, "good")));
});

// Devices

const showDevices = async () => view.showDevices(await session.devices());

$("open-devices").addEventListener("click", () => {
  closePanel();
  view.showDevices([]);
  $("device-ended").textContent = "";
  openDialog($("devices"));
  orError($("devices"), showDevices());
});
$("device-list").addEventListener("click", (event) => {
  const button = event.target.closest(".end");
  if (!button) return;
  const { id, name } = button.closest(".device").dataset;
  orError(
    $("devices"),
    emit("end_device", id).then(() => {
      $("device-ended").textContent = `${name} was logged out.`;
      return showDevices();
    }),
  );
});

async function endOthers() {
  await emit("end_other_devices");
  view.toast("All other devices were logged out.", "good");
}

// Dialogs, and the list of people, which a phone shows when its button is pressed

function openDialog(dialog) {
  dialog.querySelector("form").reset();
  dialog.querySelector(".error").textContent = "";
  dialog.showModal();
}

/** Shows an error in a dialog. */
async function orError(dialog, work) {
  const output = dialog.querySelector(".error");
  output.textContent = "";
  await work.catch((error) => (output.textContent = error.message));
}

for (const [id, work] of Object.entries({ login: logIn, delete: deleteMessage, eject, devices: endOthers })) {
  const dialog = $(id);
  dialog.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) dialog.close();
  });
  dialog.addEventListener("submit", async (event) => {
    event.preventDefault();
    const buttons = dialog.querySelectorAll("[type=submit]");
    const submit = async () => {
      await work(event.submitter);
      dialog.close();
      $("text").focus();
    };
    for (const button of buttons) button.disabled = true;
    await orError(dialog, submit());
    for (const button of buttons) button.disabled = false;
  });
}

// The panel is a step of the history, so that "Back" closes it.
$("people-button").addEventListener("click", () => {
  history.pushState("panel", "");
  view.showPanel(true);
});
addEventListener("popstate", () => view.showPanel(false));
const closePanel = () => {
  if (view.isPanelShown()) history.back();
};
for (const id of ["people-close", "room"]) $(id).addEventListener("click", closePanel);
$("notice-close").addEventListener("click", view.dismissNotice);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closePanel();
});

socket.connect();
