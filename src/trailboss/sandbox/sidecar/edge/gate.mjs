// Hold, drain, resume: what lets the runtime be replaced without a failed request.

/** Counts what is in flight; while closed, newcomers wait instead of failing. */
export class Gate {
  inFlight = 0;
  held = 0;
  heldTotal = 0;
  #closed = null;
  #holders = 0;
  #idle = null;

  get open() {
    return this.#closed === null;
  }

  /**
   * Call before touching the runtime and `leave` after.
   *
   * Returns undefined when one may go at once (the common case stays synchronous), else a promise. A `nested` caller was
   * started by a request that is itself in flight (a Worker fetching its own account): it may pass while the
   * gate drains, as the drain would otherwise wait for it and it for the drain.
   */
  enter(nested = false) {
    if (this.#closed === null || (nested && this.#closed.draining)) {
      this.inFlight += 1;
      return undefined;
    }
    return this.#wait();
  }

  async #wait() {
    this.held += 1;
    this.heldTotal += 1;
    try {
      while (this.#closed !== null) await this.#closed.promise;
    } finally {
      this.held -= 1;
    }
    this.inFlight += 1;
  }

  leave() {
    this.inFlight -= 1;
    if (this.inFlight === 0) this.#idle?.();
  }

  /** Run `work` inside the gate. */
  async pass(work, nested = false) {
    await this.enter(nested);
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  /**
   * Hold newcomers, then wait until nothing is in flight or `bound` ms are over; true when it drained. Several may hold
   * the gate at once (a crash during a swap): it opens when each of them has called `reopen`.
   */
  async close(bound) {
    this.#holders += 1;
    if (this.#closed === null) {
      let resume;
      const promise = new Promise((resolve) => (resume = resolve));
      this.#closed = { promise, resume, draining: false };
    }
    const closed = this.#closed;
    closed.draining = true;
    const drained = await this.#drained(bound);
    closed.draining = false;
    return drained;
  }

  #drained(bound) {
    if (this.inFlight === 0) return true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => finish(false), bound);
      const finish = (done) => {
        clearTimeout(timer);
        this.#idle = null;
        resolve(done);
      };
      this.#idle = () => finish(true);
    });
  }

  reopen() {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    const closed = this.#closed;
    this.#closed = null;
    closed?.resume();
  }
}
