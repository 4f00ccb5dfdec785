/** The limit of every wait. It only ends tests that hang. */
const LIMIT_MS = 15_000;

export async function within(promise, what, limit = LIMIT_MS) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${limit} ms for ${what}`)), limit);
    timer.unref();
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves with the first argument of the next event of that name. Accepts any emitter of the clients. */
export function next(emitter, event) {
  return within(new Promise((resolve) => emitter.once(event, resolve)), `the event ${event}`);
}
