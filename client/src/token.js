// The calls of `getToken`.

/** How long sockets share a token that was fetched because the old one expires: all of them are told at once. */
const SHARED_FOR = 1000;

const calls = new WeakMap();

/**
 * Calls `getToken`. Sockets with the same `getToken` share a call, and a second call waits for the first: two at once
 * would use a refresh token twice.
 *
 * `refused` is a token that the server has refused, so that a call that returned it is not shared.
 */
export function requestToken(getToken, request, refused, timeout) {
  const known = calls.get(getToken);
  const isKnown = known && Date.now() < known.until;
  if (isKnown && known.forceRefresh >= request.forceRefresh && known.token !== refused) return known.answer;

  // A call that hangs is given up after the time limit of those that wait for it.
  const call = { ...request, until: Date.now() + timeout, token: calls };
  calls.set(getToken, call);
  const turn = isKnown ? known.answer.catch(() => {}) : Promise.resolve();
  call.answer = turn.then(() => getToken(request));
  call.answer.then(
    (token) => {
      call.token = token;
      call.until = request.forceRefresh && Date.now() + SHARED_FOR;
    },
    () => (call.until = 0),
  );
  return call.answer;
}

/** Makes the next request call `getToken`, whatever is under way. */
export const forgetToken = (getToken) => calls.delete(getToken);
