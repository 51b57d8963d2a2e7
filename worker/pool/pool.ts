/**
 * Sandboxes in waiting: for each template that was woken lately, prepared sandboxes that a wake only has to fill. They
 * have never run and belong to nobody.
 *
 *   a wake ──take──► hit: the wake's own from here on      miss: the wake prepares one itself
 *      └─ is demand ─► once no actor wakes, answers its first request or stands still: one more is made, one at a time
 *
 * Demand sets the size: one for a template that was woken within ten minutes, more after misses that came in a burst,
 * never more than `size` in all. What waits is given back, the least wanted first, when actors need the room, when the
 * machine runs short of memory, when its template is gone, and all at once by `drain`.
 *
 * A failure to make one is logged and tried again at the next wake; one whose process ends is dropped without a word:
 * the pool only ever makes a wake faster.
 */
import type { PoolShare } from '../../shared/registry/pool-report.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import type { TemplateDescriptor } from '../../shared/template/golden.ts';
import type { PreparedSandbox } from '../sandbox/sandbox.ts';
import { createDemand } from './demand.ts';

/** Making a sandbox takes a tenth of a second of a core that the next wake of a burst may want. */
const quietMs = 100;
/** Preparing one takes well under a second, more where its golden must be fetched first. */
const buildLimitMs = 120_000;
/** How often what waits is compared with what is wanted: bounds what a lost hint costs. */
const lookEveryMs = 5000;

export interface PoolCounts {
  readonly ready: number;
  readonly hits: number;
  readonly misses: number;
}

export interface SandboxPool extends AsyncDisposable {
  /** One that waits for this template, if any: the caller's from here on. Others make way for it. */
  take(template: TemplateDescriptor): PreparedSandbox | undefined;
  /** Says that wakes of the template are to be expected. */
  expect(template: TemplateDescriptor): void;
  /** Nothing is made while a wake is under way, and its memory is spoken for. */
  beginWake(memoryMiB: number): Disposable;
  /** Nor until this is disposed: an actor has its first request to answer, or stands still. */
  holdOff(): Disposable;
  /** Gives everything back and forgets all demand; the next wake begins anew. */
  drain(): Promise<void>;
  readonly counts: PoolCounts;
  /** What waits and what is being made, by template. */
  shares(): readonly PoolShare[];
}

export interface PoolOptions {
  /** Most that wait at once; 0: no pool. */
  readonly size: number;
  build(template: TemplateDescriptor, signal: AbortSignal): Promise<PreparedSandbox>;
  /** Memory that may wait, beside that of the actors that run and of wakes of so much. */
  room(wakesMiB: number): number;
  /** Whether actors of the template may still come. */
  isCurrent(template: TemplateDescriptor): Promise<boolean>;
  readonly onTake?: (outcome: 'hit' | 'miss') => void;
  readonly log: Logger;
}

interface Waiting {
  readonly template: string;
  readonly revision: string;
  readonly sandbox: PreparedSandbox;
}

export function createSandboxPool(options: PoolOptions): SandboxPool {
  const pool = new Pool(options);
  const timer = setInterval(() => void pool.look(), lookEveryMs).unref();
  return {
    take: (template) => pool.take(template),
    expect: (template) => pool.expect(template),
    beginWake: (memoryMiB) => pool.beginWork(memoryMiB),
    holdOff: () => pool.beginWork(0),
    drain: () => pool.drain(),
    shares: () => pool.shares(),
    get counts() {
      return pool.counts;
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await pool.close();
    },
  };
}

class Pool {
  readonly #options: PoolOptions;
  readonly #demand = createDemand();
  #waiting: Waiting[] = [];
  readonly #ending = new Set<Promise<unknown>>();
  #closing = new AbortController();
  #isClosed = false;
  #filling: Promise<void> | undefined;
  #making: TemplateDescriptor | undefined;
  #quiet: NodeJS.Timeout | undefined;
  #underWay = 0;
  #wakesMiB = 0;
  #hits = 0;
  #misses = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get counts(): PoolCounts {
    return { ready: this.#waiting.length, hits: this.#hits, misses: this.#misses };
  }

