import { setTimeout as sleep } from 'node:timers/promises';
import type { TargetName } from './options.ts';

/** The processes of one running service. */
export interface Running {
  /** To be signalled: a process, or below zero the group of one. */
  readonly pid: number;
  /** Ends it and what is left of it. After a SIGKILL it only cleans up. */
  stop(): Promise<unknown>;
}

const START_ATTEMPTS = 5;
const RETRY_MS = 1_000;

/** A service that can be killed or paused, and comes back at the same port with the same data. */
export class Target {
  readonly name: TargetName;
  readonly #start: () => Promise<Running>;
  readonly #role: () => Promise<string>;
  #running: Running;
  #isPaused = false;

  private constructor(name: TargetName, start: () => Promise<Running>, running: Running, role: () => Promise<string>) {
    this.name = name;
    this.#role = role;
    this.#start = start;
    this.#running = running;
  }

  /** `role` tells it apart from others of its name. */
  static async open(name: TargetName, start: () => Promise<Running>, role = async () => ''): Promise<Target> {
    return new Target(name, start, await start(), role);
  }

  /** For people. */
  async describe(): Promise<string> {
    return `${this.name} ${await this.#role()}`.trim();
  }

  /** Leaves nothing of it running; `revive` is the way back. */
  async kill(): Promise<void> {
    process.kill(this.#running.pid, 'SIGKILL');
    await this.#running.stop();
  }

  /** Returns when it is ready. */
  async revive(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        this.#running = await this.#start();
        return;
      } catch (error) {
        // A client's own end of a connection may have taken the port meanwhile.
        if (attempt === START_ATTEMPTS) throw error;
        await sleep(RETRY_MS);
      }
    }
  }

  pause(): void {
    this.#isPaused = true;
    process.kill(this.#running.pid, 'SIGSTOP');
  }

  resume(): void {
    if (this.#isPaused) process.kill(this.#running.pid, 'SIGCONT');
    this.#isPaused = false;
  }

  async stop(): Promise<void> {
    this.resume();
    await this.#running.stop();
  }
}
