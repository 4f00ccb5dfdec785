// The login: the access token is kept in memory, the refresh token in a cookie that scripts cannot read.

export let user = null;

let accessToken = null;

/** Sends a request, and returns what the server answers. */
async function ask(path, options) {
  const response = await fetch(path, {
    method: "POST",
    ...options,
    signal: AbortSignal.timeout(10_000),
  }).catch(() => {
    throw new Error("The server cannot be reached. Try again in a moment.");
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type") === "application/json";
  const answer = isJson ? JSON.parse(text) : text;
  if (!response.ok) {
    throw new Error((isJson ? answer.message : text) || "The server has a problem. Try again in a moment.");
  }
  return answer;
}

function keep(answer) {
  user = answer?.user ?? null;
  accessToken = answer?.token ?? null;
  return accessToken;
}

/** Logs in. The next `renew` returns a token of the user. */
export async function login(name, password) {
  const headers = { "content-type": "application/json" };
  keep(await ask("login", { headers, body: JSON.stringify({ name, password }) }));
}

/** Returns a fresh access token, or null if no user is logged in. */
export const renew = async () => keep(await ask("token"));

export async function logout() {
  await ask("logout");
  user = accessToken = null;
}

/** Returns where the user is logged in. */
export const devices = () => ask("devices", { method: "GET", headers: { authorization: `Bearer ${accessToken}` } });
