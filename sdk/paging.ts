/** Lists come in pages with a cursor; a reader who wants all of them iterates and never sees the pages. */

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Present when there is more. */
  readonly nextCursor?: string;
}

export interface PageRequest {
  /** Items in one page. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** Every item, one page in memory at a time; leaving the loop early fetches no further page. */
export async function* everyItem<Item>(
  fetchPage: (cursor: string | undefined) => Promise<Page<Item>>,
  firstCursor?: string,
): AsyncGenerator<Item, void, undefined> {
  let cursor = firstCursor;
  do {
    const page = await fetchPage(cursor);
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}
