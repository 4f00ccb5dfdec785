// What to do about each code of a refusal.

const ACTIONS = [
  ['renew', /^token_(expired|key_unknown)$/],
  ['retry', /^(token_not_yet_valid|\w+_unavailable|lookup_timeout|internal_error|too_many_attempts)$/],
  ['reconnect', /^subject_mismatch$/],
  ['login', /^(token_\w+|user_not_found|login_required|session_ended)$/],
];

/** Returns the action that the server named, else that of the code. A refused connection has the code only. */
export const actionFor = ({ code, action }) =>
  action ?? ACTIONS.find(([, codes]) => codes.test(code))?.[0] ?? 'none';
