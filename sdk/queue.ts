/** Values pushed by one side and iterated by the other, in order. Unbounded: the sender must hold back by itself. */

export interface Queue<Item> extends AsyncIterable<Item> {
  push(item: Item): void;
  end(): void;
}

export function queueOf<Item>(): Queue<Item> {
  const items: Item[] = [];
  let ended = false;
  let wake: () => void = () => undefined;
  return {
    push(item) {
      items.push(item);
      wake();
    },
    end() {
      ended = true;
      wake();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const item = items.shift();
        if (item !== undefined) yield item;
        else if (ended) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}
