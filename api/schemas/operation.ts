/** Operations as the API shows them: as they are. */
import { operationSchema } from '../../shared/registry/records.ts';

export const operationView = operationSchema.meta({ id: 'Operation', description: 'What became of a job' });
