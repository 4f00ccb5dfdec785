/** No wait is without a limit. It is generous: it ends a test that hangs, it measures nothing. */
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

/** The first argument of the next event of that name. Takes any of the emitters that the clients use. */
export function next(emitter, event) {
  return within(new Promise((resolve) => emitter.once(event, resolve)), `the event ${event}`);
}
