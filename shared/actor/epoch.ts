/**
 * The fencing number of an activation: `"<incarnation>.<counter>"`. The incarnation is claimed create-only in the store
 * each time a registry starts empty, so an epoch never repeats even when Redis forgot everything.
 */
import { z } from 'zod';

export const epochSchema = z
  .string()
  .regex(/^[1-9][0-9]{0,8}\.[0-9]{1,15}$/, 'an epoch reads "<incarnation>.<counter>"');
export type Epoch = z.infer<typeof epochSchema>;
