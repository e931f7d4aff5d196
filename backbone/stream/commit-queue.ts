/**
 * Group commit: all that is asked for within one turn of the event loop, or while a commit runs, goes into the next
 * commit together. That is where the throughput comes from: a disk syncs some hundred times a second, whatever the size.
 *
 * Bounded: at most `maxPendingBytes` wait or are on their way; further callers wait their turn, first come first
 * served (one job larger than the bound goes alone). Never drops, never reorders.
 */

export interface CommitQueueOptions<Job> {
  /** Writes all jobs, durably, and tells for each how it went: null = done, or the error. Must not throw. */
  commit: (jobs: readonly Job[]) => Promise<readonly (Error | null)[]>;
  sizeOf: (job: Job) => number;
  maxPendingBytes: number;
  maxCommitBytes: number;
}

interface Waiting<Job> {
  job: Job;
  size: number;
  resolve: () => void;
  reject: (error: Error) => void;
}

export class CommitQueue<Job> {
  readonly #options: CommitQueueOptions<Job>;
  /** Admitted, in order; `#head` is the first not yet committed. */
  #queue: Waiting<Job>[] = [];
  /** Not yet admitted: there was no room. */
  #outside: { size: number; enter: () => void }[] = [];
  #pendingBytes = 0;
  #running: Promise<void> | null = null;

  constructor(options: CommitQueueOptions<Job>) {
    this.#options = options;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Resolves when the job is durable. */
  async add(job: Job): Promise<void> {
    const size = this.#options.sizeOf(job);
    if (!this.#hasRoom(size) || this.#outside.length > 0) {
      await new Promise<void>((enter) => this.#outside.push({ size, enter }));
    } else {
      this.#pendingBytes += size;
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ job, size, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  #hasRoom(size: number): boolean {
    return this.#pendingBytes === 0 || this.#pendingBytes + size <= this.#options.maxPendingBytes;
  }

  async #run(): Promise<void> {
    do {
      // Callers whose append was just confirmed come back with their next one within this turn.
      await nextTurn();
      await this.#commitOnce(this.#take());
    } while (this.#queue.length > 0 || this.#outside.length > 0);
    this.#running = null;
  }

  #take(): Waiting<Job>[] {
    let bytes = 0;
    let count = 0;
    for (const { size } of this.#queue) {
      if (count > 0 && bytes + size > this.#options.maxCommitBytes) break;
      bytes += size;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  async #commitOnce(taken: readonly Waiting<Job>[]): Promise<void> {
    const results = await this.#options.commit(taken.map(({ job }) => job));
    for (const [index, { size, resolve, reject }] of taken.entries()) {
      this.#pendingBytes -= size;
      const error = results[index] ?? null;
      if (error === null) resolve();
      else reject(error);
    }
    this.#letIn();
  }

  #letIn(): void {
    for (
      let next = this.#outside[0];
      next !== undefined && this.#hasRoom(next.size);
      next = this.#outside[0]
    ) {
      this.#outside.shift();
      this.#pendingBytes += next.size;
      next.enter();
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
