import { registryConformance } from './conformance.ts';
import { startSingle } from './local-redis.ts';

registryConformance('registry on a real Redis', startSingle);
