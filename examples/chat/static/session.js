// The login: the access token is kept in memory, the refresh token in a cookie that scripts cannot read.

export let user = null;

async function ask(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: body && { "content-type": "application/json" },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  }).catch(() => {
    throw new Error("The server cannot be reached. Try again in a moment.");
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text || "The server has a problem. Try again in a moment.");
  return text && JSON.parse(text);
}

function keep(answer) {
  user = answer?.user ?? null;
  return answer?.token ?? null;
}

/** Logs in. The next `renew` returns a token of the user. */
export const login = async (name, password) => void keep(await ask("login", { name, password }));

/** Returns a fresh access token, or null if no user is logged in. */
export const renew = async () => keep(await ask("token"));

export async function logout() {
  await ask("logout");
  user = null;
}
