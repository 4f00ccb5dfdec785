// Who is logged in: the access token is kept in memory, the refresh token in a cookie that scripts cannot read.

let token = null;
let staleAt = 0;
export let user = null;

/** A refusal by the server, with its `code`; its message is for people. */
export class Refused extends Error {
  constructor({ code, message }) {
    super(message);
    this.code = code;
  }
}

// Windows of one browser share the cookie, and each use replaces it: one after the other.
function inTurn(work) {
  return navigator.locks ? navigator.locks.request("session", work) : work();
}

async function ask(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: body && { "content-type": "application/json" },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  }).catch(() => {
    throw new Error("The server cannot be reached.");
  });
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => null);
  if (answer?.error) throw new Refused(answer.error);
  if (!response.ok || !answer) throw new Error("The server did not understand.");
  return answer;
}

function keep(answer) {
  token = answer?.token ?? null;
  user = answer?.user ?? null;
  // A little early: it has a way to go.
  staleAt = answer ? Date.now() + answer.expires_in * 900 : Infinity;
  return token;
}

export const login = (name, password) => inTurn(async () => keep(await ask("login", { name, password })));

/** A fresh access token, or null if nobody is logged in. */
export const renew = () =>
  inTurn(async () => {
    try {
      return keep(await ask("token"));
    } catch (error) {
      if (error instanceof Refused) forget();
      throw error;
    }
  });

export const logout = () => inTurn(() => ask("logout")).finally(forget);

export function forget() {
  keep(null);
}

/** The next connection asks for a token again. */
export function distrust() {
  staleAt = 0;
}

export async function freshToken() {
  return Date.now() < staleAt ? token : renew();
}
