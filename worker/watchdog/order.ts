/** What a worker and its watchdog say to each other: one JSON text a line, orders one way, receipts the other. */

export interface Order {
  readonly seq: number;
  /** From then on every VM is kept stopped, unless a newer order has come. By `monotonicMs`. */
  readonly freezeAtMs: number;
  /** Then every VM is killed, and the worker. */
  readonly endAtMs: number;
}

export interface Receipt {
  readonly seq: number;
  /** Whether it has stopped VMs since the receipt before. */
  readonly froze: boolean;
}

export const encodeLine = (message: Order | Receipt): string => `${JSON.stringify(message)}\n`;

/** The two ends are the same version and share a pipe that nobody else holds: nothing is checked twice. */
export const decodeOrder = (line: string): Order => JSON.parse(line) as Order;
export const decodeReceipt = (line: string): Receipt => JSON.parse(line) as Receipt;

/** Milliseconds on a clock that all processes of the machine share and that nobody sets. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;
