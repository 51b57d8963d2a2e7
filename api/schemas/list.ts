/** Lists: pages of items in a fixed order, and the cursor that continues them. */
import { z } from 'zod';

export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(500).default(50).meta({ description: 'Items per page' }),
  cursor: z.string().min(1).max(256).optional().meta({ description: '`nextCursor` of the page before' }),
};

export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().optional() });
