/** A clock that only tests advance. It replaces the timers and `Date.now` of the process. */
export class Clock {
  #real = { setTimeout, clearTimeout, now: Date.now };
  #timers = new Map();
  #lastTimer = 0;
  now = 1_700_000_000_000;

  constructor(test) {
    globalThis.setTimeout = (run, delay = 0, ...values) => {
      const id = ++this.#lastTimer;
      this.#timers.set(id, { at: this.now + Math.max(delay, 0), run: () => run(...values) });
      return id;
    };
    globalThis.clearTimeout = (id) => this.#timers.delete(id);
    Date.now = () => this.now;

    test.after(() => {
      Object.assign(globalThis, { setTimeout: this.#real.setTimeout, clearTimeout: this.#real.clearTimeout });
      Date.now = this.#real.now;
    });
  }

  /** How many timers are waiting. */
  get pending() {
    return this.#timers.size;
  }

  /** Lets promises continue. */
  settle() {
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets time pass, and runs every timer at its time. */
  async pass(milliseconds) {
    const end = this.now + milliseconds;
    await this.settle();
    for (;;) {
      const [next] = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
      if (!next) break;
      const [id, { at, run }] = next;
      this.#timers.delete(id);
      this.now = Math.max(this.now, at);
      run();
      await this.settle();
    }
    this.now = end;
  }

  /** Lets time pass as in a computer that sleeps: all timers are late. */
  async sleep(milliseconds) {
    await this.settle();
    this.now += milliseconds;
    await this.pass(0);
  }
}