  shares(): readonly PoolShare[] {
    const making = this.#making;
    const one = making && { template: making.spec.name, revision: making.revision };
    const named = [...this.#waiting, ...(one ? [one] : [])];
    return [...new Map(named.map(({ template, revision }) => [revision, template]))].map(([revision, template]) => ({
      ...{ template, revision, ready: this.#countOf(revision), making: making?.revision === revision ? 1 : 0 },
    }));
  }

  take(template: TemplateDescriptor): PreparedSandbox | undefined {
    if (this.#options.size === 0 || this.#isClosed) return undefined;
    const found = this.#waiting.find(({ revision }) => revision === template.revision);
    this.#demand.note(template, found === undefined ? 'miss' : 'hit');
    if (found === undefined) this.#misses++;
    else this.#hits++;
    this.#options.onTake?.(found === undefined ? 'miss' : 'hit');
    this.#waiting = this.#waiting.filter((other) => other !== found);
    this.#shrink(); // after it was taken: what a wake takes is part of the memory it needs
    return found?.sandbox;
  }

  expect(template: TemplateDescriptor): void {
    this.#demand.note(template, 'expected');
    this.#fillSoon();
  }

  beginWork(memoryMiB: number): Disposable {
    this.#underWay++;
    this.#wakesMiB += memoryMiB;
    let isOver = false;
    return {
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        this.#underWay--;
        this.#wakesMiB -= memoryMiB;
        this.#fillSoon();
      },
    };
  }

  /** Gives back what nobody wants any more or what there is no room for, then makes what is missing. */
  async look(): Promise<void> {
    for (const template of this.#demand.templates()) {
      const isCurrent = await this.#options.isCurrent(template).catch(() => true); // a registry that is away says nothing
      if (!isCurrent) this.#demand.forget(template.revision);
    }
    const unwanted = this.#waiting.filter(({ revision }) => this.#demand.wanted(revision) === 0);
    for (const one of unwanted) this.#giveBack(one);
    this.#shrink();
    this.#fillSoon();
  }

  async drain(): Promise<void> {
    this.#demand.clear();
    clearTimeout(this.#quiet);
    this.#closing.abort();
    this.#closing = new AbortController();
    for (const one of this.#waiting) this.#giveBack(one);
    await Promise.allSettled([this.#filling, ...this.#ending]);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.drain();
  }

  #fillSoon(): void {
    if (this.#options.size === 0 || this.#isClosed) return;
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.#fill(), quietMs).unref();
  }

  #fill(): void {
    const { signal } = this.#closing;
    this.#filling ??= this.#makeMissing(signal)
      .catch((error: unknown) => {
        if (!signal.aborted) this.#options.log.warn({ err: error }, 'no sandbox could be kept ready');
      })
      .finally(() => (this.#filling = undefined));
  }

  async #makeMissing(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#underWay === 0 && this.#waiting.length < this.#options.size) {
      const template = this.#demand.missing((revision) => this.#countOf(revision));
      if (template === undefined || this.#freeBytes() < template.spec.memoryMiB * mebibyte) return;
      const limit = AbortSignal.any([signal, AbortSignal.timeout(buildLimitMs)]);
      const sandbox = await this.#make(template, limit);
      const one = { template: template.spec.name, revision: template.revision, sandbox };
      this.#waiting.push(one);
      void sandbox.exited.then(() => this.#giveBack(one));
      if (this.#demand.wanted(template.revision) === 0) this.#giveBack(one); // drained, or gone, meanwhile
      this.#shrink();
    }
  }

  async #make(template: TemplateDescriptor, signal: AbortSignal): Promise<PreparedSandbox> {
    this.#making = template;
    try {
      return await this.#options.build(template, signal);
    } catch (error) {
      this.#demand.forget(template.revision);
      throw error;
    } finally {
      this.#making = undefined;
    }
  }

  readonly #countOf = (revision: string): number =>
    this.#waiting.filter((waiting) => waiting.revision === revision).length;

  #freeBytes(): number {
    const held = this.#waiting.reduce((sum, { sandbox }) => sum + sandbox.memoryBytes, 0);
    return this.#options.room(this.#wakesMiB) - held;
  }

  /** The least wanted goes first. */
  #shrink(): void {
    const byDemand = this.#waiting.toSorted(
      (a, b) => this.#demand.lastAt(a.revision) - this.#demand.lastAt(b.revision),
    );
    for (const one of byDemand) {
      if (this.#freeBytes() >= 0) return;
      this.#giveBack(one);
    }
  }

  #giveBack(one: Waiting): void {
    if (!this.#waiting.includes(one)) return;
    this.#waiting = this.#waiting.filter((other) => other !== one);
    const ending = this.#end(one).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  async #end({ sandbox }: Waiting): Promise<void> {
    try {
      await sandbox[Symbol.asyncDispose]();
    } catch (error) {
      this.#options.log.warn({ err: error }, 'a sandbox in waiting did not end');
    }
  }
}

const mebibyte = 1024 * 1024;
