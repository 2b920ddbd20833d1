/**
 * What is written and read: a number that only grows, since each write to it waits for the one before. So an answer is wrong
 * when it is below what was acknowledged before it was asked for, or above what was ever sent.
 */
export class Subject {
  acknowledged = 0;
  sent = 0;
  #isBusy = false;

  /** Undefined while another write is under way. */
  async write(send: (value: number) => Promise<void>): Promise<boolean> {
    if (this.#isBusy) return false;
    this.#isBusy = true;
    this.sent++;
    await send(this.sent);
    this.acknowledged = this.sent;
    this.#isBusy = false;
    return true;
  }
}

/** A run: a tag, and as many values of a metric as were logged. */
export interface RunSubject {
  readonly id: string;
  readonly mark: Subject;
  readonly values: Subject;
}

/** An experiment: a tag, and its runs. */
export interface ExperimentSubject {
  readonly id: string;
  readonly mark: Subject;
  readonly runs: readonly RunSubject[];
}
