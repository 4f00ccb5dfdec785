// What to do about each code of a refusal.

/** Returns the action that the server named, else that of the code. A refused connection has the code only. */
export function actionFor({ code, action }) {
  if (action) return action;
  if (/^token_(expired|key_unknown)$/.test(code)) return 'renew';
  if (/^(\w+_unavailable|lookup_timeout|internal_error|too_many_attempts|token_not_yet_valid)$/.test(code)) {
    return 'retry';
  }
  if (code === 'subject_mismatch') return 'reconnect';
  return /^(token_\w+|user_not_found|login_required|session_ended)$/.test(code) ? 'login' : 'none';
}
